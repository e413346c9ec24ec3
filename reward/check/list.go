package check

import (
	"fmt"
	"slices"
	"strings"
)

// items cuts a list at its commas, at "and", or, where it has neither, at its spaces. Brackets around the whole do not count. Numbers among the items
// are written in one way, and capitals and quotes do not matter. An empty list is [] or "none".
func items(s string) []string {
	s = unwrap(s)
	if s == "" || strings.EqualFold(s, "none") {
		return nil
	}
	cut := ","
	switch {
	case strings.Contains(s, ";"):
		cut = ";"
	case strings.Contains(s, ","):
		s = strings.NewReplacer(", and ", ",", " and ", ",").Replace(s)
	case strings.Contains(s, " and "):
		cut = " and "
	default:
		cut = " "
		s = strings.Join(strings.Fields(s), " ")
	}
	var out []string
	for _, item := range strings.Split(s, cut) {
		out = append(out, item1(item))
	}
	return out
}

// unwrap removes brackets around the whole answer.
func unwrap(s string) string {
	for range 3 {
		s = strings.TrimSpace(s)
		if len(s) < 2 || strings.IndexByte("([{<", s[0]) < 0 || strings.IndexByte(")]}>", s[len(s)-1]) < 0 {
			return s
		}
		s = s[1 : len(s)-1]
	}
	return strings.TrimSpace(s)
}

// item1 is the one way to write a single value.
func item1(s string) string {
	s = strings.Trim(strings.TrimSpace(s), `"'{}`)
	if n, ok := parseNumber(s); ok {
		return n.RatString()
	}
	return strings.ToLower(strings.Join(strings.Fields(s), " "))
}

// list compares values in order.
func list(answer, gold string, _ map[string]string) (bool, error) {
	if gold == "" {
		return false, fmt.Errorf("there is no gold answer")
	}
	return slices.Equal(items(answer), items(gold)), nil
}

// set compares values without order. A value given twice counts twice.
func set(answer, gold string, _ map[string]string) (bool, error) {
	if gold == "" {
		return false, fmt.Errorf("there is no gold answer")
	}
	return slices.Equal(slices.Sorted(slices.Values(items(answer))), slices.Sorted(slices.Values(items(gold)))), nil
}

// word compares one name, without regard to capitals, quotes and braces.
func word(answer, gold string, _ map[string]string) (bool, error) {
	if gold == "" {
		return false, fmt.Errorf("there is no gold answer")
	}
	return item1(unwrap(answer)) == item1(unwrap(gold)), nil
}

// cells compares rows of 0 and 1; spaces and commas between them do not count.
func cells(answer, gold string, _ map[string]string) (bool, error) {
	short := strings.NewReplacer(" ", "", ",", "", "[", "", "]", "", "{", "", "}", "").Replace
	want := short(gold)
	if want == "" || strings.Trim(want, "01") != "" {
		return false, fmt.Errorf("the gold answer %q is not a row of 0 and 1", gold)
	}
	return short(answer) == want, nil
}

// pairs reads "A=red, B: blue"; each name may stand once.
func pairs(s string) (map[string]string, bool) {
	out := map[string]string{}
	for _, item := range strings.FieldsFunc(unwrap(s), func(r rune) bool { return r == ',' || r == ';' }) {
		item = strings.NewReplacer(" is a ", "=", " is ", "=", "->", "=", ":", "=").Replace(item)
		name, value, ok := strings.Cut(item, "=")
		name, value = item1(strings.TrimPrefix(strings.TrimSpace(name), "and ")), item1(value)
		if _, twice := out[name]; !ok || twice || name == "" || value == "" {
			return nil, false
		}
		out[name] = value
	}
	return out, len(out) > 0
}

// assignment compares values by name, in any order.
func assignment(answer, gold string, _ map[string]string) (bool, error) {
	want, ok := pairs(gold)
	if !ok {
		return false, fmt.Errorf("the gold answer %q is not a list of name=value", gold)
	}
	got, ok := pairs(answer)
	if !ok || len(got) != len(want) {
		return false, nil
	}
	for name, value := range want {
		if got[name] != value {
			return false, nil
		}
	}
	return true, nil
}
