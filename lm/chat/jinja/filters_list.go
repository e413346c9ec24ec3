package jinja

import (
	"slices"
	"strconv"
	"strings"
)

// path follows "a.b.0" into an item; nil is the item itself.
func (r *run) path(v, path any) any {
	switch path := path.(type) {
	case nil:
		return v
	case int64:
		return r.index(v, path)
	case string:
		for _, part := range strings.Split(path, ".") {
			if n, err := parseIndex(part); err == nil {
				v = r.index(v, n)
			} else {
				v = r.index(v, part)
			}
		}
		return v
	}
	r.fail("an attribute is a text, not %s", kind(path))
	return nil
}

func parseIndex(s string) (int64, error) { return strconv.ParseInt(s, 10, 32) }

// caseless folds texts for orders that do not tell capitals apart.
func caseless(v any, sensitive bool) any {
	if s, ok := v.(string); ok && !sensitive {
		return strings.ToLower(s)
	}
	return v
}

func (r *run) order(a, b any) int {
	c, ok := compare(a, b)
	if !ok {
		r.fail("%s and %s have no order", kind(a), kind(b))
	}
	return c
}

func sorted(r *run, v any, a args) any {
	b := r.bind("sort", a, []string{"reverse", "case_sensitive", "attribute"}, false, false, nil)
	items := slices.Clone(r.items(v))
	slices.SortStableFunc(items, func(x, y any) int {
		c := r.order(caseless(r.path(x, b[2]), truth(b[1])), caseless(r.path(y, b[2]), truth(b[1])))
		if truth(b[0]) {
			return -c
		}
		return c
	})
	return &List{Items: items}
}

func dictsort(r *run, v any, a args) any {
	b := r.bind("dictsort", a, []string{"case_sensitive", "by", "reverse"}, false, "key", false)
	d, ok := v.(*Dict)
	if !ok || b[1] != "key" && b[1] != "value" {
		r.fail("dictsort needs a mapping, and to be by key or value")
	}
	which := int64(0)
	if b[1] == "value" {
		which = 1
	}
	return sorted(r, pairs(d), args{named: map[string]any{"reverse": b[2], "case_sensitive": b[0], "attribute": which}, names: []string{"reverse", "case_sensitive", "attribute"}})
}

func unique(r *run, v any, a args) any {
	b := r.bind("unique", a, []string{"case_sensitive", "attribute"}, false, nil)
	out := []any{}
	var seen []any
	for _, item := range r.items(v) {
		k := caseless(r.path(item, b[1]), truth(b[0]))
		if !slices.ContainsFunc(seen, func(s any) bool { return equal(s, k) }) {
			seen, out = append(seen, k), append(out, item)
		}
	}
	return &List{Items: out}
}

func (r *run) extreme(what string, v any, a args, sign int) any {
	b := r.bind(what, a, []string{"case_sensitive", "attribute"}, false, nil)
	items := r.items(v)
	if len(items) == 0 {
		return undefined{"an item of an empty list"}
	}
	best := items[0]
	for _, item := range items[1:] {
		if r.order(caseless(r.path(item, b[1]), truth(b[0])), caseless(r.path(best, b[1]), truth(b[0])))*sign > 0 {
			best = item
		}
	}
	return best
}

// mapped is map(attribute=…, default=…) or map("filter", …).
func mapped(r *run, v any, a args) any {
	out := []any{}
	if attribute, ok := a.named["attribute"]; ok && len(a.pos) == 0 {
		for _, item := range r.items(v) {
			x := r.path(item, attribute)
			if _, missing := x.(undefined); missing {
				if d, ok := a.named["default"]; ok {
					x = d
				}
			}
			out = append(out, x)
		}
		return &List{Items: out}
	}
	if len(a.pos) == 0 {
		r.fail("map needs a filter or an attribute")
	}
	name := r.str("map", a.pos[0])
	f := filters[name]
	if f == nil {
		r.fail("the filter %q is not supported", name)
	}
	for _, item := range r.items(v) {
		out = append(out, f(r, item, args{a.pos[1:], a.names, a.named}))
	}
	return &List{Items: out}
}

// selected keeps the items whose test gives want; without a test, those that are true.
func (r *run) selected(what string, v any, a args, byAttribute, want bool) any {
	if len(a.names) > 0 {
		r.fail("%s takes no argument %q", what, a.names[0])
	}
	var attribute any
	rest := a.pos
	if byAttribute {
		if len(rest) == 0 {
			r.fail("%s needs an attribute", what)
		}
		attribute, rest = rest[0], rest[1:]
	}
	test := func(x any) bool { return truth(x) }
	if len(rest) > 0 {
		name := r.str(what, rest[0])
		f := tests[name]
		if f == nil {
			r.fail("the test %q is not supported", name)
		}
		test = func(x any) bool { return f(r, x, rest[1:]) }
	}
	out := []any{}
	for _, item := range r.items(v) {
		if test(r.path(item, attribute)) == want {
			out = append(out, item)
		}
	}
	return &List{Items: out}
}
