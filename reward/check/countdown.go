package check

import (
	"fmt"
	"slices"
	"strings"
)

// countdown accepts every expression over meta "numbers" ("3 5 7"), each used as often as it stands there at most, whose value is meta "target". The
// answer may end with "= target".
func countdown(answer, _ string, meta map[string]string) (bool, error) {
	target, ok := parseNumber(meta["target"])
	if !ok {
		return false, fmt.Errorf("target: %q is not a number", meta["target"])
	}
	numbers := strings.Fields(meta["numbers"])
	if len(numbers) == 0 {
		return false, fmt.Errorf("numbers: there are none")
	}
	left, right, equation := strings.Cut(answer, "=")
	if equation {
		if said, ok := parseNumber(right); !ok || said.Cmp(target) != 0 {
			return false, nil
		}
	}
	value, used, ok := evaluate(left, len(numbers))
	if !ok || value.Cmp(target) != 0 {
		return false, nil
	}
	for _, n := range used {
		i := slices.Index(numbers, n)
		if i < 0 {
			return false, nil
		}
		numbers = slices.Delete(numbers, i, i+1)
	}
	return true, nil
}
