package starlark

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The names of this package's own functions in a translated program begin with this; no answer may use such a name.
const own = "py__"

// refused names what of Python cannot be said in Starlark.
type refused string

func (r refused) Error() string { return string(r) }

// translation is a program in Starlark, line for line the one in Python.
type translation struct {
	source  string
	asserts []string // the conditions of its assertions, by their number
}

// translate says a program in Starlark: no annotations, no imports of what is there anyway, assertions as calls, and the expressions that only Python
// has by others. The lines keep their numbers.
func translate(python string) (*translation, error) {
	tokens, err := scan(python)
	if err != nil {
		return nil, err
	}
	t := &translation{}
	var out []token
	for len(tokens) > 0 {
		n := slices.IndexFunc(tokens, func(t token) bool { return t.kind == newline || t.kind == op && t.text == ";" })
		if n < 0 {
			n = len(tokens)
		}
		line, err := t.statement(tokens[:n])
		if err != nil {
			return nil, err
		}
		out = append(out, line...)
		end := min(n+1, len(tokens))
		out = append(out, tokens[n:end]...)
		tokens = tokens[end:]
	}
	t.source = source(out)
	return t, nil
}

// absent are statements and expressions that have no counterpart.
var absent = map[string]string{"class": "classes", "try": "exceptions", "except": "exceptions", "finally": "exceptions", "with": "with", "yield": "generators", "global": "global",
	"nonlocal": "nonlocal", "async": "async", "await": "await", "del": "del", "exec": "exec", "eval": "eval", "input": "input", "open": "open"}

func (t *translation) statement(line []token) ([]token, error) {
	if len(line) == 0 {
		return line, nil
	}
	if err := plain(line); err != nil {
		return nil, err
	}
	before := line[0].before
	switch line[0].text {
	case "import", "from":
		made, err := imported(line)
		if err != nil {
			return nil, err
		}
		return []token{{kind: word, before: before, text: made}}, nil
	case "assert":
		condition := line[1:]
		if i := index(condition, op, ","); i >= 0 {
			condition = condition[:i]
		}
		t.asserts = append(t.asserts, strings.Join(strings.Fields(source(condition)), " "))
		condition, err := expressions(condition)
		if err != nil {
			return nil, err
		}
		return []token{{kind: word, before: before, text: own + "assert"}, bracket(condition, token{kind: op, text: ","}, token{kind: number, text: strconv.Itoa(len(t.asserts) - 1)})}, nil
	case "raise":
		return []token{{kind: word, before: before, text: own + "raise"}, bracket([]token{{kind: text, text: strconv.Quote(source(line[1:min(2, len(line))]))}})}, nil
	case "def":
		line = unannotated(line)
	default:
		if len(line) > 2 && line[0].kind == word && line[1].text == ":" && !slices.Contains([]string{"else", "lambda"}, line[0].text) {
			if i := index(line, op, "="); i >= 0 { // x: int = 1
				line = append(line[:1:1], line[i:]...)
			} else if index(line[2:], op, ":") < 0 {
				return []token{{kind: word, before: before, text: "pass"}}, nil
			}
		}
	}
	return expressions(line)
}

// plain refuses what has no counterpart, and text that is counted in bytes in Starlark and in characters in Python.
func plain(line []token) error {
	for i, t := range line {
		switch {
		case t.kind == word && strings.HasPrefix(t.text, own):
			return refused("the name " + t.text)
		case t.kind == word && absent[t.text] != "" && (i == 0 || line[i-1].text != "."):
			return refused(absent[t.text])
		case t.kind == op && (t.text == ":=" || t.text == "@" || t.text == "..." || t.text == "**="):
			return refused("the operator " + t.text)
		case t.kind == text && strings.ContainsFunc(t.text, func(r rune) bool { return r > 127 }):
			return refused("text outside ASCII")
		case t.kind == text && (strings.Contains(t.text, `\x`) || strings.Contains(t.text, `\u`) || strings.Contains(t.text, `\N`)):
			return refused("text with escapes of code points")
		case t.kind == text && strings.ContainsAny(t.text[:strings.IndexAny(t.text, `"'`)], "bB"):
			return refused("bytes")
		case t.kind == group:
			if err := plain(t.inner); err != nil {
				return err
			}
		}
	}
	return nil
}

// imported says an import of a module that is there, and nothing for one that only annotations need.
func imported(line []token) (string, error) {
	module := ""
	if len(line) > 1 {
		module = line[1].text
	}
	switch {
	case module == "typing" || module == "__future__":
		return "pass", nil
	case module != "math" || len(line) > 2 && line[0].text == "import" && line[2].text != "as":
		return "", refused("import " + strings.TrimSpace(source(line[1:])))
	case line[0].text == "import" && len(line) == 2:
		return "pass", nil
	case line[0].text == "import" && len(line) == 4:
		return line[3].text + " = math", nil
	}
	names := line[3:]
	if len(names) == 1 && names[0].kind == group {
		names = names[0].inner
	}
	var made []string
	for _, n := range split(names, ",") {
		switch {
		case len(n) == 1 && n[0].kind == word:
			made = append(made, n[0].text+" = math."+n[0].text)
		case len(n) == 3 && n[1].text == "as":
			made = append(made, n[2].text+" = math."+n[0].text)
		default:
			return "", refused("from math import " + source(names))
		}
	}
	return strings.Join(made, "; "), nil
}

// unannotated takes the types out of a function's head.
func unannotated(line []token) []token {
	line = slices.Clone(line)
	if i := index(line, op, "->"); i >= 0 {
		colon := index(line[i:], op, ":")
		if colon > 0 {
			line = slices.Delete(line, i, i+colon)
		}
	}
	i := slices.IndexFunc(line, func(t token) bool { return t.kind == group && t.text == "(" })
	if i < 0 {
		return line
	}
	var params []token
	for n, p := range split(line[i].inner, ",") {
		if n > 0 {
			params = append(params, token{kind: op, text: ","})
		}
		if colon := index(p, op, ":"); colon >= 0 {
			value := index(p, op, "=")
			if value < 0 {
				value = len(p)
			}
			p = append(p[:colon:colon], p[value:]...)
		}
		params = append(params, p...)
	}
	line[i].inner = params
	return line
}

func index(tokens []token, k kind, text string) int {
	return slices.IndexFunc(tokens, func(t token) bool { return t.kind == k && t.text == text })
}

// split cuts at an operator. After a last one there is nothing.
func split(tokens []token, at string) [][]token {
	var parts [][]token
	for len(tokens) > 0 {
		n := index(tokens, op, at)
		if n < 0 {
			return append(parts, tokens)
		}
		parts = append(parts, tokens[:n])
		tokens = tokens[n+1:]
	}
	return parts
}

func bracket(parts ...any) token {
	t := token{kind: group, text: "(", end: ")"}
	for _, p := range parts {
		switch p := p.(type) {
		case token:
			t.inner = append(t.inner, p)
		case []token:
			t.inner = append(t.inner, p...)
		default:
			panic(fmt.Sprintf("a token, not %T", p))
		}
	}
	return t
}
