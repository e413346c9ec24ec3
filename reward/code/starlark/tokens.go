package starlark

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

type kind int

const (
	word    kind = iota // a name or keyword
	number              //
	text                // a string, with its prefix and quotes
	op                  // an operator or delimiter
	newline             // the end of a logical line
	group               // brackets and what is in them
)

// token is a token of Python with the blanks and comments before it, so that all of them together are the source again. A group's text is
// its opening bracket.
type token struct {
	kind   kind
	before string
	text   string
	inner  []token // of a group
	end    string  // of a group: its closing bracket, with the blanks before it
}

var operators = []string{"**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "<=", ">=", "==", "!=", "->", ":=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@="}

type scanner struct {
	src string
	pos int
}

// scan splits a source into the tokens of its logical lines, brackets matched.
func scan(src string) ([]token, error) {
	s := &scanner{src: strings.ReplaceAll(src, "\r\n", "\n")}
	if !strings.HasSuffix(s.src, "\n") {
		s.src += "\n"
	}
	all, err := s.tokens("", 0)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", 1+strings.Count(s.src[:s.pos], "\n"), err)
	}
	return all, nil
}

// words are the names and keywords in a source.
func words(src string) (map[string]bool, error) {
	tokens, err := scan(src)
	if err != nil {
		return nil, fmt.Errorf("tests: %w", err)
	}
	all := map[string]bool{}
	var collect func([]token)
	collect = func(tokens []token) {
		for _, t := range tokens {
			if t.kind == word {
				all[t.text] = true
			}
			collect(t.inner)
		}
	}
	collect(tokens)
	return all, nil
}

const maxDepth = 200

// tokens reads up to a closing bracket, or to the end of the source.
func (s *scanner) tokens(closing string, depth int) ([]token, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("brackets are nested more than %d deep", maxDepth)
	}
	var all []token
	for {
		before := s.blanks(closing != "")
		if s.pos == len(s.src) {
			if closing != "" {
				return nil, fmt.Errorf("%q is missing", closing)
			}
			if before != "" {
				all = append(all, token{kind: newline, before: before})
			}
			return all, nil
		}
		t := token{before: before}
		rest := s.src[s.pos:]
		switch c := rest[0]; {
		case c == '\n':
			t.kind, t.text = newline, "\n"
		case strings.IndexByte("([{", c) >= 0:
			t.kind, t.text = group, rest[:1]
			s.pos++
			pair := map[byte]string{'(': ")", '[': "]", '{': "}"}[c]
			inner, err := s.tokens(pair, depth+1)
			if err != nil {
				return nil, err
			}
			t.inner, t.end = inner[:len(inner)-1], inner[len(inner)-1].before+pair
			all = append(all, t)
			continue
		case strings.IndexByte(")]}", c) >= 0:
			if rest[:1] != closing {
				return nil, fmt.Errorf("%q opens nowhere", rest[:1])
			}
			s.pos++
			return append(all, token{before: before}), nil
		case quoted(rest) > 0:
			n := quoted(rest)
			end, err := closeOf(rest, n)
			if err != nil {
				return nil, err
			}
			t.kind, t.text = text, rest[:end]
		case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
			t.kind, t.text = number, rest[:span(rest, func(i int, r rune) bool {
				return isWord(r) || r == '.' || (r == '+' || r == '-') && i > 0 && (rest[i-1] == 'e' || rest[i-1] == 'E') && !strings.HasPrefix(strings.ToLower(rest), "0x")
			})]
		case isWord(first(rest)):
			t.kind, t.text = word, rest[:span(rest, func(_ int, r rune) bool { return isWord(r) })]
		default:
			t.kind, t.text = op, rest[:utf8.RuneLen(first(rest))]
			for _, o := range operators {
				if strings.HasPrefix(rest, o) {
					t.text = o
					break
				}
			}
		}
		s.pos += len(t.text)
		all = append(all, t)
	}
}

// blanks takes spaces, comments, joined lines and, within brackets, ends of lines.
func (s *scanner) blanks(bracketed bool) string {
	start := s.pos
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == ' ' || c == '\t' || c == '\f' || c == '\n' && bracketed:
			s.pos++
		case c == '#':
			s.pos += strings.IndexByte(s.src[s.pos:], '\n')
		case strings.HasPrefix(s.src[s.pos:], "\\\n"):
			s.pos += 2
		default:
			return s.src[start:s.pos]
		}
	}
	return s.src[start:s.pos]
}

// quoted is the length of a string's prefix and opening quotes, 0 if no string begins here.
func quoted(s string) int {
	p := 0
	for p < len(s) && p < 2 && strings.IndexByte("rRbBuUfF", s[p]) >= 0 {
		p++
	}
	switch {
	case strings.HasPrefix(s[p:], `"""`) || strings.HasPrefix(s[p:], "'''"):
		return p + 3
	case strings.HasPrefix(s[p:], `"`) || strings.HasPrefix(s[p:], "'"):
		return p + 1
	}
	return 0
}

// closeOf is where the string ends whose prefix and quotes are the first n bytes.
func closeOf(s string, n int) (int, error) {
	quote := strings.TrimLeft(s[:n], "rRbBuUfF")
	for i := n; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], quote):
			return i + len(quote), nil
		case s[i] == '\n' && len(quote) == 1:
			return 0, fmt.Errorf("a string does not end")
		}
	}
	return 0, fmt.Errorf("a string does not end")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWord(r rune) bool {
	return r == '_' || r >= utf8.RuneSelf || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

func first(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func span(s string, in func(int, rune) bool) int {
	for i, r := range s {
		if !in(i, r) {
			return i
		}
	}
	return len(s)
}

// source writes tokens as text.
func source(tokens []token) string {
	var b strings.Builder
	write(&b, tokens)
	return b.String()
}

func write(b *strings.Builder, tokens []token) {
	for _, t := range tokens {
		b.WriteString(t.before)
		b.WriteString(t.text)
		write(b, t.inner)
		b.WriteString(t.end)
	}
}
