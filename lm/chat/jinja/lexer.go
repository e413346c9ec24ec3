package jinja

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	textToken tokenKind = iota
	variableBegin
	variableEnd
	blockBegin
	blockEnd
	nameToken
	stringToken
	intToken
	floatToken
	opToken
	endToken
)

type token struct {
	kind tokenKind
	text string // of a string: its value
	line int
}

type lexer struct {
	src       string
	at        int
	line      int
	lineStart bool // what came before ended with a newline, or nothing did
	out       []token
}

var (
	rawBegin = regexp.MustCompile(`^\{%[-+]?\s*raw\s*(-%\}\s*|%\})`)
	rawEnd   = regexp.MustCompile(`\{%([-+]?)\s*endraw\s*(\+%\}|-%\}\s*|%\}\n?)`)
	number   = regexp.MustCompile(`^[0-9](_?[0-9])*(\.[0-9](_?[0-9])*)?([eE][-+]?[0-9](_?[0-9])*)?`)
)

// operators, the longer ones first.
var operators = []string{"//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", ",", "|", ";"}

// scan cuts a template into tokens. White space around tags goes as trim_blocks and lstrip_blocks say, and one
// newline at the end of the template is dropped.
func scan(src string) []token {
	l := &lexer{src: strings.TrimSuffix(src, "\n"), line: 1, lineStart: true}
	for l.at < len(l.src) {
		l.root()
	}
	l.emit(endToken, "")
	return l.out
}

func (l *lexer) emit(kind tokenKind, text string) { l.out = append(l.out, token{kind, text, l.line}) }

// skip moves on by n bytes and counts lines.
func (l *lexer) skip(n int) {
	s := l.src[l.at : l.at+n]
	l.line += strings.Count(s, "\n")
	l.at += n
	l.lineStart = strings.HasSuffix(s, "\n")
}

func (l *lexer) rest() string { return l.src[l.at:] }

// root takes text up to the next tag, and the tag.
func (l *lexer) root() {
	rest := l.rest()
	begin := -1
	for i := 0; i+1 < len(rest); i++ {
		if rest[i] == '{' && (rest[i+1] == '{' || rest[i+1] == '%' || rest[i+1] == '#') {
			begin = i
			break
		}
	}
	if begin < 0 {
		l.emit(textToken, rest)
		l.skip(len(rest))
		return
	}
	tag := rest[begin : begin+2]
	sign := byte(0)
	if begin+2 < len(rest) && (rest[begin+2] == '-' || rest[begin+2] == '+') {
		sign = rest[begin+2]
	}
	l.text(rest[:begin], tag, sign)
	l.skip(begin)
	if m := rawBegin.FindString(l.rest()); m != "" {
		l.raw(m)
		return
	}
	skip := 2
	if sign != 0 {
		skip = 3
	}
	switch tag {
	case "{#":
		l.comment()
	case "{{":
		l.emit(variableBegin, "")
		l.skip(skip)
		l.expression(variableEnd, "}}")
	case "{%":
		l.emit(blockBegin, "")
		l.skip(skip)
		l.expression(blockEnd, "%}")
	}
}

// text emits the text before a tag, less the white space that the tag takes.
func (l *lexer) text(s, tag string, sign byte) {
	if sign == '-' {
		s = strings.TrimRightFunc(s, unicode.IsSpace)
	} else if sign != '+' && tag != "{{" {
		start := strings.LastIndexByte(s, '\n') + 1
		if (start > 0 || l.lineStart) && strings.TrimSpace(s[start:]) == "" {
			s = s[:start]
		}
	}
	if s != "" {
		l.emit(textToken, s)
	}
}

func (l *lexer) raw(begin string) {
	l.skip(len(begin))
	m := rawEnd.FindStringSubmatchIndex(l.rest())
	if m == nil {
		fail(l.line, "{%% raw %%} has no {%% endraw %%}")
	}
	sign := byte(0)
	if m[2] < m[3] {
		sign = l.rest()[m[2]]
	}
	l.text(l.rest()[:m[0]], "{%", sign)
	l.skip(m[1])
}

func (l *lexer) comment() {
	end := strings.Index(l.rest()[2:], "#}")
	if end < 0 {
		fail(l.line, "a comment does not end")
	}
	minus := end > 0 && l.rest()[2+end-1] == '-'
	plus := end > 0 && l.rest()[2+end-1] == '+'
	l.skip(2 + end + 2)
	l.afterTag(minus, plus)
}

