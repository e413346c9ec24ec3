package mathanswer

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tEnd     tokenKind = iota
	tNum               // num, decimals, text as written
	tLetter            // text: a name of one letter, or a command that is a name
	tConst             // text
	tFunc              // text: a known function
	tOpaque            // text: a function or a big operator without a value
	tOp                // text: an operator, a relation, a bracket, a comma
	tText              // text: words
	tBegin             // text: the environment
	tClose             // \end of an environment
	tCommand           // text: frac, binom and others with arguments
	tDecor             // text: a decoration of the argument that follows
)

type token struct {
	kind     tokenKind
	text     string
	num      *big.Rat
	decimals int
	space    bool // blank before it
	latex    bool // written as a command
}

// reading is one of the ways in which commas within digits can be meant.
type reading uint8

const (
	thousands reading = iota // 1,234 is a number
	separate                 // 1,234 are two
)

var (
	groupedComma = regexp.MustCompile(`^\d{1,3}(?:,\d{3})+`)
	groupedTeX   = regexp.MustCompile(`^\d{1,3}(?:(?:\{,\}|,\\! ?|\\,|\\!|\\ |\\;|\\:|~| )\d{3})+`)
	exponentMark = regexp.MustCompile(`^[eE](?:-?\d{1,9}|\+\d{2,9})`)
	repeating    = regexp.MustCompile(`^(?:\\overline|\\bar|\\dot)\s?(?:\{(\d{1,40})\}|(\d))`)
	groupMarks   = strings.NewReplacer("{,}", "", `,\! `, "", `,\!`, "", `\,`, "", `\!`, "", `\ `, "", `\;`, "", `\:`, "", "~", "", " ", "", ",", "")
)

// lexer turns an answer into tokens.
type lexer struct {
	s     string
	i     int
	read  reading
	out   []token
	work  *work
	space bool
	depth int
}

// lex gives the tokens of an answer in one reading.
func lex(s string, read reading, w *work) ([]token, error) {
	l := &lexer{read: read, work: w}
	if err := l.run(s); err != nil {
		return nil, err
	}
	l.out = append(l.out, token{kind: tEnd})
	return l.out, nil
}

// run lexes a text, in place of what follows where it is the argument of a font.
func (l *lexer) run(s string) error {
	if l.depth++; l.depth > maxDepth {
		return errDeep
	}
	before, at := l.s, l.i
	l.s, l.i = s, 0
	for l.i < len(l.s) {
		if err := l.work.spend(1); err != nil {
			return err
		}
		if len(l.out) > maxTokens {
			return errLong
		}
		if err := l.next(); err != nil {
			return err
		}
	}
	l.s, l.i = before, at
	l.depth--
	return nil
}

func (l *lexer) emit(t token) {
	t.space, l.space = l.space, false
	l.out = append(l.out, t)
}

func (l *lexer) op(s string) { l.emit(token{kind: tOp, text: s}) }

func (l *lexer) next() error {
	c := l.s[l.i]
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v' || c == '~' || c == '$' || c == '"' || c == '`':
		l.space = true
		l.i++
		return nil
	case isDigit(c) || c == '.' && l.i+1 < len(l.s) && isDigit(l.s[l.i+1]):
		return l.number()
	case isLetter(c):
		return l.letters()
	case c == '\\':
		return l.command()
	}
	for _, two := range [...]string{"<=", ">=", "!=", "**", "==", "=>", "+-"} {
		if strings.HasPrefix(l.s[l.i:], two) {
			l.i += 2
			switch two {
			case "**":
				two = "^"
			case "==":
				two = "="
			case "+-":
				if l.i < len(l.s) && l.s[l.i] == ' ' { // "a +- b"; "3+-2" is a sum
					two = "±"
				} else {
					l.op("+")
					two = "-"
				}
			}
			l.op(two)
			return nil
		}
	}
	l.i++
	switch c {
	case '+', '-', '*', '/', '^', '_', '=', '<', '>', '(', ')', '[', ']', '{', '}', '|', '!', ',', ':', '\'', '&', '%':
		l.op(string(c))
	case ';':
		l.op(",")
	case '.', '?':
		// a full stop, or the dots after a number
	default:
		r, n := utf8.DecodeRuneInString(l.s[l.i-1:])
		l.i += n - 1
		if r == utf8.RuneError || r < ' ' {
			return fmt.Errorf("has the character %q", r)
		}
		l.emit(token{kind: tText, text: string(r)})
	}
	return nil
}

