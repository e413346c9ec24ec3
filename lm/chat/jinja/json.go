package jinja

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strconv"
	"strings"
)

// FromJSON reads one JSON value; objects keep the order of their keys.
func FromJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := readValue(d)
	if errors.Is(err, io.EOF) {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

func readValue(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return n, nil
		}
		if !strings.ContainsAny(string(t), ".eE") {
			return nil, fmt.Errorf("the integer %s does not fit 64 bits", t)
		}
		return t.Float64()
	case json.Delim:
		if t == '[' {
			l := &List{Items: []any{}}
			for d.More() {
				v, err := readValue(d)
				if err != nil {
					return nil, err
				}
				l.Items = append(l.Items, v)
			}
			_, err := d.Token()
			return l, err
		}
		m := NewDict()
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := readValue(d)
			if err != nil {
				return nil, err
			}
			m.Set(k, v)
		}
		_, err := d.Token()
		return m, err
	}
	return t, nil // nil, bool or string
}

// jsonStyle is how json.dumps writes.
type jsonStyle struct {
	ascii, sorted bool
	indent        string
	lines         bool   // an indent was given
	item, key     string // separators
}

// toJSON is the filter tojson(ensure_ascii=false, indent=none, separators=none, sort_keys=false) of transformers.
func toJSON(r *run, v any, a args) any {
	b := r.bind("tojson", a, []string{"ensure_ascii", "indent", "separators", "sort_keys"}, false, nil, nil, false)
	style := jsonStyle{ascii: truth(b[0]), sorted: truth(b[3]), item: ", ", key: ": "}
	switch indent := b[1].(type) {
	case nil:
	case string:
		style.indent, style.lines, style.item = indent, true, ","
	default:
		style.indent, style.lines, style.item = r.repeat(" ", r.integer("tojson: indent", indent)), true, ","
	}
	if b[2] != nil {
		s := r.items(b[2])
		if len(s) != 2 {
			r.fail("tojson: separators are two texts")
		}
		style.item, style.key = r.str("tojson: separators", s[0]), r.str("tojson: separators", s[1])
	}
	var out strings.Builder
	r.writeJSON(&out, v, style, 0)
	return r.sized(out.String())
}

func (r *run) writeJSON(b *strings.Builder, v any, style jsonStyle, depth int) {
	newline := func(depth int) {
		if style.lines {
			b.WriteString("\n" + r.repeat(style.indent, int64(depth)))
		}
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		switch {
		case math.IsNaN(v):
			b.WriteString("NaN")
		case math.IsInf(v, 0):
			b.WriteString(strings.Replace(floatText(v), "inf", "Infinity", 1))
		default:
			b.WriteString(floatText(v))
		}
	case string:
		writeJSONString(b, v, style.ascii)
	case *List:
		b.WriteByte('[')
		for i, item := range v.Items {
			if i > 0 {
				b.WriteString(style.item)
			}
			newline(depth + 1)
			r.writeJSON(b, item, style, depth+1)
		}
		if len(v.Items) > 0 {
			newline(depth)
		}
		b.WriteByte(']')
	case *Dict:
		order := make([]int, v.Len())
		for i := range order {
			order[i] = i
		}
		if style.sorted {
			sort.SliceStable(order, func(i, j int) bool {
				c, ok := compare(v.keys[order[i]], v.keys[order[j]])
				return ok && c < 0
			})
		}
		b.WriteByte('{')
		for n, i := range order {
			if n > 0 {
				b.WriteString(style.item)
			}
			newline(depth + 1)
			r.writeJSONKey(b, v.keys[i], style)
			b.WriteString(style.key)
			r.writeJSON(b, v.items[i], style, depth+1)
		}
		if v.Len() > 0 {
			newline(depth)
		}
		b.WriteByte('}')
	case undefined:
		r.fail("tojson: %s is undefined", v.name)
	default:
		r.fail("tojson: %s cannot be written as JSON", kind(v))
	}
}

func (r *run) writeJSONKey(b *strings.Builder, k any, style jsonStyle) {
	if s, ok := k.(string); ok {
		writeJSONString(b, s, style.ascii)
		return
	}
	b.WriteByte('"')
	r.writeJSON(b, k, style, 0)
	b.WriteByte('"')
}

func writeJSONString(b *strings.Builder, s string, ascii bool) {
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\f':
			b.WriteString(`\f`)
		case c == '\b':
			b.WriteString(`\b`)
		case c < ' ' || ascii && c > '~' && c < 0x10000:
			b.WriteString(`\u` + hex(c, 4))
		case ascii && c >= 0x10000:
			c -= 0x10000
			b.WriteString(`\u` + hex(0xD800+c>>10, 4) + `\u` + hex(0xDC00+c&0x3FF, 4))
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
}
