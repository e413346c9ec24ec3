package tokenizer

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// addedToken is a token that is found in text before anything else happens to it.
type addedToken struct {
	id         int32
	content    string
	singleWord bool // only between characters that are not of a word
	lstrip     bool // takes the white space before it
	rstrip     bool // takes the white space after it
	normalized bool // is looked for in normalized text
	special    bool // is left out by Decode with skipSpecial, found only with ParseSpecial
}

type addedTokens struct {
	byText map[string]addedToken
	byID   map[int32]addedToken
	raw    matcher // tokens looked for in the text as it is
	normal matcher // tokens looked for after normalization
}

// part is a token that was found (id >= 0) or the text between; first: it begins the whole text.
type part struct {
	id         int32
	text       string
	first      bool
	start, end int // of the text that was searched
}

func newAddedTokens(tokens []addedToken, n normalizer) *addedTokens {
	a := &addedTokens{byText: map[string]addedToken{}, byID: map[int32]addedToken{}}
	for _, t := range tokens {
		if t.content == "" {
			continue
		}
		a.byText[t.content], a.byID[t.id] = t, t
	}
	for _, t := range a.byText {
		if !t.normalized {
			a.raw.add(t.content, t)
			continue
		}
		pattern := t.content
		if n != nil {
			pattern = n(pattern)
		}
		a.normal.add(pattern, t)
	}
	a.raw.finish()
	a.normal.finish()
	return a
}

// split finds the added tokens of a text and normalizes what lies between them.
func (a *addedTokens) split(text string, n normalizer, special bool) []part {
	if !a.raw.some && !a.normal.some {
		if n != nil {
			text = n(text)
		}
		return []part{{-1, text, true, 0, len(text)}}
	}
	var out []part
	for _, p := range a.raw.find(text, special) {
		if p.id >= 0 {
			out = append(out, p)
			continue
		}
		if n != nil {
			p.text = n(p.text)
		}
		for _, q := range a.normal.find(p.text, special) {
			q.first = q.first && p.first
			out = append(out, q)
		}
	}
	return out
}

// matcher finds the leftmost, then longest, of its patterns.
type matcher struct {
	byFirst [256][]pattern // by the first byte, longest first
	some    bool
}

type pattern struct {
	text  string
	token addedToken
}

func (m *matcher) add(text string, t addedToken) {
	if text == "" {
		return
	}
	m.some = true
	m.byFirst[text[0]] = append(m.byFirst[text[0]], pattern{text, t})
}

func (m *matcher) finish() {
	for _, list := range m.byFirst {
		slices.SortFunc(list, func(a, b pattern) int {
			return cmp.Or(cmp.Compare(len(b.text), len(a.text)), cmp.Compare(a.token.id, b.token.id))
		})
	}
}

func (m *matcher) at(text string, i int) (pattern, bool) {
	for _, p := range m.byFirst[text[i]] {
		if strings.HasPrefix(text[i:], p.text) {
			return p, true
		}
	}
	return pattern{}, false
}

func (m *matcher) find(text string, special bool) []part {
	if !m.some {
		return []part{{-1, text, true, 0, len(text)}}
	}
	var out []part
	done := 0
	for i := 0; i < len(text); {
		if m.byFirst[text[i]] == nil {
			i++
			continue
		}
		p, ok := m.at(text, i)
		if !ok {
			i++
			continue
		}
		start, stop := i, i+len(p.text)
		i = stop // a match that is turned down below is passed over whole, as in the reference
		if p.token.special && !special {
			continue
		}
		if p.token.singleWord && (endsWithWord(text[:start]) || startsWithWord(text[stop:])) {
			continue
		}
		if p.token.lstrip {
			start = max(len(strings.TrimRightFunc(text[:start], unicode.IsSpace)), done)
		}
		if p.token.rstrip {
			stop = len(text) - len(strings.TrimLeftFunc(text[stop:], unicode.IsSpace))
		}
		start = max(start, done)
		if done < start {
			out = append(out, part{-1, text[done:start], done == 0, done, start})
		}
		out = append(out, part{id: p.token.id, text: p.text, start: start, end: max(stop, start)})
		done = max(stop, done)
	}
	if done < len(text) {
		out = append(out, part{-1, text[done:], done == 0, done, len(text)})
	}
	return out
}

func endsWithWord(s string) bool {
	r, n := utf8.DecodeLastRuneInString(s)
	return n > 0 && isWord(r)
}

func startsWithWord(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && isWord(r)
}

// isWord is \w as the reference reads it outside of patterns (Unicode TR 18, annex C).
func isWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.Is(unicode.Nd, r) || unicode.Is(unicode.Nl, r) || unicode.Is(unicode.Pc, r) ||
		unicode.Is(unicode.Other_Alphabetic, r) || r == '\u200c' || r == '\u200d'
}
