package jinja

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// List is a list or a tuple.
type List struct {
	Items []any
	tuple bool
}

// Dict is a mapping in the order of insertion. Keys are strings, numbers, truth values or nil.
type Dict struct {
	keys  []any
	at    map[any]int
	items []any
}

// NewDict makes an empty mapping.
func NewDict() *Dict { return &Dict{at: map[any]int{}} }

// key is how a key is looked up: 1, 1.0 and true are one key, as in Python.
func key(k any) any {
	switch k := k.(type) {
	case bool:
		if k {
			return int64(1)
		}
		return int64(0)
	case float64:
		if k == math.Trunc(k) && math.Abs(k) < 1<<53 {
			return int64(k)
		}
	}
	return k
}

func hashable(k any) bool {
	switch k.(type) {
	case nil, bool, int64, float64, string:
		return true
	}
	return false
}

// Set puts in or replaces; a key that is there keeps its place.
func (d *Dict) Set(k, v any) {
	if i, ok := d.at[key(k)]; ok {
		d.items[i] = v
		return
	}
	d.at[key(k)] = len(d.keys)
	d.keys, d.items = append(d.keys, k), append(d.items, v)
}

// Get looks up a key.
func (d *Dict) Get(k any) (any, bool) {
	if !hashable(k) {
		return nil, false
	}
	i, ok := d.at[key(k)]
	if !ok {
		return nil, false
	}
	return d.items[i], true
}

// Len is the number of keys.
func (d *Dict) Len() int { return len(d.keys) }

// Keys are the keys in order.
func (d *Dict) Keys() []any { return d.keys }

// undefined is what a missing variable, key or attribute gives; name tells in messages what was missing.
type undefined struct{ name string }

// namespace is a value whose attributes {% set %} can change.
type namespace struct{ *Dict }

// function is what a template can call. Only loop, caller, macros, globals and methods are functions.
type function struct {
	name string
	call func(r *run, a args) any
}

// args are evaluated arguments.
type args struct {
	pos   []any
	names []string
	named map[string]any
}

func truth(v any) bool {
	switch v := v.(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case *List:
		return len(v.Items) > 0
	case *Dict:
		return v.Len() > 0
	}
	return true
}

// number reads integers and truth values as integers and floats as floats.
func numberOf(v any) (i int64, f float64, isInt, ok bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, 1, true, true
		}
		return 0, 0, true, true
	case int64:
		return v, float64(v), true, true
	case float64:
		return 0, v, false, true
	}
	return 0, 0, false, false
}

func equal(a, b any) bool {
	ai, af, aInt, aNum := numberOf(a)
	bi, bf, bInt, bNum := numberOf(b)
	if aNum && bNum {
		if aInt && bInt {
			return ai == bi
		}
		return af == bf
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case undefined:
		_, ok := b.(undefined)
		return ok
	case string:
		s, ok := b.(string)
		return ok && a == s
	case *List:
		l, ok := b.(*List)
		return ok && a.tuple == l.tuple && slices.EqualFunc(a.Items, l.Items, equal)
	case *Dict:
		d, ok := b.(*Dict)
		if !ok || a.Len() != d.Len() {
			return false
		}
		for i, k := range a.keys {
			if v, ok := d.Get(k); !ok || !equal(a.items[i], v) {
				return false
			}
		}
		return true
	case function:
		return false
	}
	if _, ok := b.(function); ok {
		return false
	}
	return a == b
}

// compare orders numbers, strings and lists; ok is false for others.
func compare(a, b any) (order int, ok bool) {
	ai, af, aInt, aNum := numberOf(a)
	bi, bf, bInt, bNum := numberOf(b)
	switch {
	case aNum && bNum && aInt && bInt:
		return cmp.Compare(ai, bi), true
	case aNum && bNum:
		return cmp.Compare(af, bf), true
	}
	if s, isString := a.(string); isString {
		t, ok := b.(string)
		return strings.Compare(s, t), ok
	}
	if l, isList := a.(*List); isList {
		m, ok := b.(*List)
		if !ok || l.tuple != m.tuple {
			return 0, false
		}
		for i := range min(len(l.Items), len(m.Items)) {
			if !equal(l.Items[i], m.Items[i]) {
				return compare(l.Items[i], m.Items[i])
			}
		}
		return cmp.Compare(len(l.Items), len(m.Items)), true
	}
	return 0, false
}

// kind is what Python calls the value's type.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case undefined:
		return "undefined"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case *List:
		if v.tuple {
			return "tuple"
		}
		return "list"
	case *Dict:
		return "dict"
	case namespace:
		return "namespace"
	}
	return "function"
}

// text is Python's str().
func text(v any) string {
	switch v := v.(type) {
	case undefined:
		return ""
	case string:
		return v
	}
	var b strings.Builder
	writeRepr(&b, v)
	return b.String()
}

// writeRepr is Python's repr().
func writeRepr(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case undefined:
		b.WriteString("Undefined")
	case bool:
		if v {
			b.WriteString("True")
		} else {
			b.WriteString("False")
		}
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		b.WriteString(floatText(v))
	case string:
		writeQuoted(b, v)
	case *List:
		open, end := "[", "]"
		if v.tuple {
			open, end = "(", ")"
		}
		b.WriteString(open)
		for i, item := range v.Items {
			if i > 0 {
				b.WriteString(", ")
			}
			writeRepr(b, item)
		}
		if v.tuple && len(v.Items) == 1 {
			b.WriteString(",")
		}
		b.WriteString(end)
	case *Dict:
		b.WriteString("{")
		for i, k := range v.keys {
			if i > 0 {
				b.WriteString(", ")
			}
			writeRepr(b, k)
			b.WriteString(": ")
			writeRepr(b, v.items[i])
		}
		b.WriteString("}")
	case namespace:
		b.WriteString("<Namespace>") // it may hold itself
	case function:
		b.WriteString("<function " + v.name + ">")
	default:
		b.WriteString("<" + kind(v) + ">")
	}
}

// floatText is Python's repr of a float: the shortest digits that give it back.
func floatText(x float64) string {
	switch {
	case math.IsInf(x, 1):
		return "inf"
	case math.IsInf(x, -1):
		return "-inf"
	case math.IsNaN(x):
		return "nan"
	}
	if a := math.Abs(x); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(x, 'e', -1, 64)
	}
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func writeQuoted(b *strings.Builder, s string) {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b.WriteByte(quote)
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			b.WriteString(`\x` + hex(r, 2))
		case r < 0x10000:
			b.WriteString(`\u` + hex(r, 4))
		default:
			b.WriteString(`\U` + hex(r, 8))
		}
	}
	b.WriteByte(quote)
}

func hex(r rune, digits int) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", max(0, digits-len(s))) + s
}
