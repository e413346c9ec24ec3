package mathanswer

import (
	"fmt"
	"strings"
)

// withArguments are commands that the parser reads arguments for.
var withArguments = map[string]string{"frac": "frac", "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "binom": "binom", "dbinom": "binom", "tbinom": "binom", "over": "over", "choose": "choose"}

// glued are commands that are often written without a blank before the letters that follow.
var glued = []string{"qquad", "quad", "cdot", "times", "infty", "pi", "cup", "cap", "text", "sqrt", "frac", "leq", "geq", "le", "ge", "pm", "in"}

// command reads a backslash and what it begins.
func (l *lexer) command() error {
	l.i++
	if l.i == len(l.s) {
		return nil
	}
	start := l.i
	for l.i < len(l.s) && isLetter(l.s[l.i]) {
		l.i++
	}
	if l.i == start {
		l.i++
		if c := l.s[start]; c >= 0x80 {
			return fmt.Errorf("has a backslash before %q", clip(l.s[start:]))
		}
	}
	name := l.s[start:l.i]
	if err := l.work.spend(len(name)); err != nil {
		return err
	}
	if name == "text" && l.i < len(l.s) && l.s[l.i] == ' ' {
		return nil
	}
	if l.known(name) {
		return l.emitCommand(name)
	}
	for _, g := range glued {
		if strings.HasPrefix(name, g) {
			l.i = start + len(g)
			return l.emitCommand(g)
		}
	}
	l.emit(token{kind: tLetter, text: name, latex: true})
	return nil
}

func (l *lexer) known(name string) bool {
	_, opaqueName := opaque[name]
	return operators[name] != "" || constants[name] != "" || functions[name] != "" || opaqueName || bigOperators[name] || ignored[name] || decorations[name] || fonts[name] ||
		texts[name] || letters[name] || withArguments[name] != "" || name == "begin" || name == "end" || name == "hspace" || name == "vspace" || name == "phantom" || name == "color" || name == "textcolor" || name == "mathrm"
}

func (l *lexer) emitCommand(name string) error {
	switch {
	case ignored[name]:
		if (name == "left" || name == "right") && l.i < len(l.s) && l.s[l.i] == '.' {
			l.i++
		}
		l.space = true
	case operators[name] != "":
		l.emit(token{kind: tOp, text: operators[name], latex: true})
	case constants[name] != "":
		l.emit(token{kind: tConst, text: constants[name]})
	case functions[name] != "":
		l.emit(token{kind: tFunc, text: functions[name], latex: true})
	case opaque[name] || bigOperators[name]:
		l.emit(token{kind: tOpaque, text: name, latex: true})
	case decorations[name]:
		l.emit(token{kind: tDecor, text: name})
	case withArguments[name] != "":
		l.emit(token{kind: tCommand, text: withArguments[name]})
	case name == "hspace" || name == "vspace" || name == "phantom" || name == "color":
		l.argument()
		l.space = true
	case name == "textcolor":
		l.argument()
	case name == "begin" || name == "end":
		environment, _ := l.argument()
		l.environment(name, environment)
	case fonts[name] || texts[name]:
		return l.words(name)
	default:
		l.emit(token{kind: tLetter, text: name, latex: true})
	}
	return nil
}

// environment emits the begin or the end of a matrix; others set lines only, or are read as far as they go.
func (l *lexer) environment(command, name string) {
	name = strings.TrimSuffix(name, "*")
	matrix := strings.HasSuffix(name, "matrix") || name == "array" || name == "cases"
	switch {
	case !matrix:
		l.space = true
	case command == "end":
		l.emit(token{kind: tClose})
	default:
		if name == "array" {
			l.argument() // the columns' alignment
		}
		l.emit(token{kind: tBegin, text: name})
	}
}

// argument takes the text of {…}, or of one character, from the input.
func (l *lexer) argument() (string, bool) {
	for l.i < len(l.s) && l.s[l.i] == ' ' {
		l.i++
	}
	if l.i >= len(l.s) {
		return "", false
	}
	if l.s[l.i] != '{' {
		if !isLetter(l.s[l.i]) && !isDigit(l.s[l.i]) {
			return "", false
		}
		l.i++
		return l.s[l.i-1 : l.i], true
	}
	depth := 0
	for j := l.i; j < len(l.s); j++ {
		switch l.s[j] {
		case '\\':
			j++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				inner := l.s[l.i+1 : j]
				l.i = j + 1
				return inner, true
			}
		}
	}
	inner := l.s[l.i+1:]
	l.i = len(l.s)
	return inner, true
}

// words reads the argument of \text and of fonts: a connective, a number, a name, a unit or words.
func (l *lexer) words(command string) error {
	inner, ok := l.argument()
	if !ok {
		return nil
	}
	if err := l.work.spend(len(inner)); err != nil {
		return err
	}
	if command == "mathbb" {
		l.emit(token{kind: tLetter, text: "set:" + strings.TrimSpace(inner), latex: true})
		return nil
	}
	trimmed := strings.Trim(inner, " ~\n\t")
	low := strings.ToLower(strings.Trim(trimmed, " ,.;:"))
	switch {
	case trimmed == "" || strings.Trim(trimmed, ".:") == "":
		l.space = true
	case strings.Trim(trimmed, ",;") == "" || low == "and" || low == "or" || low == "and also":
		l.op(",")
	case low == "percent" || low == "pct" || low == "%" || low == `\%`:
		l.op("%")
	case functions[low] != "" && isLetters(low) || opaque[low]:
		if f := functions[low]; f != "" {
			l.emit(token{kind: tFunc, text: f, latex: true})
		} else {
			l.emit(token{kind: tOpaque, text: low, latex: true})
		}
	case len(trimmed) == 1 && isLetter(trimmed[0]):
		l.space = l.space || inner != trimmed
		if fonts[command] && command != "mathrm" && trimmed == "i" {
			l.emit(token{kind: tLetter, text: "bold i"})
		} else if texts[command] && len(l.out) > 0 && l.out[len(l.out)-1].kind == tNum {
			l.emit(token{kind: tText, text: trimmed})
		} else {
			l.letter(trimmed)
		}
	case fonts[command] && command != "mathrm":
		return l.run(inner)
	case !wordy(trimmed) || isDigit(trimmed[0]): // also "5 apples"
		return l.run(inner)
	default:
		l.space = true
		l.emit(token{kind: tText, text: trimmed})
	}
	return nil
}

// wordy says whether a text has a run of two letters, so that it is no formula.
func wordy(s string) bool {
	n := 0
	for i := range len(s) {
		if s[i] == '\\' || s[i] == '_' {
			return false
		}
		if n++; !isLetter(s[i]) && s[i] < 0x80 {
			n = 0
		}
		if n == 2 {
			return true
		}
	}
	return false
}

func clip(s string) string {
	if r := []rune(s[:min(len(s), 400)]); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
