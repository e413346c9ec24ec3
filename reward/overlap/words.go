package overlap

import (
	"strings"
	"unicode"
)

// Words splits as Python's str.split() does: at Unicode white space and at the four separators U+001C to U+001F.
func Words(s string) []string { return strings.FieldsFunc(s, isSpace) }

func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// tally counts n-grams, each given by its text.
type tally map[string]int

func (t tally) total() (n int) {
	for _, c := range t {
		n += c
	}
	return n
}

// matches is how many n-grams of a list are in the tally, each as often as it is there.
func (t tally) matches(grams func(visit func(string))) (matched, total int) {
	used := make(tally, len(t))
	grams(func(g string) {
		total++
		if have := t[g]; used[g] < have {
			used[g]++
			matched++
		}
	})
	return matched, total
}

func tallyOf(grams func(visit func(string))) tally {
	out := tally{}
	grams(func(g string) { out[g]++ })
	return out
}

// wordGrams visits the n-grams of words.
func wordGrams(words []string, n int) func(visit func(string)) {
	return func(visit func(string)) {
		for i := 0; i+n <= len(words); i++ {
			visit(strings.Join(words[i:i+n], " "))
		}
	}
}
