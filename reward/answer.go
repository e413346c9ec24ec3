package reward

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"sync"

	"temper/reward/check"
	"temper/reward/code"
	"temper/reward/mathanswer"
)

var correctKind = kind{name: "correct", gives: "1 if the answer equals the gold answer, else 0; decides the verdict", hi: 1, blank: func() Options { return new(CorrectOptions) }}

var answerForms = []string{"auto", "boxed", "checked", "exact", "gsm8k", "hash", "math"}

// CorrectOptions are the options of `correct`.
type CorrectOptions struct {
	Answer   string `option:"answer" about:"where the answer stands: hash (after the last '#'), gsm8k (after '####', compared as a number), boxed (in the last \\boxed{…}), math (found and compared as values), checked (in the last \\boxed{…}, judged by the problem's checker, Meta[\"check\"]; programs by their tests, as part code does), exact (the whole response), auto (default: the problem's Meta[\"answer\"]; without it by the markers found in the response, boxed before gsm8k before hash before exact)"`
	Finished bool   `option:"finished" about:"the response must have ended by itself"`
}

func (o *CorrectOptions) check(bad report) { oneOf(bad, "answer", o.Answer, answerForms) }

func (o *CorrectOptions) build() (judge, error) {
	c := correct{form: o.Answer, finished: o.Finished}
	programs := sync.OnceValues(new(CodeOptions).build) // where there are some
	return judge{needs: code.DefaultLimits().Timeout + codeSlack, verdict: func(ctx context.Context, x Sample) (ruling, error) {
		if c.program(x) {
			j, err := programs()
			if err != nil {
				return ruling{}, err
			}
			out, err := j.verdict(ctx, x)
			out.right = out.right && (!c.finished || x.Finished)
			return out, err
		}
		answer, right, err := c.judge(x)
		if errors.Is(err, errNoAnswer) {
			return ruling{detail: err.Error()}, nil
		}
		return ruling{answer: answer, right: right}, err
	}}, nil
}

// correct is the judge behind a `correct` part.
type correct struct {
	form     string
	finished bool
}

// program says that the problem's checker is to run the answer.
func (c *correct) program(x Sample) bool {
	return x.Meta["check"] == check.Program && (c.form == "" || c.form == "auto" || c.form == "checked")
}

// judge returns the normalised answer and whether it equals the gold one. A response without an answer, or one that was cut
// although it had to finish, is not right; a sample without a gold answer cannot be judged.
func (c *correct) judge(x Sample) (answer string, right bool, err error) {
	if strings.TrimSpace(x.Gold) == "" {
		return "", false, errors.New("the sample has no gold answer")
	}
	form := c.form
	if form == "" || form == "auto" {
		form = x.Meta["answer"]
		if form == "" && x.Meta["check"] != "" {
			form = "checked"
		}
		if form == "" {
			form = detect(x.Response)
		}
	}
	if form == "checked" {
		if err := check.Known(x.Meta["check"]); err != nil {
			return "", false, err
		}
	}
	answer, err = Extract(form, x.Response)
	if err != nil {
		return "", false, err
	}
	if c.finished && !x.Finished {
		return answer, false, nil
	}
	if form == "checked" {
		right, err = check.Answer(x.Meta["check"], answer, x.Gold, x.Meta)
		return answer, right, err
	}
	if form == "math" {
		got := mathanswer.Equal(x.Gold, x.Response)
		if got.Verdict == mathanswer.Error {
			return answer, false, errors.New(got.Detail)
		}
		return answer, got.Verdict == mathanswer.Correct, nil
	}
	gold, err := Extract(form, x.Gold)
	if errors.Is(err, errNoAnswer) { // a gold answer usually stands alone, without the marker
		gold, err = normalise(form, x.Gold)
	}
	if err != nil { // %v, not %w: a gold answer that cannot be read is nobody's wrong answer
		return answer, false, fmt.Errorf("gold answer %q: %v", clip(x.Gold), err)
	}
	return answer, answer == gold, nil
}

// detect chooses the form of an answer by the markers in the response.
func detect(response string) string {
	switch {
	case strings.Contains(response, `\boxed`):
		return "boxed"
	case strings.Contains(response, "####"):
		return "gsm8k"
	case strings.Contains(response, "#"):
		return "hash"
	}
	return "exact"
}

// gsm8kMark is the official extraction of GSM8K (openai/grade-school-math, dataset.py) with an optional dollar sign:
// the first '####' that a number follows.
var gsm8kMark = regexp.MustCompile(`####\s*(\$?\s*[-+]?\$?[0-9.,]*[0-9][0-9.,]*)`)

