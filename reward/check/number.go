package check

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

var (
	decimal  = regexp.MustCompile(`^[-+]?(\d+(\.\d*)?|\.\d+)$`)
	grouped  = regexp.MustCompile(`^[-+]?\d{1,3}(,\d{3})+(\.\d*)?$`)
	fraction = regexp.MustCompile(`^([-+]?)\s*\\frac\s*\{\s*([-+]?[\d.]+)\s*\}\s*\{\s*([-+]?[\d.]+)\s*\}$`)
	mixed    = regexp.MustCompile(`^([-+]?)\s*(\d+)\s+(\d+)\s*/\s*(\d+)$`)
)

// parseNumber reads a whole number, a decimal, a fraction (3/4, \frac{3}{4}) or a mixed number (1 3/4), exactly. It reads no sum and no product:
// the question itself is no answer.
func parseNumber(s string) (*big.Rat, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 400 {
		return nil, false
	}
	if m := fraction.FindStringSubmatch(s); m != nil {
		s = m[2] + "/" + m[3]
		if m[1] == "-" {
			s = "-(" + s + ")"
		}
	}
	if inner, ok := strings.CutPrefix(s, "-("); ok {
		if r, ok := parseNumber(strings.TrimSuffix(inner, ")")); ok {
			return r.Neg(r), true
		}
		return nil, false
	}
	if m := mixed.FindStringSubmatch(s); m != nil {
		whole, _ := new(big.Rat).SetString(m[2])
		part, ok := ratio(m[3], m[4])
		if !ok {
			return nil, false
		}
		whole.Add(whole, part)
		if m[1] == "-" {
			whole.Neg(whole)
		}
		return whole, true
	}
	if top, bottom, ok := strings.Cut(s, "/"); ok {
		return ratio(strings.TrimSpace(top), strings.TrimSpace(bottom))
	}
	return parseDecimal(s)
}

func parseDecimal(s string) (*big.Rat, bool) {
	if sign := strings.TrimLeft(s, "+-"); len(s)-len(sign) == 1 {
		s = s[:1] + strings.TrimSpace(sign)
	}
	if grouped.MatchString(s) {
		s = strings.ReplaceAll(s, ",", "")
	}
	if !decimal.MatchString(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

func ratio(top, bottom string) (*big.Rat, bool) {
	a, okA := parseDecimal(top)
	b, okB := parseDecimal(bottom)
	if !okA || !okB || b.Sign() == 0 {
		return nil, false
	}
	return a.Quo(a, b), true
}

// number compares by value. The answer may name the variable (meta "variable": "x = 3"), the unit (meta "unit": "5 m/s"), or be a percentage of one.
func number(answer, gold string, meta map[string]string) (bool, error) {
	want, ok := parseNumber(gold)
	if !ok {
		return false, fmt.Errorf("the gold answer %q is not a number", gold)
	}
	if v := meta["variable"]; v != "" {
		if rest, ok := strings.CutPrefix(answer, v); ok {
			if rest, ok = strings.CutPrefix(strings.TrimSpace(rest), "="); ok {
				answer = rest
			}
		}
	}
	if u := meta["unit"]; u != "" {
		answer = trimUnit(answer, u)
	}
	percent := strings.HasSuffix(answer, "%")
	got, ok := parseNumber(strings.TrimSuffix(answer, "%"))
	if !ok {
		return false, nil
	}
	if percent {
		got.Quo(got, big.NewRat(100, 1))
	}
	return got.Cmp(want) == 0, nil
}

// trimUnit leaves a unit out that stands behind a number, with or without braces and spaces in it.
func trimUnit(answer, unit string) string {
	if len(answer) > 400 {
		return answer
	}
	short := strings.NewReplacer(" ", "", "{", "", "}", "", "*", "").Replace
	for i := range answer {
		if s := short(answer[i:]); s == short(unit) || len(unit) > 2 && s == short(unit)+"s" {
			return strings.TrimRight(answer[:i], " {")
		}
	}
	return answer
}
