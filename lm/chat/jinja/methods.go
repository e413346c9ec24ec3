package jinja

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// method finds a method of a text, list or mapping. Those that would change it are refused, as in Jinja's sandbox.
func method(v any, name string) (function, bool) {
	var f func(r *run, a args) any
	switch v := v.(type) {
	case string:
		m, ok := stringMethods[name]
		if !ok {
			return function{}, false
		}
		f = func(r *run, a args) any { return m(r, v, a) }
	case *Dict:
		if f = dictMethod(v, name); f == nil {
			return function{}, false
		}
	case *List:
		switch name {
		case "index":
			f = func(r *run, a args) any {
				x := r.bind("index", a, []string{"item"})[0]
				for i, item := range v.Items {
					if equal(item, x) {
						return int64(i)
					}
				}
				r.fail("index: the item is not in the list")
				return nil
			}
		case "count":
			f = func(r *run, a args) any {
				x, n := r.bind("count", a, []string{"item"})[0], int64(0)
				for _, item := range v.Items {
					if equal(item, x) {
						n++
					}
				}
				return n
			}
		case "copy":
			f = func(*run, args) any { return &List{append([]any{}, v.Items...), v.tuple} }
		case "append", "extend", "insert", "pop", "remove", "reverse", "sort", "clear":
			f = func(r *run, _ args) any {
				r.fail("%s would change a list that the template was given; use + to make a new one", name)
				return nil
			}
		default:
			return function{}, false
		}
	default:
		return function{}, false
	}
	return function{name, f}, true
}

func dictMethod(d *Dict, name string) func(r *run, a args) any {
	switch name {
	case "items":
		return func(*run, args) any { return pairs(d) }
	case "keys":
		return func(*run, args) any { return &List{Items: d.keys} }
	case "values":
		return func(*run, args) any { return &List{Items: d.items} }
	case "get":
		return func(r *run, a args) any {
			b := r.bind("get", a, []string{"key", "default"}, nil)
			if v, ok := d.Get(b[0]); ok {
				return v
			}
			return b[1]
		}
	case "copy":
		return func(r *run, _ args) any { return r.newDict("copy", args{pos: []any{d}}) }
	}
	return nil
}

func pairs(d *Dict) *List {
	out := make([]any, d.Len())
	for i, k := range d.keys {
		out[i] = &List{[]any{k, d.items[i]}, true}
	}
	return &List{Items: out}
}

type stringMethod func(r *run, s string, a args) any

var stringMethods map[string]stringMethod

func init() {
	stringMethods = map[string]stringMethod{
		"upper":      plain(strings.ToUpper),
		"lower":      plain(strings.ToLower),
		"title":      plain(titled),
		"capitalize": plain(capitalized),
		"swapcase": plain(func(s string) string {
			return strings.Map(func(c rune) rune {
				if unicode.IsUpper(c) {
					return unicode.ToLower(c)
				}
				return unicode.ToUpper(c)
			}, s)
		}),
		"strip":  func(r *run, s string, a args) any { return r.strip(s, a, true, true) },
		"lstrip": func(r *run, s string, a args) any { return r.strip(s, a, true, false) },
		"rstrip": func(r *run, s string, a args) any { return r.strip(s, a, false, true) },
		"split":  func(r *run, s string, a args) any { return r.split(s, a, false) },
		"rsplit": func(r *run, s string, a args) any { return r.split(s, a, true) },
		"splitlines": func(r *run, s string, a args) any {
			r.bind("splitlines", a, nil)
			return stringList(lines(s))
		},
		"startswith":   affix(strings.HasPrefix),
		"endswith":     affix(strings.HasSuffix),
		"removeprefix": func(r *run, s string, a args) any { return strings.TrimPrefix(s, r.one("removeprefix", a)) },
		"removesuffix": func(r *run, s string, a args) any { return strings.TrimSuffix(s, r.one("removesuffix", a)) },
		"replace": func(r *run, s string, a args) any {
			b := r.bind("replace", a, []string{"old", "new", "count"}, int64(-1))
			return r.replace(s, r.str("replace", b[0]), r.str("replace", b[1]), r.integer("replace", b[2]))
		},
		"join": func(r *run, s string, a args) any {
			var parts []string
			for _, v := range r.items(r.bind("join", a, []string{"items"})[0]) {
				parts = append(parts, r.str("join", v))
			}
			return r.sized(strings.Join(parts, s))
		},
		"find":  func(r *run, s string, a args) any { return runeIndex(s, strings.Index(s, r.one("find", a))) },
		"rfind": func(r *run, s string, a args) any { return runeIndex(s, strings.LastIndex(s, r.one("rfind", a))) },
		"index": func(r *run, s string, a args) any {
			i := strings.Index(s, r.one("index", a))
			if i < 0 {
				r.fail("index: the text is not there")
			}
			return runeIndex(s, i)
		},
		"count":     func(r *run, s string, a args) any { return int64(strings.Count(s, r.one("count", a))) },
		"format":    func(r *run, s string, a args) any { return r.format(s, a) },
		"isdigit":   every(unicode.IsDigit),
		"isnumeric": every(unicode.IsNumber),
		"isalpha":   every(unicode.IsLetter),
		"isalnum":   every(func(c rune) bool { return unicode.IsLetter(c) || unicode.IsNumber(c) }),
		"isspace":   every(unicode.IsSpace),
		"isupper":   plainTest(func(s string) bool { return strings.ToUpper(s) == s && strings.ToLower(s) != s }),
		"islower":   plainTest(func(s string) bool { return strings.ToLower(s) == s && strings.ToUpper(s) != s }),
		"zfill": func(r *run, s string, a args) any {
			n := r.integer("zfill", r.bind("zfill", a, []string{"width"})[0])
			sign := ""
			if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
				sign, s = s[:1], s[1:]
			}
			return sign + r.repeat("0", n-int64(utf8.RuneCountInString(sign+s))) + s
		},
		"partition": func(r *run, s string, a args) any {
			before, after, found := strings.Cut(s, r.one("partition", a))
			if !found {
				return &List{[]any{s, "", ""}, true}
			}
			return &List{[]any{before, s[len(before) : len(s)-len(after)], after}, true}
		},
	}
}

