package check

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Atoms counts the atoms of a formula such as Ca(OH)2: symbols of elements, numbers after them, and parentheses.
func Atoms(formula string) (map[string]int, error) {
	out, rest, err := atoms(formula, 0)
	if err == nil && rest != "" {
		err = fmt.Errorf("unexpected %q", rest)
	}
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("formula %q: %w", formula, err)
	}
	return out, nil
}

func atoms(s string, depth int) (map[string]int, string, error) {
	if depth > maxDepth {
		return nil, s, fmt.Errorf("nested too deeply")
	}
	out := map[string]int{}
	for s != "" && s[0] != ')' {
		var group map[string]int
		if s[0] == '(' {
			var err error
			if group, s, err = atoms(s[1:], depth+1); err != nil {
				return nil, s, err
			}
			if s == "" {
				return nil, s, fmt.Errorf("a parenthesis is open")
			}
			s = s[1:]
		} else {
			if s[0] < 'A' || s[0] > 'Z' {
				return nil, s, fmt.Errorf("unexpected %q", s)
			}
			n := 1
			for n < len(s) && s[n] >= 'a' && s[n] <= 'z' {
				n++
			}
			group, s = map[string]int{s[:n]: 1}, s[n:]
		}
		times := 1
		if digits := len(s) - len(strings.TrimLeft(s, "0123456789")); digits > 0 {
			var err error
			if times, err = strconv.Atoi(s[:digits]); err != nil || digits > 4 || times == 0 {
				return nil, s, fmt.Errorf("%q is no count of atoms", s[:digits])
			}
			s = s[digits:]
		}
		for e, n := range group {
			out[e] += n * times
		}
	}
	return out, s, nil
}

// Equation is a chemical equation without coefficients: the formulas, of which the first Left stand on the left side.
type Equation struct {
	Formulas []string
	Left     int
}

// ParseEquation reads "H2 + O2 -> H2O".
func ParseEquation(s string) (Equation, error) {
	left, right, ok := strings.Cut(s, "->")
	if !ok {
		return Equation{}, fmt.Errorf("equation %q: has no ->", s)
	}
	var e Equation
	for i, side := range []string{left, right} {
		for _, f := range strings.Split(side, "+") {
			e.Formulas = append(e.Formulas, strings.TrimSpace(f))
		}
		if i == 0 {
			e.Left = len(e.Formulas)
		}
	}
	for _, f := range e.Formulas {
		if _, err := Atoms(f); err != nil {
			return Equation{}, err
		}
	}
	return e, nil
}

// Balanced says whether both sides have the same atoms with these coefficients.
func (e Equation) Balanced(coefficients []*big.Int) (bool, error) {
	if len(coefficients) != len(e.Formulas) {
		return false, nil
	}
	total := map[string]*big.Int{}
	for i, f := range e.Formulas {
		atoms, err := Atoms(f)
		if err != nil {
			return false, err
		}
		for element, n := range atoms {
			if total[element] == nil {
				total[element] = new(big.Int)
			}
			sign := int64(1)
			if i >= e.Left {
				sign = -1
			}
			total[element].Add(total[element], new(big.Int).Mul(coefficients[i], big.NewInt(sign*int64(n))))
		}
	}
	for _, n := range total {
		if n.Sign() != 0 {
			return false, nil
		}
	}
	return true, nil
}

// balance accepts all coefficients, whole, above 0 and without a common divisor, that balance meta "equation": "2, 1, 2", or the equation written
// with them.
func balance(answer, _ string, meta map[string]string) (bool, error) {
	e, err := ParseEquation(meta["equation"])
	if err != nil {
		return false, err
	}
	var texts []string
	if strings.Contains(answer, "->") {
		texts = coefficientsOf(answer, e)
	} else {
		texts = strings.Split(unwrap(answer), ",")
	}
	var numbers []*big.Int
	common := new(big.Int)
	for _, t := range texts {
		n, ok := parseNumber(t)
		if !ok || !n.IsInt() || n.Sign() <= 0 {
			return false, nil
		}
		numbers = append(numbers, n.Num())
		common.GCD(nil, nil, common, n.Num())
	}
	if len(numbers) == 0 || common.Cmp(big.NewInt(1)) != 0 {
		return false, nil
	}
	return e.Balanced(numbers)
}

// coefficientsOf reads the numbers before the formulas of an equation that has the same formulas on the same sides; "" where it has not.
func coefficientsOf(answer string, e Equation) []string {
	answer = strings.NewReplacer("_", "", "{", "", "}", "", "*", " ").Replace(answer)
	left, right, _ := strings.Cut(answer, "->")
	terms := strings.Split(left, "+")
	if len(terms) != e.Left {
		return nil
	}
	terms = append(terms, strings.Split(right, "+")...)
	if len(terms) != len(e.Formulas) {
		return nil
	}
	out := make([]string, len(e.Formulas))
	for i, t := range terms {
		t = strings.ReplaceAll(t, " ", "")
		n := len(t) - len(strings.TrimLeft(t, "0123456789"))
		side := e.Formulas[:e.Left]
		offset := 0
		if i >= e.Left {
			side, offset = e.Formulas[e.Left:], e.Left
		}
		for j, f := range side {
			if f == t[n:] && out[offset+j] == "" {
				out[offset+j] = t[:n]
				if n == 0 {
					out[offset+j] = "1"
				}
				break
			}
		}
	}
	return out
}
