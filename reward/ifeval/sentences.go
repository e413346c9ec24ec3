package ifeval

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// abbreviations end with a dot that ends no sentence, without it.
var abbreviations = setOf(`mr mrs ms dr prof rev hon gen col maj capt cmdr lt sgt sen rep gov pres st mt ft jr sr inc ltd co corp bros cos dept univ assn
	vs etc al fig figs vol vols no nos pp ed eds est approx appt apt ave blvd rd a.m p.m u.s u.k u.n d.c ph.d b.a m.a b.s m.s m.d n.y l.a
	jan feb mar apr jun jul aug sept sep oct nov dec mon tue tues wed thu thurs fri cf ca viz e.g i.e`)

// starters are words that begin a sentence even after an abbreviation.
var starters = setOf(`the a an this that these those it he she they we i you in on at by for from with as if when while after before however but and or so
	his her their our its my your there here then what who how why where not one some many most all`)

func setOf(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// Sentences counts sentences as the Punkt model for English does, nearly: a sentence ends at a dot, question or exclamation mark that white space or
// an opening mark follows, unless the dot belongs to an abbreviation, an initial, a number before a small letter, or dots before a small letter.
func Sentences(text string) int {
	count, open := 0, false // open: the sentence has begun
	word := 0               // where the word before the mark begins
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		if isSpace(r) {
			word = i
			continue
		}
		open = true
		if r != '.' && r != '?' && r != '!' {
			continue
		}
		rest := strings.TrimLeft(text[i:], "\"')]}*”’»")
		next := strings.TrimLeftFunc(rest, isSpace)
		if next == "" || len(next) == len(rest) { // the end, or the word goes on
			continue
		}
		if r != '.' || endsAt(text[word:i-1], next) {
			count, open = count+1, false
		}
		i = len(text) - len(next)
		word = i
	}
	return count + number(open)
}

// firstLetters is the first word of a text without the marks around it.
func firstLetters(text string) string {
	text = strings.TrimLeft(text, "\"'([{*“‘«")
	if end := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }); end >= 0 {
		text = text[:end]
	}
	return text
}

// endsAt says whether the dot after a word ends a sentence, by the word and what follows.
func endsAt(word, next string) bool {
	word = strings.ToLower(strings.TrimLeft(word, "\"'([{*“‘«"))
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(next, "\"'([{*“‘«"))
	begins := unicode.IsUpper(first) && starters[strings.ToLower(firstLetters(next))]
	last := word[strings.LastIndexByte(word, '-')+1:]
	switch {
	case strings.HasSuffix(word, "."): // dots
		return !unicode.IsLower(first)
	case abbreviations[word] || abbreviations[last]:
		return begins
	case utf8.RuneCountInString(word) == 1 && unicode.IsLetter([]rune(word)[0]):
		return begins
	case word != "" && strings.Trim(word, "0123456789.,") == "":
		return !unicode.IsLower(first)
	}
	return true
}
