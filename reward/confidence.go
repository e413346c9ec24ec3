package reward

import (
	"regexp"
	"strconv"
)

var brierKind = kind{name: "brier", gives: "1 - (c - p)^2 with p the confidence that the response states as <confidence>0.8</confidence> and c 1 where the verdict is correct, else 0; 0 without a confidence",
	hi: 1, source: "RLCR (arXiv 2507.16806)", gold: true, blank: func() Options { return new(brierOptions) }}

type brierOptions struct{ none }

func (brierOptions) build() (judge, error) {
	return judge{given: func(x Sample, v Verdict) (float64, error) {
		p, ok := StatedConfidence(x.Response)
		if !ok {
			return 0, nil
		}
		miss := number(v == Correct) - p
		return 1 - miss*miss, nil
	}}, nil
}

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
		if !knowsRight(partKind(name)) {
			sum, ok = sum+v, true
		}
	}
	return sum, ok
}
