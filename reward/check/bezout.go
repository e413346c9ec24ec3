package check

import (
	"fmt"
	"math/big"
	"strings"
)

// bezout accepts every pair of whole numbers with a*x + b*y = c, for a, b and c of meta: "3, -4" or "x=3, y=-4".
func bezout(answer, _ string, meta map[string]string) (bool, error) {
	var n [3]*big.Rat
	for i, name := range []string{"a", "b", "c"} {
		v, ok := parseNumber(meta[name])
		if !ok {
			return false, fmt.Errorf("%s: %q is not a number", name, meta[name])
		}
		n[i] = v
	}
	values := strings.Split(unwrap(answer), ",")
	if len(values) != 2 {
		return false, nil
	}
	total := new(big.Rat)
	for i, text := range values {
		text = strings.TrimSpace(text)
		if name, value, ok := strings.Cut(text, "="); ok {
			if strings.TrimSpace(name) != []string{"x", "y"}[i] {
				return false, nil
			}
			text = value
		}
		v, ok := parseNumber(text)
		if !ok || !v.IsInt() {
			return false, nil
		}
		total.Add(total, v.Mul(v, n[i]))
	}
	return total.Cmp(n[2]) == 0, nil
}
