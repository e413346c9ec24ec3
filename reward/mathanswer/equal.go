package mathanswer

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"
)

// Verdict is what a comparison can vouch for.
type Verdict string

const (
	Correct Verdict = "correct"
	Wrong   Verdict = "wrong"
	// Error: the gold answer cannot be read or evaluated, which says nothing about the other.
	Error Verdict = "error"
)

// Result is the judgement of one answer.
type Result struct {
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail,omitempty"` // why it is not correct
}

// Options change what counts as equal. The zero value is what Equal uses.
type Options struct {
	// Decimals is the least number of decimals of a decimal that stands for any constant that rounds to it; 0 means 6. Decimals with fewer
	// are equal to their exact value alone.
	Decimals int
	// SetsOnly refuses an inequality for an answer whose gold is a set: -2 <= x <= 7 for [-2, 7].
	SetsOnly bool
	// LaTeXOnly looks for an answer in formulas set between dollars or the like and in \boxed only.
	LaTeXOnly bool
}

// Equal judges a response by a gold answer. Both may be bare answers or texts with an answer in them, as Extract finds it.
func Equal(gold, response string) Result { return Options{}.Equal(gold, response) }

// Equal is the function Equal with options.
func (o Options) Equal(gold, response string) Result {
	if strings.TrimSpace(gold) == "" {
		return Result{Error, "the gold answer is empty"}
	}
	g, ok := (&finder{latexOnly: o.LaTeXOnly}).find(gold, true)
	if !ok {
		return Result{Error, "the gold answer: no answer found"}
	}
	p, ok := o.Extract(response)
	if !ok {
		return Result{Wrong, "no answer found"}
	}
	return o.answers(g, p)
}

// answers compares two answers that have been found.
func (o Options) answers(gold, pred string) Result {
	if len(gold) > maxAnswer {
		return Result{Error, "the gold answer " + errLong.Error()}
	}
	if len(pred) > maxAnswer {
		return Result{Wrong, "the answer " + errLong.Error()}
	}
	gk, pk := key(gold), key(pred)
	if gk == pk && gk != "" || choice(gk, pk) {
		return Result{Verdict: Correct}
	}
	c := comparison{digits: o.Decimals, relations: !o.SetsOnly}
	if c.digits <= 0 {
		c.digits = 6
	}
	h := fnv.New64a()
	h.Write([]byte(gk))
	salt := h.Sum64()
	c.gold, c.pred = newSide(salt), newSide(salt)
	gs, err := readings(gold, &c.gold.work)
	if err != nil {
		if words(gk) { // an answer in words
			return Result{Wrong, differ(gold, pred)}
		}
		return Result{Error, fmt.Sprintf("the gold answer %q %v", clip(gold), err)}
	}
	ps, err := readings(pred, &c.pred.work)
	if err != nil {
		return Result{Wrong, fmt.Sprintf("the answer %q %v", clip(pred), err)}
	}
	for _, g := range gs {
		for _, p := range ps {
			if c.equal(g, p) {
				return Result{Verdict: Correct}
			}
		}
	}
	switch {
	case c.fault != nil:
		return Result{Error, fmt.Sprintf("the gold answer %q %v", clip(gold), c.fault)}
	case c.gold.work.steps > maxWork:
		return Result{Error, fmt.Sprintf("the gold answer %q %v", clip(gold), errWork)}
	case c.pred.work.steps > maxWork:
		return Result{Wrong, fmt.Sprintf("the answer %q %v", clip(pred), errWork)}
	}
	return Result{Wrong, differ(gold, pred)}
}

func differ(gold, pred string) string { return fmt.Sprintf("%q is not %q", clip(pred), clip(gold)) }

var (
	// pair is two numbers in brackets, of which the second has three digits.
	pair         = regexp.MustCompile(`^\$?(?:\\left)?(?:[(\[]|\\\{)\s*[-+]?\d{1,3},\d{3}\s*(?:\\right)?(?:[)\]]|\\\})\$?$`)
	commaGroups  = regexp.MustCompile(`\d,\d{3}(?:\D|$)`)
	decimalComma = regexp.MustCompile(`^(?:[-+]?(?:\d+|\d{1,3}(?:[ .]\d{3})+)),\d+$`)
)