func plain(f func(string) string) stringMethod {
	return func(r *run, s string, a args) any {
		r.bind("the method", a, nil)
		return f(s)
	}
}

func plainTest(f func(string) bool) stringMethod {
	return func(r *run, s string, a args) any {
		r.bind("the method", a, nil)
		return f(s)
	}
}

func every(is func(rune) bool) stringMethod {
	return plainTest(func(s string) bool {
		return s != "" && strings.IndexFunc(s, func(c rune) bool { return !is(c) }) < 0
	})
}

func (r *run) one(what string, a args) string {
	return r.str(what, r.bind(what, a, []string{"text"})[0])
}

// affix takes one text or a tuple of them.
func affix(has func(s, part string) bool) stringMethod {
	return func(r *run, s string, a args) any {
		v := r.bind("startswith or endswith", a, []string{"text"})[0]
		options := []any{v}
		if l, ok := v.(*List); ok && l.tuple {
			options = l.Items
		}
		for _, o := range options {
			if has(s, r.str("startswith or endswith", o)) {
				return true
			}
		}
		return false
	}
}

// titled begins each run of letters with a capital; the other letters are small.
func titled(s string) string {
	after := false
	return strings.Map(func(c rune) rune {
		defer func() { after = unicode.IsLetter(c) }()
		if after {
			return unicode.ToLower(c)
		}
		return unicode.ToTitle(c)
	}, s)
}

func capitalized(s string) string {
	c, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToTitle(c)) + strings.ToLower(s[n:])
}

func (r *run) strip(s string, a args, left, right bool) string {
	chars := r.bind("strip", a, []string{"chars"}, nil)[0]
	gone := unicode.IsSpace
	if chars != nil {
		set := r.str("strip", chars)
		gone = func(c rune) bool { return strings.ContainsRune(set, c) }
	}
	if left {
		s = strings.TrimLeftFunc(s, gone)
	}
	if right {
		s = strings.TrimRightFunc(s, gone)
	}
	return s
}

func stringList(parts []string) *List {
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return &List{Items: out}
}

// split is Python's split and, from the right, rsplit; without a separator at runs of white space.
func (r *run) split(s string, a args, right bool) any {
	b := r.bind("split", a, []string{"sep", "maxsplit"}, nil, int64(-1))
	most := int(r.integer("split", b[1]))
	if b[0] == nil {
		if most < 0 {
			return stringList(strings.Fields(s))
		}
		return stringList(fields(s, most, right))
	}
	sep := r.str("split", b[0])
	if sep == "" {
		r.fail("split: the separator is empty")
	}
	if !right || most < 0 {
		if most >= 0 {
			most++
		}
		return stringList(strings.SplitN(s, sep, most))
	}
	var out []string
	for ; most > 0; most-- {
		i := strings.LastIndex(s, sep)
		if i < 0 {
			break
		}
		out = append([]string{s[i+len(sep):]}, out...)
		s = s[:i]
	}
	return stringList(append([]string{s}, out...))
}

// fields splits at white space at most n times; what remains keeps its space within and, at the far end, outside.
func fields(s string, n int, right bool) []string {
	trim, find := func(s string) string { return strings.TrimLeftFunc(s, unicode.IsSpace) }, strings.IndexFunc
	if right {
		trim, find = func(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) }, strings.LastIndexFunc
	}
	var out []string
	for s = trim(s); s != ""; s = trim(s) {
		i := find(s, unicode.IsSpace)
		if i < 0 || n == 0 {
			out = append(out, s)
			break
		}
		n--
		if right {
			_, size := utf8.DecodeRuneInString(s[i:])
			out, s = append(out, s[i+size:]), s[:i]
		} else {
			out, s = append(out, s[:i]), s[i:]
		}
	}
	if right {
		slices.Reverse(out)
	}
	return out
}

func lines(s string) []string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

func (r *run) replace(s, old, new string, n int64) string {
	if grown := int64(strings.Count(s, old)) * int64(len(new)); grown > maxBytes {
		r.fail("a text is longer than %d bytes", maxBytes)
	}
	return strings.Replace(s, old, new, int(n))
}

// runeIndex is a byte offset in characters; -1 stays.
func runeIndex(s string, i int) int64 {
	if i < 0 {
		return -1
	}
	return int64(utf8.RuneCountInString(s[:i]))
}

// format is str.format with plain fields: {}, {0}, {name}.
func (r *run) format(s string, a args) string {
	var b strings.Builder
	next := int64(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c == '{' || c == '}') && i+1 < len(s) && s[i+1] == c {
			b.WriteByte(c)
			i++
			continue
		}
		if c != '{' {
			b.WriteByte(c)
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			r.fail("format: a field does not end")
		}
		name := s[i+1 : i+end]
		i += end
		var v any
		n, err := parseIndex(name)
		if name == "" {
			n, err = next, nil
			next++
		}
		if err == nil {
			if n >= int64(len(a.pos)) {
				r.fail("format: there is no argument %d", n)
			}
			v = a.pos[n]
		} else if named, ok := a.named[name]; ok {
			v = named
		} else {
			r.fail("format: the field {%s} is not supported or has no argument", name)
		}
		b.WriteString(text(v))
	}
	return b.String()
}
