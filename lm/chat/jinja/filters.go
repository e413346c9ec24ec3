package jinja

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type filterFunc func(r *run, v any, a args) any

var filters map[string]filterFunc

func init() {
	filters = map[string]filterFunc{
		"tojson":     toJSON,
		"string":     func(r *run, v any, a args) any { r.bind("string", a, nil); return text(v) },
		"safe":       func(r *run, v any, a args) any { r.bind("safe", a, nil); return text(v) },
		"list":       func(r *run, v any, a args) any { r.bind("list", a, nil); return &List{Items: slices.Clone(r.items(v))} },
		"trim":       func(r *run, v any, a args) any { return r.strip(text(v), a, true, true) },
		"upper":      textFilter(strings.ToUpper),
		"lower":      textFilter(strings.ToLower),
		"title":      textFilter(titleWords),
		"capitalize": textFilter(capitalized),
		"escape":     textFilter(escapeHTML),
		"e":          textFilter(escapeHTML),
		"length":     length,
		"count":      length,
		"default":    defaulted,
		"d":          defaulted,
		"join":       join,
		"first":      func(r *run, v any, a args) any { r.bind("first", a, nil); return at(r.items(v), 0) },
		"last":       func(r *run, v any, a args) any { r.bind("last", a, nil); return at(r.items(v), -1) },
		"items": func(r *run, v any, a args) any {
			r.bind("items", a, nil)
			switch v := v.(type) {
			case undefined:
				return &List{}
			case *Dict:
				return pairs(v)
			}
			r.fail("items: %s is not a mapping", kind(v))
			return nil
		},
		"dictsort": dictsort,
		"reverse": func(r *run, v any, a args) any {
			r.bind("reverse", a, nil)
			items := slices.Clone(r.items(v))
			slices.Reverse(items)
			if _, ok := v.(string); !ok {
				return &List{Items: items}
			}
			var b strings.Builder
			for _, c := range items {
				b.WriteString(c.(string))
			}
			return b.String()
		},
		"replace": func(r *run, v any, a args) any {
			b := r.bind("replace", a, []string{"old", "new", "count"}, nil)
			n := int64(-1)
			if b[2] != nil {
				n = r.integer("replace", b[2])
			}
			return r.replace(text(v), text(b[0]), text(b[1]), n)
		},
		"indent": indent,
		"int":    toInt,
		"float": func(r *run, v any, a args) any {
			b := r.bind("float", a, []string{"default"}, 0.0)
			if s, ok := v.(string); ok {
				if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
					return f
				}
			} else if _, f, _, ok := numberOf(v); ok {
				return f
			}
			return b[0]
		},
		"abs": func(r *run, v any, a args) any {
			r.bind("abs", a, nil)
			i, f, isInt, ok := numberOf(v)
			switch {
			case !ok:
				r.fail("abs: %s is not a number", kind(v))
			case isInt:
				return max(i, -i)
			}
			return math.Abs(f)
		},
		"round":      round,
		"map":        mapped,
		"select":     func(r *run, v any, a args) any { return r.selected("select", v, a, false, true) },
		"reject":     func(r *run, v any, a args) any { return r.selected("reject", v, a, false, false) },
		"selectattr": func(r *run, v any, a args) any { return r.selected("selectattr", v, a, true, true) },
		"rejectattr": func(r *run, v any, a args) any { return r.selected("rejectattr", v, a, true, false) },
		"sort":       sorted,
		"unique":     unique,
		"min":        func(r *run, v any, a args) any { return r.extreme("min", v, a, -1) },
		"max":        func(r *run, v any, a args) any { return r.extreme("max", v, a, 1) },
		"sum": func(r *run, v any, a args) any {
			b := r.bind("sum", a, []string{"attribute", "start"}, nil, int64(0))
			total := b[1]
			for _, item := range r.items(v) {
				total = r.arithmetic("+", total, r.path(item, b[0]))
			}
			return total
		},
		"attr": func(r *run, v any, a args) any {
			name := r.str("attr", r.bind("attr", a, []string{"name"})[0])
			if _, ok := v.(*Dict); ok { // in Jinja attributes alone, and keys are none
				return undefined{name}
			}
			return r.attr(v, name)
		},
		"format": func(r *run, v any, a args) any { return r.printf(text(v), &List{a.pos, true}) },
		"wordcount": func(r *run, v any, a args) any {
			r.bind("wordcount", a, nil)
			return int64(len(strings.FieldsFunc(text(v), func(c rune) bool { return c != '_' && !unicode.IsLetter(c) && !unicode.IsNumber(c) })))
		},
		"truncate": truncate,
	}
}