// Extract finds the answer of a form (hash, gsm8k, boxed, checked, math, exact) in a text and normalises it, so that equal strings mean equal
// answers within the form; numbers become fractions in lowest terms for gsm8k and boxed. No answer is an error.
func Extract(form, text string) (string, error) {
	switch form {
	case "hash":
		i := strings.LastIndexByte(text, '#')
		if i < 0 {
			return "", fmt.Errorf("%w: no '#' in the response", errNoAnswer)
		}
		text = text[i+1:]
	case "gsm8k":
		m := gsm8kMark.FindStringSubmatch(text)
		if m == nil {
			return "", fmt.Errorf("%w: no '####' with a number after it", errNoAnswer)
		}
		text = m[1]
	case "boxed", "checked":
		inner, ok := lastBoxed(text)
		if !ok {
			return "", fmt.Errorf(`%w: no complete \boxed{…}`, errNoAnswer)
		}
		text = inner
	case "math":
		found, ok := mathanswer.Extract(text)
		if !ok {
			return "", fmt.Errorf("%w: no formula, number or short text", errNoAnswer)
		}
		text = found
	case "exact":
	default:
		return "", fmt.Errorf("unknown form of answer %q", form)
	}
	out, err := normalise(form, text)
	if err == nil && out == "" {
		return "", fmt.Errorf("%w: it is empty", errNoAnswer)
	}
	return out, err
}

// normalise brings a bare answer into the form's canonical text.
func normalise(form, text string) (string, error) {
	text = strings.TrimSpace(text)
	switch form {
	case "gsm8k":
		n, ok := parseNumber(text)
		if !ok {
			return "", fmt.Errorf("%w: %q is not a number", errNoAnswer, clip(text))
		}
		return n, nil
	case "boxed":
		return normaliseMath(text), nil
	case "math":
		return mathanswer.Canonical(text), nil
	}
	return text, nil
}

// plainNumber is what a number may look like once commas, dollars and spaces are gone.
var plainNumber = regexp.MustCompile(`^[-+]?(\d+(\.\d*)?|\.\d+)$`)

// parseNumber reads "$1,234.50" as the fraction 2469/2; a number longer than 400 digits is refused.
func parseNumber(s string) (string, bool) {
	s = strings.NewReplacer(",", "", "$", "", " ", "").Replace(s)
	s = strings.TrimSuffix(s, ".")
	if len(s) > 400 || !plainNumber.MatchString(s) {
		return "", false
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return "", false
	}
	return r.RatString(), true
}

// lastBoxed returns what the last \boxed{…} or \fbox{…} holds, braces balanced. It reads the text once.
func lastBoxed(s string) (string, bool) {
	type brace struct {
		at    int
		boxed bool
	}
	var open []brace
	begin, end := -1, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++ // an escaped brace does not count
		case '{':
			open = append(open, brace{i, strings.HasSuffix(s[:i], `\boxed`) || strings.HasSuffix(s[:i], `\fbox`)})
		case '}':
			if n := len(open) - 1; n >= 0 {
				if open[n].boxed && open[n].at > begin {
					begin, end = open[n].at, i
				}
				open = open[:n]
			}
		}
	}
	if begin < 0 {
		return "", false
	}
	return s[begin+1 : end], true
}

var (
	mathNoise = strings.NewReplacer(`\left`, "", `\right`, "", `\!`, "", `\,`, "", `\;`, "", `\ `, "", `\$`, "", `\%`, "", "$", "", "%", "",
		" ", "", "\n", "", "\t", "", `\dfrac`, `\frac`, `\tfrac`, `\frac`, `^{\circ}`, "", `^\circ`, "", "−", "-")
	mathText  = regexp.MustCompile(`^\\(?:text|mathrm|textbf|mbox)\{([^{}]*)\}$`)
	mathFrac  = regexp.MustCompile(`^(-?)\\frac\{(-?\d{1,40})\}\{(\d{1,40})\}$`)
	mathFrac2 = regexp.MustCompile(`^(-?)\\frac(\d)(\d)$`)
	mathSlash = regexp.MustCompile(`^(-?)(\d{1,40})/(\d{1,40})$`)
)

// normaliseMath removes what does not change a LaTeX answer (spaces, sizes, dollars, a trailing dot) and turns plain numbers and
// fractions of whole numbers into lowest terms. It does no algebra: 2x+2 and 2(x+1) differ.
func normaliseMath(s string) string {
	s = strings.TrimSuffix(mathNoise.Replace(s), ".")
	if m := mathText.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	if n, ok := parseNumber(s); ok && !oddCommas(s) {
		return n
	}
	for _, re := range []*regexp.Regexp{mathFrac, mathFrac2, mathSlash} {
		if m := re.FindStringSubmatch(s); m != nil {
			if r, ok := new(big.Rat).SetString(m[2] + "/" + m[3]); ok {
				if m[1] == "-" {
					r.Neg(r)
				}
				return r.RatString()
			}
		}
	}
	return s
}

var grouped = regexp.MustCompile(`^[-+]?\d{1,3}(,\d{3})+(\.\d*)?$`)

// oddCommas says that the commas are not thousands separators: "1,2" is a pair, not twelve.
func oddCommas(s string) bool { return strings.Contains(s, ",") && !grouped.MatchString(s) }

func clip(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