// readings parses an answer in each way in which its commas can be meant: 1,234 as a number or as two, 2,5 as a decimal.
func readings(s string, w *work) ([]*node, error) {
	s = tidy(s)
	var out []*node
	var err error
	if !pair.MatchString(s) {
		var n *node
		if n, err = parse(s, thousands, w); err == nil {
			out = append(out, n)
		}
	}
	if commaGroups.MatchString(s) {
		n, second := parse(s, separate, w)
		if err = second; err == nil {
			out = append(out, n)
		}
	}
	if bare := strings.Trim(s, "$ "); decimalComma.MatchString(bare) {
		whole, fraction, _ := strings.Cut(bare, ",")
		whole = strings.NewReplacer(" ", "", ".", "").Replace(whole)
		if len(fraction) == 3 && strings.Trim(whole, "+-0") != "" && len(whole) <= 4 { // 22,500 has thousands
			return out, err
		}
		if n, err := parse(whole+"."+fraction, thousands, w); err == nil {
			out = append(out, n)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	return nil, err
}

var doubled = regexp.MustCompile(`\\\\(left|right|frac|dfrac|tfrac|sqrt|boxed|text|le|leq|ge|geq|pi|infty|cup|cap|pm|cdot|times|ne|neq|begin|end|mathbf|mathrm|in|lt|gt|theta|alpha|beta|quad|circ)\b`)

// tidy mends commands that were escaped twice or not enough, and spells unicode signs as commands.
func tidy(s string) string {
	if !printable(s) {
		s = unicodeWords.Replace(damaged.Replace(s))
	}
	if s = strings.TrimSpace(s); strings.Contains(s, `\\`) {
		s = doubled.ReplaceAllString(s, `\$1`)
	}
	return strings.TrimRight(strings.TrimSuffix(s, "$"), ". \n")
}

// printable says whether a text has nothing but printable ASCII, as most have.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

var (
	styled  = regexp.MustCompile(`\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|boxed|operatorname)\s*\{([^{}]*)\}`)
	spaces  = regexp.MustCompile(`\s+`)
	dropped = strings.NewReplacer(`\left`, "", `\right`, "", `\,`, " ", `\!`, "", `\;`, " ", `\:`, " ", `\ `, " ", "~", " ", `\dfrac`, `\frac`, `\tfrac`, `\frac`, "$", "", `"`, "", "**", "", `\(`, "", `\)`, "", `\[`, "", `\]`, "")
)

// Canonical gives an answer's text without what only sets it. Answers with the same text are equal; others may be.
func Canonical(answer string) string { return key(answer) }

// key is an answer's text without what only sets it. Equal keys are equal answers; words do not differ by their capitals.
func key(s string) string {
	s = strings.TrimSpace(dropped.Replace(tidy(s)))
	for i := 0; i < 3 && strings.Contains(s, `\`); i++ {
		s = styled.ReplaceAllString(s, "$1")
	}
	s = strings.TrimRight(spaces.ReplaceAllString(s, " "), ". ")
	var b strings.Builder
	for i := range len(s) {
		// A blank counts between two letters or two digits.
		if s[i] == ' ' && (i == 0 || i == len(s)-1 || !isDigit(s[i-1]) || !isDigit(s[i+1])) && (i == 0 || i == len(s)-1 || !isLetter(s[i-1]) || !isLetter(s[i+1])) {
			continue
		}
		b.WriteByte(s[i])
	}
	if s = b.String(); wordy(s) {
		s = strings.ToLower(s)
	}
	return s
}

var letterMark = regexp.MustCompile(`^(?:(?:option|choice|answer)?\s*\(?([A-Ja-j])\)?|\(([A-Ja-j])\)\s*\S.*|([A-J])[.):]\s*[^=]*|(?:option|choice)\s*\(?([A-Ja-j])\)?\W.*)$`)

// choice says whether both answers choose the same option, of which one is nothing but its letter: (B), B., "B) 12 cm".
func choice(a, b string) bool {
	bare := func(s string) bool { s = strings.Trim(s, "(). "); return len(s) == 1 && s[0] >= 'A' && s[0] <= 'J' }
	if !bare(a) && !bare(b) {
		return false
	}
	letter := func(s string) string {
		m := letterMark.FindStringSubmatch(s)
		if m == nil {
			return ""
		}
		return strings.ToUpper(m[1] + m[2] + m[3] + m[4])
	}
	l := letter(a)
	return l != "" && l == letter(b)
}

// words says whether an answer is in words rather than a formula.
func words(key string) bool { return wordy(key) && !strings.ContainsAny(key, `\^_={}`) }