func textFilter(f func(string) string) filterFunc {
	return func(r *run, v any, a args) any {
		r.bind("the filter", a, nil)
		return f(text(v))
	}
}

// titleWords begins each word with a capital; words end at spaces, hyphens and opening brackets.
func titleWords(s string) string {
	start := true
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || strings.ContainsRune("-({[<", c) {
			start = true
			return c
		}
		if start {
			start = false
			return unicode.ToUpper(c)
		}
		return unicode.ToLower(c)
	}, s)
}

func escapeHTML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&#39;", `"`, "&#34;").Replace(s)
}

func length(r *run, v any, a args) any {
	r.bind("length", a, nil)
	switch v := v.(type) {
	case string:
		return int64(utf8.RuneCountInString(v))
	case *List, *Dict, undefined:
		return int64(len(r.items(v)))
	}
	r.fail("length: %s has none", kind(v))
	return nil
}

func defaulted(r *run, v any, a args) any {
	b := r.bind("default", a, []string{"default_value", "boolean"}, "", false)
	if _, missing := v.(undefined); missing || truth(b[1]) && !truth(v) {
		return b[0]
	}
	return v
}

func join(r *run, v any, a args) any {
	b := r.bind("join", a, []string{"d", "attribute"}, "", nil)
	var parts []string
	for _, item := range r.items(v) {
		parts = append(parts, text(r.path(item, b[1])))
	}
	return r.sized(strings.Join(parts, text(b[0])))
}

func indent(r *run, v any, a args) any {
	b := r.bind("indent", a, []string{"width", "first", "blank"}, int64(4), false, false)
	by, ok := b[0].(string)
	if !ok {
		by = r.repeat(" ", r.integer("indent", b[0]))
	}
	parts := lines(text(v) + "\n")
	for i, line := range parts {
		if i > 0 && (line != "" || truth(b[2])) || i == 0 && truth(b[1]) {
			parts[i] = by + line
		}
	}
	return r.sized(strings.Join(parts, "\n"))
}

func toInt(r *run, v any, a args) any {
	b := r.bind("int", a, []string{"default", "base"}, int64(0), int64(10))
	if s, ok := v.(string); ok {
		s = strings.TrimSpace(s)
		if n, err := strconv.ParseInt(s, int(r.integer("int", b[1])), 64); err == nil {
			return n
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) < 1<<62 {
			return int64(f)
		}
		return b[0]
	}
	if n, f, isInt, ok := numberOf(v); ok && isInt {
		return n
	} else if ok && math.Abs(f) < 1<<62 {
		return int64(f)
	}
	return b[0]
}

func round(r *run, v any, a args) any {
	b := r.bind("round", a, []string{"precision", "method"}, int64(0), "common")
	_, f, _, ok := numberOf(v)
	if !ok {
		r.fail("round: %s is not a number", kind(v))
	}
	scale := math.Pow(10, float64(r.integer("round", b[0])))
	switch b[1] {
	case "common":
		return math.RoundToEven(f*scale) / scale
	case "ceil":
		return math.Ceil(f*scale) / scale
	case "floor":
		return math.Floor(f*scale) / scale
	}
	r.fail("round: the method is common, ceil or floor")
	return nil
}

func truncate(r *run, v any, a args) any {
	b := r.bind("truncate", a, []string{"length", "killwords", "end", "leeway"}, int64(255), false, "...", int64(5))
	s, end := []rune(text(v)), text(b[2])
	most := int(r.integer("truncate", b[0]))
	room := most - utf8.RuneCountInString(end)
	if room < 0 {
		r.fail("truncate: the length is shorter than %q", end)
	}
	if len(s) <= most+int(r.integer("truncate", b[3])) {
		return string(s)
	}
	cut := string(s[:room])
	if i := strings.LastIndexByte(cut, ' '); i >= 0 && !truth(b[1]) {
		cut = cut[:i]
	}
	return cut + end
}
