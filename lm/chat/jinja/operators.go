package jinja

import (
	"math"
	"slices"
	"strings"
)

func (r *run) unary(e unaryExpr, s *scope) any {
	v := r.eval(e.e, s)
	r.line = e.line
	if e.op == "not" {
		return !truth(v)
	}
	i, f, isInt, ok := numberOf(v)
	if !ok {
		r.fail("%s has no sign", kind(v))
	}
	switch {
	case e.op == "-" && isInt:
		return -i
	case e.op == "-":
		return -f
	case isInt:
		return i
	}
	return f
}

func (r *run) binary(e binaryExpr, s *scope) any {
	left := r.eval(e.left, s)
	if e.op == "and" && !truth(left) || e.op == "or" && truth(left) {
		return left
	}
	right := r.eval(e.right, s)
	r.line = e.line
	switch e.op {
	case "and", "or":
		return right
	case "~":
		return r.sized(text(left) + text(right))
	}
	return r.arithmetic(e.op, left, right)
}

// sized refuses texts that grow without bound.
func (r *run) sized(s string) string {
	if len(s) > maxBytes {
		r.fail("a text is longer than %d bytes", maxBytes)
	}
	return s
}

func (r *run) arithmetic(op string, a, b any) any {
	ai, af, aInt, aNum := numberOf(a)
	bi, bf, bInt, bNum := numberOf(b)
	if aNum && bNum {
		if aInt && bInt && op != "/" && !(op == "**" && bi < 0) {
			return r.integers(op, ai, bi)
		}
		return r.floats(op, af, bf)
	}
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok && op == "+" {
			return r.sized(x + y)
		}
		if op == "*" && bInt {
			return r.repeat(x, bi)
		}
		if op == "%" {
			return r.printf(x, b)
		}
	case *List:
		if y, ok := b.(*List); ok && op == "+" && x.tuple == y.tuple {
			return &List{append(slices.Clone(x.Items), y.Items...), x.tuple}
		}
		if op == "*" && bInt {
			if bi > 0 && int64(len(x.Items)) > maxRange/bi {
				r.fail("a list has more than %d items", maxRange)
			}
			return &List{slices.Repeat(x.Items, int(max(bi, 0))), x.tuple}
		}
	}
	if y, ok := b.(string); ok && op == "*" && aInt {
		return r.repeat(y, ai)
	}
	for _, v := range []any{a, b} {
		if u, ok := v.(undefined); ok {
			r.fail("%s is undefined", u.name)
		}
	}
	r.fail("%s %s %s is not possible", kind(a), op, kind(b))
	return nil
}

func (r *run) repeat(s string, n int64) string {
	if n > 0 && int64(len(s)) > maxBytes/n {
		r.fail("a text is longer than %d bytes", maxBytes)
	}
	return strings.Repeat(s, int(max(n, 0)))
}

func (r *run) integers(op string, a, b int64) any {
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "**":
		out := int64(1)
		for range min(b, 64) {
			out *= a
		}
		if b > 64 && (a > 1 || a < -1) {
			r.fail("%d ** %d is too large", a, b)
		}
		return out
	}
	if b == 0 {
		r.fail("division by zero")
	}
	q, m := a/b, a%b
	if m != 0 && (m < 0) != (b < 0) { // Python rounds down
		q, m = q-1, m+b
	}
	if op == "//" {
		return q
	}
	return m
}

func (r *run) floats(op string, a, b float64) any {
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "**":
		return math.Pow(a, b)
	}
	if b == 0 {
		r.fail("division by zero")
	}
	switch op {
	case "/":
		return a / b
	case "//":
		return math.Floor(a / b)
	}
	m := math.Mod(a, b)
	if m != 0 && (m < 0) != (b < 0) {
		m += b
	}
	return m
}

func (r *run) holds(op string, a, b any) bool {
	switch op {
	case "==":
		return equal(a, b)
	case "!=":
		return !equal(a, b)
	case "in":
		return r.contains(b, a)
	case "not in":
		return !r.contains(b, a)
	}
	order, ok := compare(a, b)
	if !ok {
		for _, v := range []any{a, b} {
			if u, missing := v.(undefined); missing {
				r.fail("%s is undefined", u.name)
			}
		}
		r.fail("%s %s %s is not possible", kind(a), op, kind(b))
	}
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

func (r *run) contains(in, v any) bool {
	switch in := in.(type) {
	case string:
		s, ok := v.(string)
		if !ok {
			r.fail("a text does not hold %s", kind(v))
		}
		return strings.Contains(in, s)
	case *Dict:
		_, ok := in.Get(v)
		return ok
	case namespace:
		_, ok := in.Get(v)
		return ok
	}
	return slices.ContainsFunc(r.items(in), func(x any) bool { return equal(x, v) })
}
