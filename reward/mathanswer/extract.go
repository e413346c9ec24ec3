package mathanswer

import (
	"regexp"
	"strings"
)

// Extract finds the final answer in a response: what the last \boxed{…} holds, with those just before it on its line; else what follows the
// last "answer is", "answer:" or "####"; else the whole text if it is nothing but an answer; else the last formula or number, whichever comes last.
func Extract(response string) (string, bool) { return Options{}.Extract(response) }

// Extract is the function Extract with options.
func (o Options) Extract(response string) (string, bool) {
	return (&finder{latexOnly: o.LaTeXOnly}).find(response, false)
}

// finder finds answers in texts and counts the bytes that it reads.
type finder struct {
	latexOnly bool
	steps     int
}

// find is Extract; a gold answer without any mark is taken whole.
func (f *finder) find(s string, gold bool) (string, bool) {
	f.steps += 4 * len(s)
	s = strings.TrimSpace(s)
	for _, end := range []string{"<|im_start|>", "<|im_end|>", "<|endoftext|>", "</s>"} {
		if i := strings.Index(s, end); i > 0 {
			s = s[:i]
		}
	}
	if i := strings.LastIndex(s, "</think>"); i >= 0 && strings.TrimSpace(s[i+8:]) != "" {
		s = s[i+8:]
	}
	if a, ok := f.boxed(s); ok {
		return a, strings.TrimSpace(a) != ""
	}
	all := f.formulas(s)
	if f.latexOnly {
		return lastFormulas(s, all)
	}
	outside := f.words(s, all)
	if a, ok := f.marked(s); ok && (outside > 0 || strings.Contains(s, "####")) {
		return a, true
	}
	if len(all) == 0 && (gold || outside < 3) || len(all) > 0 && outside == 0 {
		return entire(s, gold)
	}
	a, ok := lastFormulas(s, all)
	if gold && ok {
		return a, true
	}
	if outside >= 3 || !ok {
		after := 0
		if ok {
			after = all[len(all)-1].end
		}
		if n, found := f.lastNumber(s[after:]); found {
			return n, true
		}
	}
	if ok {
		return a, true
	}
	return entire(s, gold)
}

// entire takes a text as an answer if it is short enough for one; a gold answer of any length is judged by its own limit.
func entire(s string, gold bool) (string, bool) {
	s = strings.Trim(s, " \n\t*")
	return s, s != "" && (gold || len(s) <= maxAnswer)
}

type span struct{ start, end int }

// boxed returns what the last \boxed{…} or \fbox{…} holds. Boxes before it count too where little and no end of a sentence stands between:
// \boxed{1} and \boxed{2}. One pass with a stack of open boxes.
func (f *finder) boxed(s string) (string, bool) {
	f.steps += len(s)
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
				f.steps++
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

var mark = regexp.MustCompile(`(?i)####|\banswers?\b\**\s*(?:(?:is|are)\b\s*:?|[:=])|\banswer\**\s*\n`)

// marked takes what the last mark of an answer is followed by, up to the end of its sentence.
func (f *finder) marked(s string) (string, bool) {
	tail := s[max(0, len(s)-1<<16):]
	f.steps += len(tail)
	marks := mark.FindAllStringIndex(tail, -1)
	if marks == nil {
		return "", false
	}
	rest := strings.TrimLeft(tail[marks[len(marks)-1][1]:], " \n\t*:")
	rest = f.sentence(rest)
	if i := strings.LastIndex(rest, " is "); i >= 0 && len(strings.TrimSpace(rest[i+4:])) > 0 {
		rest = rest[i+4:]
	}
	rest = strings.Trim(rest, " \n\t*")
	if rest == "" {
		return "", false
	}
	all := f.formulas(rest)
	switch {
	case f.words(rest, all) == 0:
		return rest, true
	case len(all) > 0:
		last := 0
		for last+1 < len(all) && connective(rest[all[last].end:all[last+1].start]) {
			last++
		}
		return lastFormulas(rest[:all[last].end], all[:last+1])
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
func (f *finder) sentence(s string) string {
	all := f.formulas(s[:min(len(s), 1<<14)])
	next := 0
	for i := 0; i < len(s); i++ {
		f.steps++
		if next < len(all) && i == all[next].start {
			i = all[next].end - 1
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
func (f *finder) lastNumber(s string) (string, bool) {
	s = s[max(0, len(s)-1<<16):]
	f.steps += len(s)
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
