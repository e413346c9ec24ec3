package jinja

import (
	"fmt"
	"strconv"
	"strings"
)

// bind gives a function's arguments by position or name; those that are not given are their defaults.
func (r *run) bind(what string, a args, names []string, defaults ...any) []any {
	if len(a.pos) > len(names) {
		r.fail("%s takes at most %d arguments, was given %d", what, len(names), len(a.pos))
	}
	out := make([]any, len(names))
	for i, name := range names {
		v, named := a.named[name]
		switch required := len(names) - len(defaults); {
		case i < len(a.pos):
			out[i] = a.pos[i]
		case named:
			out[i] = v
		case i >= required:
			out[i] = defaults[i-required]
		default:
			r.fail("%s needs an argument %s", what, name)
		}
	}
	for _, name := range a.names {
		known := false
		for i, n := range names {
			known = known || n == name && i >= len(a.pos)
		}
		if !known {
			r.fail("%s takes no argument %q", what, name)
		}
	}
	return out
}

func (r *run) integer(what string, v any) int64 {
	n, f, isInt, ok := numberOf(v)
	if !ok {
		r.fail("%s: %s is not a number", what, kind(v))
	}
	if !isInt {
		return int64(f)
	}
	return n
}

func (r *run) str(what string, v any) string {
	s, ok := v.(string)
	if !ok {
		r.fail("%s: %s is not a text", what, kind(v))
	}
	return s
}

func (r *run) globals() map[string]any {
	out := map[string]any{}
	for name, f := range map[string]func(*run, args) any{
		"raise_exception": func(r *run, a args) any {
			r.fail("the template refuses: %s", text(r.bind("raise_exception", a, []string{"message"})[0]))
			return nil
		},
		"strftime_now": func(r *run, a args) any {
			return r.strftime(r.str("strftime_now", r.bind("strftime_now", a, []string{"format"})[0]))
		},
		"namespace": func(r *run, a args) any {
			d := r.newDict("namespace", a)
			for _, k := range d.keys {
				r.checkAttribute(text(k))
			}
			return namespace{d}
		},
		"dict":  func(r *run, a args) any { return r.newDict("dict", a) },
		"range": numbers,
	} {
		if name != "strftime_now" || !r.now.IsZero() {
			out[name] = function{name, f}
		}
	}
	return out
}

func (r *run) newDict(what string, a args) *Dict {
	d := NewDict()
	if len(a.pos) > 1 {
		r.fail("%s takes one mapping and named arguments", what)
	}
	for _, v := range a.pos {
		if m, ok := v.(*Dict); ok {
			for i, k := range m.keys {
				d.Set(k, m.items[i])
			}
			continue
		}
		for _, item := range r.items(v) {
			pair := r.items(item)
			if len(pair) != 2 || !hashable(pair[0]) {
				r.fail("%s: an item is no pair of a key and a value", what)
			}
			d.Set(pair[0], pair[1])
		}
	}
	for _, name := range a.names {
		d.Set(name, a.named[name])
	}
	return d
}

func numbers(r *run, a args) any {
	b := r.bind("range", a, []string{"start", "stop", "step"}, nil, int64(1))
	start, stop, step := int64(0), r.integer("range", b[0]), r.integer("range", b[2])
	if b[1] != nil {
		start, stop = stop, r.integer("range", b[1])
	}
	if step == 0 {
		r.fail("range: the step is zero")
	}
	out := []any{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		if len(out) >= maxRange {
			r.fail("range: more than %d numbers", maxRange)
		}
		out = append(out, i)
	}
	return &List{Items: out}
}

// strftime is Python's, of the time that the rendering was given.
func (r *run) strftime(format string) string {
	layouts := map[byte]string{'d': "02", 'm': "01", 'Y': "2006", 'y': "06", 'b': "Jan", 'B': "January", 'a': "Mon", 'A': "Monday", 'H': "15", 'I': "03",
		'M': "04", 'S': "05", 'p': "PM", 'F': "2006-01-02", 'T': "15:04:05", 'D': "01/02/06", 'R': "15:04", 'h': "Jan", 'j': "002"}
	short := map[byte]string{'d': "2", 'm': "1", 'I': "3", 'M': "4", 'S': "5"}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		c, from := format[i], layouts
		if c == '-' && i+1 < len(format) {
			i++
			c, from = format[i], short
		}
		layout, ok := from[c]
		switch {
		case c == '%':
			b.WriteByte('%')
		case !ok:
			r.fail("strftime_now: %%%c is not supported", c)
		default:
			b.WriteString(r.now.Format(layout))
		}
	}
	return b.String()
}

// printf is the % of texts.
func (r *run) printf(format string, v any) string {
	values := []any{v}
	if l, ok := v.(*List); ok && l.tuple {
		values = l.Items
	}
	var b strings.Builder
	used := 0
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		start := i
		for i++; i < len(format) && strings.IndexByte("+- 0123456789.", format[i]) >= 0; i++ {
		}
		if i == len(format) {
			r.fail("a format ends within a field")
		}
		verb := format[i]
		if verb == '%' {
			b.WriteByte('%')
			continue
		}
		if used == len(values) {
			r.fail("a format has more fields than there are values")
		}
		b.WriteString(r.printField(format[start:i], verb, values[used]))
		used++
	}
	if _, mapping := v.(*Dict); used < len(values) && !mapping {
		r.fail("a format has fewer fields than there are values")
	}
	return b.String()
}

func (r *run) printField(flags string, verb byte, v any) string {
	for _, part := range strings.FieldsFunc(flags, func(c rune) bool { return c < '0' || c > '9' }) {
		if n, err := strconv.Atoi(part); err != nil || n > 1000 {
			r.fail("a format asks for %s places", part)
		}
	}
	switch verb {
	case 's':
		return fmt.Sprintf(flags+"s", text(v))
	case 'r':
		var b strings.Builder
		writeRepr(&b, v)
		return fmt.Sprintf(flags+"s", b.String())
	case 'd', 'i':
		return fmt.Sprintf(flags+"d", r.integer("a format", v))
	case 'x', 'X', 'o':
		return fmt.Sprintf(flags+string(verb), r.integer("a format", v))
	case 'f', 'e', 'g':
		_, f, _, ok := numberOf(v)
		if !ok {
			r.fail("a format: %s is not a number", kind(v))
		}
		return fmt.Sprintf(flags+string(verb), f)
	}
	r.fail("the format %%%c is not supported", verb)
	return ""
}
