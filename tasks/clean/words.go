package clean

import (
	"strings"
	"unicode"
)

// Words are a text's runs of letters, digits and single other signs that are no spaces, in lower case. Punctuation is left out, except in texts that
// have nothing else.
func Words(text string) []string {
	out := split(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) })
	if len(out) == 0 {
		out = split(text, func(r rune) bool { return !unicode.IsSpace(r) })
	}
	return out
}

func split(text string, in func(rune) bool) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !in(r) })
}

// grams calls f with each run of n words, joined by spaces; with the whole text where it has fewer.
func grams(ws []string, n int, f func(gram string)) {
	if len(ws) <= n {
		if len(ws) > 0 {
			f(strings.Join(ws, " "))
		}
		return
	}
	for i := 0; i+n <= len(ws); i++ {
		f(strings.Join(ws[i:i+n], " "))
	}
}
