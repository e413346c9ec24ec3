package jinja

import (
	"strings"
)

type testFunc func(r *run, v any, a []any) bool

var tests map[string]testFunc

func init() {
	tests = map[string]testFunc{
		"defined":   is(func(v any) bool { _, missing := v.(undefined); return !missing }),
		"undefined": is(func(v any) bool { _, missing := v.(undefined); return missing }),
		"none":      is(func(v any) bool { return v == nil }),
		"boolean":   is(func(v any) bool { _, ok := v.(bool); return ok }),
		"true":      is(func(v any) bool { return v == true }),
		"false":     is(func(v any) bool { return v == false }),
		"integer":   is(func(v any) bool { _, ok := v.(int64); return ok }),
		"float":     is(func(v any) bool { _, ok := v.(float64); return ok }),
		"number":    is(func(v any) bool { _, _, _, ok := numberOf(v); return ok }),
		"string":    is(func(v any) bool { _, ok := v.(string); return ok }),
		"mapping":   is(func(v any) bool { _, ok := v.(*Dict); return ok }),
		"sequence":  is(hasLength),
		"iterable":  is(func(v any) bool { _, missing := v.(undefined); return missing || hasLength(v) }),
		"callable": is(func(v any) bool {
			switch v := v.(type) {
			case function:
				return true
			case *loopState:
				return v.again != nil
			}
			return false
		}),
		"lower": is(func(v any) bool { s := text(v); return strings.ToLower(s) == s && strings.ToUpper(s) != s }),
		"upper": is(func(v any) bool { s := text(v); return strings.ToUpper(s) == s && strings.ToLower(s) != s }),
		"odd":   func(r *run, v any, a []any) bool { r.count(a, 0); return r.integer("odd", v)%2 != 0 },
		"even":  func(r *run, v any, a []any) bool { r.count(a, 0); return r.integer("even", v)%2 == 0 },
		"divisibleby": func(r *run, v any, a []any) bool {
			r.count(a, 1)
			return r.arithmetic("%", v, a[0]) == int64(0)
		},
		"sameas": func(r *run, v any, a []any) bool { r.count(a, 1); return kind(v) == kind(a[0]) && equal(v, a[0]) },
		"filter": func(r *run, v any, a []any) bool { r.count(a, 0); return filters[r.str("filter", v)] != nil },
		"test":   func(r *run, v any, a []any) bool { r.count(a, 0); return tests[r.str("test", v)] != nil },
	}
	for name, op := range map[string]string{"eq": "==", "equalto": "==", "==": "==", "ne": "!=", "!=": "!=", "lt": "<", "lessthan": "<", "<": "<", "le": "<=", "<=": "<=",
		"gt": ">", "greaterthan": ">", ">": ">", "ge": ">=", ">=": ">=", "in": "in"} {
		tests[name] = func(r *run, v any, a []any) bool {
			r.count(a, 1)
			return r.holds(op, v, a[0])
		}
	}
}

func is(f func(any) bool) testFunc {
	return func(r *run, v any, a []any) bool {
		r.count(a, 0)
		return f(v)
	}
}

func (r *run) count(a []any, want int) {
	if len(a) != want {
		r.fail("a test takes %d arguments, was given %d", want, len(a))
	}
}

func hasLength(v any) bool {
	switch v.(type) {
	case string, *List, *Dict:
		return true
	}
	return false
}