// afterTag drops what a block or comment takes behind it: white space for "-", else one newline.
func (l *lexer) afterTag(minus, plus bool) {
	rest := l.rest()
	if minus {
		l.skip(len(rest) - len(strings.TrimLeftFunc(rest, unicode.IsSpace)))
	} else if !plus && strings.HasPrefix(rest, "\n") {
		l.skip(1)
	}
}

// expression takes the tokens of a tag up to its end, which does not count within brackets.
func (l *lexer) expression(kind tokenKind, end string) {
	var open []byte
	start := l.line
	for {
		rest := l.rest()
		trimmed := strings.TrimLeftFunc(rest, unicode.IsSpace)
		l.skip(len(rest) - len(trimmed))
		rest = trimmed
		if rest == "" {
			fail(start, "a tag does not end with %s", end)
		}
		if len(open) == 0 {
			sign := strings.HasPrefix(rest[1:], end) && (rest[0] == '-' || rest[0] == '+' && kind == blockEnd)
			if sign || strings.HasPrefix(rest, end) {
				l.emit(kind, "")
				minus, plus := sign && rest[0] == '-', sign && rest[0] == '+'
				l.skip(len(end))
				if sign {
					l.skip(1)
				}
				if kind == blockEnd || minus {
					l.afterTag(minus, plus)
				}
				return
			}
		}
		c := rest[0]
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case c == '\'' || c == '"':
			l.str(c)
		case c >= '0' && c <= '9':
			m := number.FindString(rest)
			kind := intToken
			if strings.ContainsAny(m, ".eE") {
				kind = floatToken
			}
			l.emit(kind, strings.ReplaceAll(m, "_", ""))
			l.skip(len(m))
		case r == '_' || unicode.IsLetter(r):
			for size < len(rest) {
				r, n := utf8.DecodeRuneInString(rest[size:])
				if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
					break
				}
				size += n
			}
			l.emit(nameToken, rest[:size])
			l.skip(size)
		default:
			open = l.operator(rest, open)
		}
	}
}

func (l *lexer) operator(rest string, open []byte) []byte {
	for _, op := range operators {
		if !strings.HasPrefix(rest, op) {
			continue
		}
		switch op {
		case "(", "[", "{":
			open = append(open, map[string]byte{"(": ')', "[": ']', "{": '}'}[op])
		case ")", "]", "}":
			if len(open) == 0 || open[len(open)-1] != op[0] {
				fail(l.line, "unexpected %q", op)
			}
			open = open[:len(open)-1]
		}
		l.emit(opToken, op)
		l.skip(len(op))
		return open
	}
	r, _ := utf8.DecodeRuneInString(rest)
	fail(l.line, "unexpected character %q", r)
	return nil
}

// str takes a string literal with Python's escapes.
func (l *lexer) str(quote byte) {
	rest := l.rest()
	var b strings.Builder
	for i := 1; i < len(rest); {
		switch c := rest[i]; {
		case c == quote:
			l.emit(stringToken, b.String())
			l.skip(i + 1)
			return
		case c == '\\' && i+1 < len(rest):
			n, text := unescape(rest[i:])
			if n == 0 {
				fail(l.line, "bad escape in a string: %.6q", rest[i:])
			}
			b.WriteString(text)
			i += n
		default:
			b.WriteByte(c)
			i++
		}
	}
	fail(l.line, "a string does not end")
}

var simpleEscapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '\\': "\\", '\'': "'", '"': "\"", 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v", '\n': "", '0': "\x00"}

// unescape reads the escape at the start of s: its length (0: broken) and what it stands for.
func unescape(s string) (int, string) {
	if text, ok := simpleEscapes[s[1]]; ok {
		return 2, text
	}
	digits, ok := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	if !ok {
		return 2, s[:2] // Python leaves an unknown escape as it is
	}
	var r rune
	for i := 2; i < 2+digits; i++ {
		if i >= len(s) || !strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
			return 0, ""
		}
		d := rune(s[i])
		switch {
		case d <= '9':
			d -= '0'
		case d >= 'a':
			d -= 'a' - 10
		default:
			d -= 'A' - 10
		}
		r = r<<4 | d
	}
	return 2 + digits, string(r)
}
