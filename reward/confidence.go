package reward

import (
	"regexp"
	"strconv"
)

var confidenceMark = regexp.MustCompile(`<confidence>\s*([0-9]{1,8}(?:\.[0-9]{0,8})?|\.[0-9]{1,8})\s*(%?)\s*</confidence>`)

// StatedConfidence is the last confidence that a response states as RLCR has it (arXiv 2507.16806), <confidence>0.8</confidence> or
// <confidence>80%</confidence>, in [0, 1]. ok is false without one, or with one out of range.
func StatedConfidence(response string) (p float64, ok bool) {
	all := confidenceMark.FindAllStringSubmatch(response, -1)
	if len(all) == 0 {
		return 0, false
	}
	last := all[len(all)-1]
	p, err := strconv.ParseFloat(last[1], 64)
	if last[2] == "%" {
		p /= 100
	}
	return p, err == nil && p >= 0 && p <= 1
}

// Preference is what the parts of a reward say that ask for no right answer: by it one of several responses can be chosen. ok is false where
// there are no such parts.
func (s Score) Preference() (sum float64, ok bool) {
	for name, v := range s.Parts {
		if !Decides(partKind(name)) {
			sum, ok = sum+v, true
		}
	}
	return sum, ok
}
