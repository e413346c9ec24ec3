package reward

import (
	"context"
	"errors"
	"strings"
	"unicode"
)

var languageKind = kind{name: "language", gives: "share of the response's letters that are of the wanted scripts; 1 without letters, 0 for a blank response", hi: 1,
	source: "DeepSeek-R1 (arXiv 2501.12948), language consistency, by scripts rather than by words", blank: func() Options { return new(LanguageOptions) }}

// LanguageOptions are the options of `language`. Names of LaTeX commands (\\frac) are no letters.
type LanguageOptions struct {
	Scripts []string `option:"scripts" about:"Unicode's names of scripts, such as [Latin] or [Han, Hiragana, Katakana]; without them the scripts of the prompt: the one that most of its letters have, and those it is written beside"`
}

func (o *LanguageOptions) check(bad report) {
	for _, name := range o.Scripts {
		if unicode.Scripts[name] == nil {
			bad("scripts", "unknown %q; known are Unicode's: Latin, Cyrillic, Han, Arabic, Devanagari, …", name)
		}
	}
}

// together are scripts that one language is written in, by the script that marks it.
var together = map[string][]string{
	"Hiragana": {"Han", "Hiragana", "Katakana"}, "Katakana": {"Han", "Hiragana", "Katakana"}, "Hangul": {"Hangul", "Han"},
}

func (o *LanguageOptions) build() (judge, error) {
	wanted := tables(o.Scripts)
	return judge{value: func(_ context.Context, x Sample) (float64, error) {
		want := wanted
		if want == nil {
			if want = tables(scriptsOf(x.Prompt)); want == nil {
				return 0, errors.New("scripts are not given and the prompt has no letters")
			}
		}
		if strings.TrimSpace(x.Response) == "" {
			return 0, nil
		}
		letters, right := 0, 0
		eachLetter(x.Response, func(r rune) {
			letters++
			if unicode.IsOneOf(want, r) {
				right++
			}
		})
		if letters == 0 {
			return 1, nil
		}
		return float64(right) / float64(letters), nil
	}}, nil
}

func tables(names []string) (out []*unicode.RangeTable) {
	for _, name := range names {
		out = append(out, unicode.Scripts[name])
	}
	return out
}

// eachLetter visits the letters of a text that are no names of LaTeX commands.
func eachLetter(text string, visit func(rune)) {
	command := false
	for _, r := range text {
		switch {
		case r == '\\':
			command = true
		case command && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'):
		default:
			command = false
			if unicode.IsLetter(r) && r != unicode.ReplacementChar {
				visit(r)
			}
		}
	}
}

// scriptOf is the name of a letter's script, "" for letters of none or of many; guess is tried first.
func scriptOf(r rune, guess string) string {
	if guess != "" && unicode.Is(unicode.Scripts[guess], r) {
		return guess
	}
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			if name == "Common" || name == "Inherited" {
				return ""
			}
			return name
		}
	}
	return ""
}

// scriptsOf are the scripts of a text's language, by its first letters: enough to tell.
func scriptsOf(text string) []string {
	const enough = 10_000
	count, seen, last := map[string]int{}, 0, ""
	eachLetter(text, func(r rune) {
		if seen++; seen > enough {
			return
		}
		if name := scriptOf(r, last); name != "" {
			count[name]++
			last = name
		}
	})
	best := ""
	for _, name := range names(count) {
		if best == "" || count[name] > count[best] {
			best = name
		}
	}
	if best == "" {
		return nil
	}
	for _, mark := range []string{"Hiragana", "Katakana", "Hangul"} { // Japanese may have more Han than Kana
		if best == mark || best == "Han" && count[mark]*10 >= count["Han"] {
			return together[mark]
		}
	}
	return []string{best}
}
