package mathanswer

import (
	"regexp"
	"strings"
)

// formulas finds what stands between $…$, $$…$$, \(…\) and \[…\]. A $ that is closed on no later place of its line is a currency.
func (f *finder) formulas(s string) []formula {
	f.steps += len(s)
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
		n := f.closing(rest, end)
		if n < 0 {
			lost[open] = open != "$"
			i = start - 1
			continue
		}
		f.steps += n
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
func (f *finder) closing(s, end string) int {
	for i := 0; i+len(end) <= len(s); i++ {
		f.steps++
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

var (
	wordRun  = regexp.MustCompile(`\\?[A-Za-z]{2,}`)
	textArgs = regexp.MustCompile(`\\(?:text|textbf|textit|textrm|mathrm|mbox|operatorname|begin|end)\s*\{[^{}]*\}`)
)

// words counts words outside of formulas, up to a few. Names of functions, units and connectives do not count.
func (f *finder) words(s string, all []formula) int {
	f.steps += len(s)
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
	for _, x := range all {
		if count > 8 {
			return count
		}
		part(s[at:x.start])
		at = x.end
	}
	part(s[at:])
	return count
}