// number reads digits with their separators, decimals, a repeating part and an exponent.
func (l *lexer) number() error {
	rest := l.s[l.i:]
	whole := rest[:digits(rest)]
	rest = rest[:min(len(rest), 256)] // groups of a longer number are not looked for
	if m := groupedTeX.FindString(rest); m != "" && !digitAt(rest, len(m)) && !(strings.Contains(m, " ") && len(m) < len(rest) && strings.ContainsAny(rest[len(m):len(m)+1], "/^")) {
		whole = m
	} else if m := groupedComma.FindString(rest); m != "" && !digitAt(rest, len(m)) && l.read == thousands {
		whole = m
	}
	l.i += len(whole)
	plain := groupMarks.Replace(whole)
	decimals := -1
	var period string
	if l.i+1 < len(l.s) && l.s[l.i] == '.' && (isDigit(l.s[l.i+1]) || repeating.MatchString(l.s[l.i+1:min(len(l.s), l.i+64)])) {
		fraction := l.s[l.i+1:]
		fraction = fraction[:digits(fraction)]
		l.i += 1 + len(fraction)
		if m := repeating.FindStringSubmatch(l.s[l.i:min(len(l.s), l.i+64)]); m != nil {
			period = m[1] + m[2]
			l.i += len(m[0])
		}
		plain, decimals = plain+"."+fraction, len(fraction)
	}
	if len(plain) > maxDigits {
		return errSize
	}
	if plain == "" || plain[0] == '.' {
		plain = "0" + plain
	}
	written := plain
	if m := exponentMark.FindString(l.s[l.i:min(len(l.s), l.i+16)]); m != "" && period == "" && (l.i+len(m) == len(l.s) || !isDigit(l.s[l.i+len(m)]) && !isLetter(l.s[l.i+len(m)])) {
		var e int
		if _, err := fmt.Sscanf(m[1:], "%d", &e); err != nil || e > maxDecimal || e < -maxDecimal {
			return errSize
		}
		plain += m
		l.i += len(m)
		decimals = -1
	}
	if err := l.work.spend(len(plain)); err != nil {
		return err
	}
	r, ok := new(big.Rat).SetString(strings.TrimSuffix(plain, "."))
	if !ok {
		return fmt.Errorf("has the number %q", clip(plain))
	}
	if period != "" {
		r.Add(r, repeated(period, decimals))
		decimals = -1
	}
	l.emit(token{kind: tNum, text: written, num: r, decimals: decimals})
	return nil
}

// repeated is 0.00ppp…, the period after some decimals.
func repeated(period string, after int) *big.Rat {
	num, _ := new(big.Int).SetString(period, 10)
	den := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(period))), nil)
	den.Sub(den, big.NewInt(1))
	den.Mul(den, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(after)), nil))
	return new(big.Rat).SetFrac(num, den)
}

func digits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

func digitAt(s string, i int) bool { return i < len(s) && isDigit(s[i]) }

// letters reads a run of letters: a function's name, a unit, a word, or names of one letter each.
func (l *lexer) letters() error {
	start := l.i
	for l.i < len(l.s) && isLetter(l.s[l.i]) {
		l.i++
	}
	run := l.s[start:l.i]
	if err := l.work.spend(len(run)); err != nil {
		return err
	}
	last := token{}
	if len(l.out) > 0 {
		last = l.out[len(l.out)-1]
	}
	low := strings.ToLower(run)
	_, opaqueWord := opaque[low]
	switch {
	case low == "and" || low == "or":
		l.op(",")
	case low == "percent" || low == "pct" || low == "percentage":
		l.op("%")
	case low == "infinity" || low == "inf" || run == "oo":
		l.emit(token{kind: tConst, text: "inf"})
	case low == "pi":
		l.emit(token{kind: tConst, text: "pi"})
	case run == "cup" || run == "U" && last.kind == tOp && strings.ContainsAny(last.text, ")]}"):
		l.op("cup")
	case (low == "in" || low == "min") && last.kind == tNum && !strings.HasPrefix(strings.TrimLeft(l.s[l.i:], " "), "("):
		l.emit(token{kind: tText, text: run})
	case functions[low] != "" && (run == low || len(run) > 2):
		l.emit(token{kind: tFunc, text: functions[low]})
	case opaqueWord && len(run) > 2:
		l.emit(token{kind: tOpaque, text: low})
	case low == "am" || low == "pm":
		l.clockWord(run, last)
	case unitWords[low] && (last.kind == tNum || last.kind == tText || last.text == "}" || last.text == "/"):
		l.emit(token{kind: tText, text: run})
	case len(run) >= 4 && strings.ToUpper(run) != run:
		if name := leadingFunction(run); name != "" {
			l.i = start + len(name)
			l.emit(token{kind: tFunc, text: functions[name]})
			return nil
		}
		if rest, ok := strings.CutPrefix(run, "frac"); ok && rest == "" {
			l.emit(token{kind: tCommand, text: "frac"})
			return nil
		}
		l.emit(token{kind: tText, text: run})
	default:
		if name := leadingFunction(run); name != "" {
			l.i = start + len(name)
			l.emit(token{kind: tFunc, text: functions[name]})
			return nil
		}
		for i := range len(run) {
			l.letter(run[i : i+1])
		}
	}
	return nil
}

// clockWord emits AM or PM after 12:30, and two letters elsewhere.
func (l *lexer) clockWord(run string, last token) {
	n := len(l.out)
	if last.kind == tNum && n > 1 && l.out[n-2].text == ":" {
		l.emit(token{kind: tText, text: run})
		return
	}
	l.letter(run[:1])
	l.letter(run[1:])
}

// letter emits one letter: e and i are the constants.
func (l *lexer) letter(s string) {
	if s == "e" || s == "i" {
		l.emit(token{kind: tConst, text: s})
		return
	}
	l.emit(token{kind: tLetter, text: s})
}

// leadingFunction finds the function whose name a run such as sinx or sqrtab begins with.
func leadingFunction(run string) string {
	for _, name := range [...]string{"sqrt", "sin", "cos", "tan", "log", "ln"} {
		if rest := strings.TrimPrefix(run, name); rest != run && len(rest) > 0 && len(rest) <= 2 {
			return name
		}
	}
	return ""
}
