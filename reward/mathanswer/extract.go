package mathanswer

import (
	"regexp"
	"strings"
)

// Extract finds the final answer in a response: what the last \boxed{…} holds, with those just before it on its line; else what follows the
// last "answer is", "answer:" or "####"; else the whole text if it is nothing but an answer; else the last formula or number, whichever comes last.
func Extract(response string) (string, bool) { return Options{}.find(response, false) }

// find is Extract; a gold answer without any mark is taken whole.
func (o Options) find(s string, gold bool) (string, bool) {
	s = strings.TrimSpace(s)
	for _, end := range []string{"<|im_start|>", "<|im_end|>", "<|endoftext|>", "</s>"} {
		if i := strings.Index(s, end); i > 0 {
			s = s[:i]
		}
	}
	if i := strings.LastIndex(s, "</think>"); i >= 0 && strings.TrimSpace(s[i+8:]) != "" {
		s = s[i+8:]
	}
	if a, ok := boxed(s); ok {
		return a, strings.TrimSpace(a) != ""
	}
	f := formulas(s)
	if o.LaTeXOnly {
		return lastFormulas(s, f)
	}
	outside := proseWords(s, f)
	if a, ok := marked(s); ok && outside > 0 {
		return a, true
	}
	switch {
	case len(f) == 0 && (gold || outside < 3), len(f) > 0 && outside == 0:
		return whole200(s, gold)
	}
	a, ok := lastFormulas(s, f)
	if gold && ok {
		return a, true
	}
	if !gold || !ok {
		after := 0
		if ok {
			after = f[len(f)-1].end
		}
		if outside >= 3 || !ok {
			if n, found := lastNumber(s[after:]); found {
				return n, true
			}
		}
	}
	if ok {
		return a, true
	}
	return whole200(s, gold)
}

// whole200 takes a text as an answer if it is short enough for one; a gold answer of any length is judged by its own limit.
func whole200(s string, gold bool) (string, bool) {
	s = strings.Trim(s, " \n\t*")
	return s, s != "" && (gold || len(s) <= maxAnswer)
}

type span struct{ start, end int }

// boxed returns what the last \boxed{…} or \fbox{…} holds. Boxes before it count too where little and no end of a sentence stands between:
// \boxed{1} and \boxed{2}. One pass with a stack of open boxes.
func boxed(s string) (string, bool) {
	type open struct{ at, depth int }
	var stack []open
	var closed []span
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			n := 0
			switch {
			case strings.HasPrefix(s[i+1:], "boxed"):
				n = 6
			case strings.HasPrefix(s[i+1:], "fbox"):
				n = 5
			case strings.HasPrefix(s[i+1:], `\boxed`), strings.HasPrefix(s[i+1:], `\fbox`): // escaped twice
				continue
			default:
				i++
				continue
			}
			j := i + n
			for j < len(s) && s[j] == ' ' {
				j++
			}
			if j < len(s) && s[j] == '{' {
				stack = append(stack, open{j + 1, depth})
				depth++
				i = j
			}
		case '\b': // \boxed whose backslash was read as an escape
			if strings.HasPrefix(s[i+1:], "oxed{") {
				stack = append(stack, open{i + 6, depth})
				depth++
				i += 5
			}
		case '{':
			depth++
		case '}':
			if depth == 0 {
				continue
			}
			depth--
			if n := len(stack); n > 0 && stack[n-1].depth == depth {
				at := stack[n-1].at
				stack = stack[:n-1]
				for len(closed) > 0 && closed[len(closed)-1].start > at {
					closed = closed[:len(closed)-1]
				}
				closed = append(closed, span{at, i})
			}
		}
	}
	if len(closed) == 0 {
		return "", false
	}
	first := len(closed) - 1
	for first > 0 && len(closed)-first < maxElements && joined(s[closed[first-1].end+1:closed[first].start]) {
		first--
	}
	var parts []string
	for _, c := range closed[first:] {
		parts = append(parts, strings.TrimSpace(s[c.start:c.end]))
	}
	return strings.Join(parts, ", "), true
}

// joined says whether what stands between two boxes or formulas connects them.
func joined(between string) bool {
	if len(between) > 60 || strings.Contains(between, "\n\n") {
		return false
	}
	return !strings.Contains(between, ". ") && !strings.Contains(between, ".\n") && !strings.Contains(between, "=>") && !strings.Contains(between, "ightarrow")
}

// formulas finds what stands between $…$, $$…$$, \(…\) and \[…\]. A $ that is closed on no later place of its line is a currency.
func formulas(s string) []formula {
	var out []formula
	lost := map[string]bool{} // closers that do not come any more
	for i := 0; i < len(s); i++ {
		open, end := "", ""
		switch {
		case s[i] == '\\' && i+1 < len(s):
			switch s[i+1] {
			case '[':
				open, end = `\[`, `\]`
			case '(':
				open, end = `\(`, `\)`
			default:
				i++
				continue
			}
		case strings.HasPrefix(s[i:], "$$"):
			open, end = "$$", "$$"
		case s[i] == '$':
			open, end = "$", "$"
		default:
			continue
		}
		start := i + len(open)
		if lost[open] {
			i = start - 1
			continue
		}
		rest := s[start:]
		if open == "$" {
			rest, _, _ = strings.Cut(rest[:min(len(rest), 4096)], "\n")
		}
		n := closing(rest, end)
		if n < 0 {
			lost[open] = open != "$"
			i = start - 1
			continue
		}
		if open == "$" && money(rest[:n]) {
			continue
		}
		out = append(out, formula{span{i, start + n + len(end)}, strings.TrimSpace(rest[:n])})
		i = start + n + len(end) - 1
	}
	return out
}

type formula struct {
	span
	text string
}

