package tokenizer

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalizer rewrites text before it is split.
type normalizer func(string) string

const normalizers = "ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Prepend, Replace, Sequence, Strip"

func parseNormalizer(raw json.RawMessage) (normalizer, error) {
	if absent(raw) {
		return nil, nil
	}
	switch kind := kindOf(raw); kind {
	case "Sequence":
		var f struct{ Normalizers []json.RawMessage }
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		var steps []normalizer
		for i, r := range f.Normalizers {
			n, err := parseNormalizer(r)
			if err != nil {
				return nil, fmt.Errorf("normalizers[%d]: %w", i, err)
			}
			if n != nil {
				steps = append(steps, n)
			}
		}
		return func(s string) string {
			for _, n := range steps {
				s = n(s)
			}
			return s
		}, nil
	case "NFC":
		return func(s string) string { return unicodeForm(norm.NFC, s) }, nil
	case "NFD":
		return func(s string) string { return unicodeForm(norm.NFD, s) }, nil
	case "NFKC":
		return func(s string) string { return unicodeForm(norm.NFKC, s) }, nil
	case "NFKD":
		return func(s string) string { return unicodeForm(norm.NFKD, s) }, nil
	case "Lowercase":
		return lowercase, nil
	case "ByteLevel":
		return toByteChars, nil
	case "Prepend":
		var f struct{ Prepend string }
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		return func(s string) string {
			if s == "" {
				return s
			}
			return f.Prepend + s
		}, nil
	case "Strip":
		f := struct {
			Left  *bool `json:"strip_left"`
			Right *bool `json:"strip_right"`
		}{}
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		left, right := f.Left == nil || *f.Left, f.Right == nil || *f.Right
		return func(s string) string {
			if left {
				s = strings.TrimLeftFunc(s, unicode.IsSpace)
			}
			if right {
				s = strings.TrimRightFunc(s, unicode.IsSpace)
			}
			return s
		}, nil
	case "Replace":
		return parseReplace(raw)
	default:
		return nil, unsupported(kind, normalizers)
	}
}

// parseReplace serves the normalizer and the decoder of that name.
func parseReplace(raw json.RawMessage) (normalizer, error) {
	var f struct {
		Pattern patternFile
		Content string
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	if f.Pattern.String != nil && f.Pattern.Regex == nil {
		if *f.Pattern.String == "" {
			return func(s string) string { return s }, nil
		}
		return func(s string) string { return strings.ReplaceAll(s, *f.Pattern.String, f.Content) }, nil
	}
	find, err := f.Pattern.finder()
	if err != nil {
		return nil, err
	}
	return func(s string) string {
		var b strings.Builder
		done := 0
		for _, m := range find(s) {
			b.WriteString(s[done:m[0]])
			b.WriteString(f.Content)
			done = m[1]
		}
		if done == 0 && b.Len() == 0 {
			return s
		}
		b.WriteString(s[done:])
		return b.String()
	}, nil
}

// lowercase maps each character by itself, U+0130 to two; unlike strings.ToLower in full-word
// languages it looks at no neighbours.
func lowercase(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == 'İ' {
			b.WriteString("i\u0307")
			continue
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// maxNonStarters is how many combining marks in a row x/text takes before it breaks the run with
// U+034F, which the reference does not.
const maxNonStarters = 30

// unicodeForm is the Unicode normalization form without that limit.
func unicodeForm(form norm.Form, s string) string {
	if !longRun(s) {
		return form.String(s)
	}
	decompose, compose := norm.NFD, form == norm.NFC || form == norm.NFKC
	if form == norm.NFKC || form == norm.NFKD {
		decompose = norm.NFKD
	}
	var runes []rune
	for _, r := range s {
		if r >= 0xAC00 && r <= 0xD7A3 { // Hangul decomposes by rule, not by table
			runes = append(runes, []rune(decompose.String(string(r)))...)
		} else if d := decompose.PropertiesString(string(r)).Decomposition(); len(d) > 0 {
			runes = append(runes, []rune(string(d))...)
		} else {
			runes = append(runes, r)
		}
	}
	sortMarks(runes)
	if compose {
		runes = composeRunes(runes)
	}
	return string(runes)
}

// longRun reports whether x/text might break a run of marks, in any of the forms.
func longRun(s string) bool {
	run := 0
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			run = 0
			i++
			continue
		}
		p := norm.NFKC.PropertiesString(s[i:])
		i += max(p.Size(), 1)
		d := p.Decomposition()
		if len(d) == 0 {
			run = nextRun(run, p)
		}
		for len(d) > 0 {
			q := norm.NFKC.Properties(d)
			run = nextRun(run, q)
			d = d[max(q.Size(), 1):]
		}
		if run > maxNonStarters {
			return true
		}
	}
	return false
}

// nextRun counts what is not certain to end a run: marks, and starters that may join what is
// before them.
func nextRun(run int, p norm.Properties) int {
	if p.CCC() == 0 && p.BoundaryBefore() {
		return 0
	}
	return run + 1
}

func class(r rune) uint8 { return norm.NFD.PropertiesString(string(r)).CCC() }

// sortMarks puts each run of marks into canonical order, keeping equals in place.
func sortMarks(runes []rune) {
	for i := 1; i < len(runes); i++ {
		c := class(runes[i])
		if c == 0 {
			continue
		}
		for j := i; j > 0 && class(runes[j-1]) > c; j-- {
			runes[j-1], runes[j] = runes[j], runes[j-1]
		}
	}
}

// composeRunes is the canonical composition algorithm (Unicode standard, D117).
func composeRunes(runes []rune) []rune {
	out := runes[:0]
	starter, last := -1, uint8(0)
	for _, r := range runes {
		c := class(r)
		if starter >= 0 && (len(out) == starter+1 || last != 0 && last < c) {
			if joined := []rune(norm.NFC.String(string([]rune{out[starter], r}))); len(joined) == 1 {
				out[starter] = joined[0]
				continue
			}
		}
		if c == 0 {
			starter = len(out)
		}
		last = c
		out = append(out, r)
	}
	return out
}
