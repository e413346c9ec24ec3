package starlark

import (
	"slices"
	"strings"
)

// expressions says the expressions of a line that Starlark's grammar lacks: generators and sets as lists, chains of comparisons, powers, `is`, f-strings,
// strings that stand side by side.
func expressions(line []token) ([]token, error) {
	out := make([]token, 0, len(line))
	for _, t := range line {
		switch {
		case t.kind == group:
			inner, err := expressions(t.inner)
			if err != nil {
				return nil, err
			}
			t.inner = inner
			t = collected(t)
		case t.kind == text && strings.ContainsAny(t.text[:strings.IndexAny(t.text, `"'`)], "fF"):
			made, err := formatted(t)
			if err != nil {
				return nil, err
			}
			t = made
		case t.kind == text:
			t.text = strings.TrimLeft(t.text, "uU")
		}
		if n := len(out); t.kind == text && n > 0 && out[n-1].kind == text {
			out = append(out, token{kind: op, before: " ", text: "+"})
		}
		out = append(out, t)
	}
	return chained(powers(identities(out))), nil
}

// collected makes a list of a generator and of a set.
func collected(t token) token {
	switch generator := index(t.inner, word, "for") >= 0; {
	case t.text == "(" && generator:
		t.inner = []token{{kind: group, text: "[", inner: t.inner, end: "]"}}
	case t.text == "{" && len(t.inner) > 0 && index(t.inner, op, ":") < 0 && index(t.inner, op, "**") < 0:
		return token{kind: word, before: t.before, text: "set", inner: []token{bracket(token{kind: group, text: "[", inner: t.inner, end: "]"})}}
	}
	return t
}

// identities says `is` by equality where that is the same: beside None.
func identities(line []token) []token {
	var out []token
	for i := 0; i < len(line); i++ {
		t := line[i]
		if t.kind == word && t.text == "is" && i+1 < len(line) {
			equal := "=="
			if line[i+1].text == "not" {
				i++
				equal = "!="
			}
			if i+1 < len(line) && line[i+1].text == "None" {
				t = token{kind: op, before: t.before, text: equal}
			}
		}
		out = append(out, t)
	}
	return out
}

// powers makes a call of each a ** b, from the right.
func powers(line []token) []token {
	for i := len(line) - 1; i > 0; i-- {
		if line[i].kind != op || line[i].text != "**" || !ends(line[i-1]) {
			continue
		}
		left := i - 1
		for left > 0 && (line[left].kind == group && line[left].text != "{" && ends(line[left-1]) || left > 1 && line[left-1].text == ".") {
			if line[left-1].text == "." {
				left--
			}
			left--
		}
		right := i + 1
		for right < len(line) && (line[right].text == "-" || line[right].text == "+" || line[right].text == "~") {
			right++
		}
		right++
		for right < len(line) && (line[right].kind == group && line[right].text != "{" || line[right].text == "." || line[right-1].text == ".") {
			right++
		}
		if right > len(line) {
			return line
		}
		call := []token{{kind: word, before: line[left].before, text: own + "pow"},
			bracket(token{kind: group, text: "(", inner: slices.Clone(line[left:i]), end: ")"}, token{kind: op, text: ","}, slices.Clone(line[i+1:right]))}
		line = slices.Replace(slices.Clone(line), left, right, call...)
		i = left
	}
	return line
}

// ends reports whether a token can be the end of an operand.
func ends(t token) bool {
	switch t.kind {
	case number, text, group:
		return true
	case word:
		return !keywords[t.text]
	}
	return false
}

var keywords = func() map[string]bool {
	all := map[string]bool{}
	for _, k := range strings.Fields("and or not if elif else for in is lambda return while assert import from as pass break continue def raise") {
		all[k] = true
	}
	return all
}()

var comparisons = map[string]bool{"<": true, ">": true, "<=": true, ">=": true, "==": true, "!=": true}

// chained says a < b < c as (a < b and b < c).
func chained(line []token) []token {
	var out []token
	start := 0
	flush := func(end int) {
		out = append(out, chain(line[start:end])...)
		start = end
	}
	for i, t := range line {
		if t.kind == word && keywords[t.text] || t.kind == op && (t.text == "," || t.text == ":" || strings.HasSuffix(t.text, "=") && !comparisons[t.text]) {
			flush(i)
			out = append(out, t)
			start = i + 1
		}
	}
	flush(len(line))
	return out
}

func chain(part []token) []token {
	var at []int
	for i, t := range part {
		if t.kind == op && comparisons[t.text] {
			at = append(at, i)
		}
	}
	if len(at) < 2 {
		return part
	}
	at = append(at, len(part))
	var all []token
	from := 0
	for i := range at[:len(at)-1] {
		if i > 0 {
			all = append(all, token{kind: word, before: " ", text: "and"})
		}
		pair := slices.Clone(part[from:at[i+1]])
		pair[0].before = " " + pair[0].before
		all = append(all, pair...)
		from = at[i] + 1
	}
	whole := bracket(all)
	whole.before = " "
	return []token{whole}
}

// formatted says an f-string as a sum of texts.
func formatted(t token) (token, error) {
	n := quoted(t.text)
	quote := strings.TrimLeft(t.text[:n], "rRfFuU")
	raw := strings.TrimRight(strings.ToLower(t.text[:n-len(quote)]), "f")
	raw = strings.TrimLeft(raw, "f")
	body := t.text[n : len(t.text)-len(quote)]
	sum := []token{}
	add := func(x token) {
		if len(sum) > 0 {
			sum = append(sum, token{kind: op, text: "+"})
		}
		sum = append(sum, x)
	}
	literal := func(s string) { add(token{kind: text, text: raw + quote + s + quote}) }
	var plain strings.Builder
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case (c == '{' || c == '}') && i+1 < len(body) && body[i+1] == c:
			plain.WriteByte(c)
			i++
		case c == '{':
			literal(plain.String())
			plain.Reset()
			end := strings.IndexByte(body[i:], '}')
			if end < 0 {
				return t, refused("an f-string without its }")
			}
			inner, err := scan(body[i+1 : i+end])
			if err != nil {
				return t, err
			}
			inner = slices.DeleteFunc(inner, func(t token) bool { return t.kind == newline })
			if index(inner, op, ":") >= 0 || index(inner, op, "!") >= 0 || index(inner, op, "=") >= 0 || index(inner, group, "{") >= 0 || len(inner) == 0 {
				return t, refused("an f-string with a format")
			}
			if inner, err = expressions(inner); err != nil {
				return t, err
			}
			add(token{kind: word, text: own + "str", inner: []token{bracket(inner)}})
			i += end
		default:
			plain.WriteByte(c)
		}
	}
	literal(plain.String())
	sum[0].before = ""
	whole := bracket(sum)
	whole.before = t.before
	return whole, nil
}
