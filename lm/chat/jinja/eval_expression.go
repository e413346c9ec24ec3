package jinja

import (
	"strings"
)

func (r *run) eval(e expr, s *scope) any {
	if r.steps++; r.steps > maxSteps {
		r.fail("takes more than %d steps", maxSteps)
	}
	switch e := e.(type) {
	case literal:
		return e.value
	case nameExpr:
		if v, ok := s.get(e.name); ok {
			return v
		}
		return undefined{e.name}
	case listExpr:
		return &List{r.all(e.items, s), e.tuple}
	case dictExpr:
		d := NewDict()
		for i, k := range e.keys {
			name := r.eval(k, s)
			if !hashable(name) {
				r.fail("%s cannot be a key", kind(name))
			}
			d.Set(name, r.eval(e.values[i], s))
		}
		return d
	case unaryExpr:
		return r.unary(e, s)
	case binaryExpr:
		return r.binary(e, s)
	case compareExpr:
		r.line = e.line
		left := r.eval(e.first, s)
		for i, op := range e.ops {
			right := r.eval(e.rest[i], s)
			if !r.holds(op, left, right) {
				return false
			}
			left = right
		}
		return true
	case condExpr:
		if truth(r.eval(e.cond, s)) {
			return r.eval(e.yes, s)
		}
		if e.no == nil {
			return undefined{"a conditional without else"}
		}
		return r.eval(e.no, s)
	case attrExpr:
		v := r.eval(e.e, s)
		r.line = e.line
		return r.attr(v, e.name)
	case indexExpr:
		v, i := r.eval(e.e, s), r.eval(e.index, s)
		r.line = e.line
		return r.index(v, i)
	case sliceExpr:
		return r.slice(e, s)
	case callExpr:
		f, a := r.eval(e.f, s), r.arguments(e.arguments, s)
		r.line = e.line
		return r.call(f, a)
	case filterExpr:
		return r.filter(e.filterCall, r.eval(e.e, s), s)
	case testExpr:
		v, a := r.eval(e.e, s), r.all(e.args, s)
		r.line = e.line
		return tests[e.name](r, v, a) != e.not
	}
	panic("jinja: an expression of no known kind")
}

func (r *run) all(list []expr, s *scope) []any {
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = r.eval(e, s)
	}
	return out
}

func (r *run) arguments(in arguments, s *scope) args {
	a := args{pos: r.all(in.args, s), named: map[string]any{}}
	for _, e := range in.spread {
		a.pos = append(a.pos, r.items(r.eval(e, s))...)
	}
	put := func(name string, v any) {
		if _, ok := a.named[name]; ok {
			r.fail("the argument %q is given twice", name)
		}
		a.names, a.named[name] = append(a.names, name), v
	}
	for i, name := range in.names {
		put(name, r.eval(in.values[i], s))
	}
	for _, e := range in.spreads {
		d, ok := r.eval(e, s).(*Dict)
		if !ok {
			r.fail("** needs a mapping")
		}
		for i, k := range d.keys {
			put(text(k), d.items[i])
		}
	}
	return a
}

func (r *run) call(f any, a args) any {
	switch f := f.(type) {
	case function:
		return f.call(r, a)
	case *loopState:
		if f.again == nil || len(a.pos) != 1 {
			r.fail("loop(…) needs a loop that is recursive, and what to loop over")
		}
		return f.again(a.pos[0])
	case undefined:
		r.fail("%s is undefined", f.name)
	}
	r.fail("%s cannot be called", kind(f))
	return nil
}

func (r *run) filter(f filterCall, v any, s *scope) any {
	a := r.arguments(f.arguments, s)
	r.line = f.line
	return filters[f.name](r, v, a)
}

// attr is v.name: a method, else a key.
func (r *run) attr(v any, name string) any {
	switch v := v.(type) {
	case undefined:
		r.fail("%s is undefined", v.name)
	case *loopState:
		return v.attr(name)
	case namespace:
		if x, ok := v.Get(name); ok {
			return x
		}
		return undefined{name}
	}
	if f, ok := method(v, name); ok {
		return f
	}
	if d, ok := v.(*Dict); ok {
		if x, ok := d.Get(name); ok {
			return x
		}
	}
	return undefined{name}
}

// index is v[i]: an item or key, else a method.
func (r *run) index(v, i any) any {
	switch v := v.(type) {
	case undefined:
		r.fail("%s is undefined", v.name)
	case *List:
		if n, _, isInt, _ := numberOf(i); isInt {
			return at(v.Items, n)
		}
	case string:
		if n, _, isInt, _ := numberOf(i); isInt {
			return at(r.items(v), n)
		}
	case *Dict:
		if x, ok := v.Get(i); ok {
			return x
		}
	}
	if name, ok := i.(string); ok {
		return r.attr(v, name)
	}
	return undefined{text(i)}
}

func at(items []any, i int64) any {
	if i < 0 {
		i += int64(len(items))
	}
	if i < 0 || i >= int64(len(items)) {
		return undefined{"an item out of range"}
	}
	return items[i]
}

func (r *run) slice(e sliceExpr, s *scope) any {
	v := r.eval(e.e, s)
	r.line = e.line
	bound := func(e expr) (int64, bool) {
		if e == nil {
			return 0, false
		}
		x := r.eval(e, s)
		if x == nil {
			return 0, false
		}
		n, _, isInt, _ := numberOf(x)
		if !isInt {
			r.fail("a slice's bounds are integers, not %s", kind(x))
		}
		return n, true
	}
	var items []any
	switch v := v.(type) {
	case string, *List:
		items = r.items(v)
	case undefined:
		r.fail("%s is undefined", v.name)
	default:
		r.fail("%s has no slices", kind(v))
	}
	n := int64(len(items))
	step, ok := bound(e.step)
	if !ok {
		step = 1
	}
	if step == 0 {
		r.fail("a slice's step is zero")
	}
	step = min(max(step, -n-1), n+1)
	lowest, highest := int64(0), n
	if step < 0 {
		lowest, highest = -1, n-1
	}
	clip := func(e expr, otherwise int64) int64 {
		i, ok := bound(e)
		if !ok {
			return otherwise
		}
		if i < 0 {
			i += n
		}
		return min(max(i, lowest), highest)
	}
	from, to := clip(e.start, lowest), clip(e.stop, highest)
	if step < 0 {
		from, to = clip(e.start, highest), clip(e.stop, lowest)
	}
	out := []any{}
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		out = append(out, items[i])
	}
	if l, isList := v.(*List); isList {
		return &List{out, l.tuple}
	}
	var b strings.Builder
	for _, c := range out {
		b.WriteString(c.(string))
	}
	return b.String()
}