// closing finds a closer that no backslash stands before.
func closing(s, end string) int {
	for i := 0; i+len(end) <= len(s); i++ {
		if strings.HasPrefix(s[i:], end) {
			return i
		}
		if s[i] == '\\' {
			i++
		}
	}
	return -1
}

var prose = regexp.MustCompile(`[a-z]{3,}\s+[a-z]{2,}`)

// money says whether what follows a $ is an amount and words up to the next amount.
func money(s string) bool {
	return s == "" || isDigit(s[0]) && !strings.Contains(s, `\`) && prose.MatchString(s)
}

// lastFormulas takes the last formula with those that are connected to it: $1$ and $2$.
func lastFormulas(s string, f []formula) (string, bool) {
	if len(f) == 0 {
		return "", false
	}
	first := len(f) - 1
	for first > 0 && len(f)-first < maxElements && connective(s[f[first-1].end:f[first].start]) {
		first--
	}
	var parts []string
	for _, x := range f[first:] {
		parts = append(parts, x.text)
	}
	a := strings.Join(parts, ", ")
	if percentAfter.MatchString(s[f[len(f)-1].end:]) {
		a += "%"
	}
	return a, a != ""
}

var (
	percentAfter = regexp.MustCompile(`^\s*(?:%|percent|pct)`)
	connectives  = regexp.MustCompile(`^[\s,;]*(?:and|or|&|,|;)[\s,;]*$`)
)

func connective(s string) bool { return len(s) < 40 && connectives.MatchString(s) }

var mark = regexp.MustCompile(`(?i)####|\banswers?\b\**\s*(?:(?:is|are)\b\s*:?|[:=])|\banswer\**\s*\n`)

// marked takes what the last mark of an answer is followed by, up to the end of its sentence.
func marked(s string) (string, bool) {
	tail := s[max(0, len(s)-1<<16):]
	all := mark.FindAllStringIndex(tail, -1)
	if all == nil {
		return "", false
	}
	rest := strings.TrimLeft(tail[all[len(all)-1][1]:], " \n\t*:")
	rest = sentence(rest)
	if i := strings.LastIndex(rest, " is "); i >= 0 && len(strings.TrimSpace(rest[i+4:])) > 0 {
		rest = rest[i+4:]
	}
	rest = strings.Trim(rest, " \n\t*")
	if rest == "" {
		return "", false
	}
	f := formulas(rest)
	switch {
	case proseWords(rest, f) == 0:
		return rest, true
	case len(f) > 0:
		last := 0
		for last+1 < len(f) && connective(rest[f[last].end:f[last+1].start]) {
			last++
		}
		return lastFormulas(rest[:f[last].end], f[:last+1])
	}
	if choiceStart.MatchString(rest) {
		return rest, true
	}
	if n, ok := firstNumber(rest); ok {
		return n, true
	}
	return rest, true
}

var choiceStart = regexp.MustCompile(`^\(?[A-J][).:]`)

// sentence cuts a text at the first end of a line or of a sentence outside of formulas.
func sentence(s string) string {
	f := formulas(s[:min(len(s), 1<<14)])
	next := 0
	for i := 0; i < len(s); i++ {
		if next < len(f) && i == f[next].start {
			i = f[next].end - 1
			next++
			continue
		}
		if s[i] == '\n' || s[i] == '.' && (i+1 == len(s) || s[i+1] == ' ' || s[i+1] == '\n') {
			return s[:i]
		}
	}
	return s
}

var numberIn = regexp.MustCompile(`[-+−]?\$?(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+|\d+)(?:\.\d+)?(?:\s?/\s?\d+(?:\.\d+)?)?(?:\s?(?:%|\\%|percent|pct))?|[-+−]?\.\d+`)

// lastNumber finds the last number of a prose text, within its last 64 KiB.
func lastNumber(s string) (string, bool) {
	s = s[max(0, len(s)-1<<16):]
	all := numberIn.FindAllStringIndex(s, -1)
	if all == nil {
		return "", false
	}
	return numberAt(s, all[len(all)-1]), true
}

func firstNumber(s string) (string, bool) {
	m := numberIn.FindStringIndex(s[:min(len(s), 1<<16)])
	if m == nil {
		return "", false
	}
	return numberAt(s, m), true
}

// numberAt takes a number that was found; a sign after a letter or a digit is no part of it.
func numberAt(s string, at []int) string {
	n := s[at[0]:at[1]]
	if at[0] > 0 && strings.ContainsAny(n[:1], "-+") && (isDigit(s[at[0]-1]) || isLetter(s[at[0]-1]) || s[at[0]-1] == ')') {
		n = n[1:]
	}
	return n
}

var (
	wordRun  = regexp.MustCompile(`\\?[A-Za-z]{2,}`)
	textArgs = regexp.MustCompile(`\\(?:text|textbf|textit|textrm|mathrm|mbox|operatorname|begin|end)\s*\{[^{}]*\}`)
)

// proseWords counts words outside of formulas, up to a few. Names of functions, units and connectives do not count.
func proseWords(s string, f []formula) int {
	count, at := 0, 0
	part := func(t string) {
		if len(t) > 1<<16 {
			t = t[:1<<16]
		}
		for _, w := range wordRun.FindAllString(textArgs.ReplaceAllString(t, " "), 64) {
			low := strings.ToLower(w)
			if w[0] == '\\' || functions[low] != "" || constants[low] != "" || unitWords[low] || low == "and" || low == "or" || low == "percent" || low == "pct" || low == "percentage" || strings.ToUpper(w) == w {
				continue
			}
			count++
		}
	}
	for _, x := range f {
		if count > 8 {
			return count
		}
		part(s[at:x.start])
		at = x.end
	}
	part(s[at:])
	return count
}
