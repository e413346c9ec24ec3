package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// span is a piece of text on its way to the model; first: it begins the whole text.
type span struct {
	text  string
	first bool
}

// preTokenizer splits spans further; it may reuse the slice it is given.
type preTokenizer func([]span) []span

const preTokenizers = "ByteLevel, Digits, Metaspace, Punctuation, Sequence, Split, Whitespace, WhitespaceSplit"

func parsePreTokenizer(raw json.RawMessage) (preTokenizer, error) {
	if absent(raw) {
		return nil, nil
	}
	switch kind := kindOf(raw); kind {
	case "Sequence":
		var f struct {
			Steps []json.RawMessage `json:"pretokenizers"`
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		var steps []preTokenizer
		for i, r := range f.Steps {
			p, err := parsePreTokenizer(r)
			if err != nil {
				return nil, fmt.Errorf("pretokenizers[%d]: %w", i, err)
			}
			if p != nil {
				steps = append(steps, p)
			}
		}
		return func(in []span) []span {
			for _, p := range steps {
				in = p(in)
			}
			return in
		}, nil
	case "ByteLevel":
		f := struct {
			Prefix   *bool `json:"add_prefix_space"`
			UseRegex *bool `json:"use_regex"`
		}{}
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		return byteLevel(f.Prefix == nil || *f.Prefix, f.UseRegex == nil || *f.UseRegex), nil
	case "Split":
		var f struct {
			Pattern  patternFile
			Behavior string
			Invert   bool
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		if f.Pattern.Regex != nil && f.Pattern.String == nil && f.Behavior == "Isolated" {
			if next, ok := scanners[*f.Pattern.Regex]; ok { // without gaps, inverting changes nothing
				return scanSplit(next), nil
			}
		}
		find, err := f.Pattern.finder()
		if err != nil {
			return nil, err
		}
		return newSplit(find, f.Behavior, f.Invert)
	case "Digits":
		var f struct {
			Individual bool `json:"individual_digits"`
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		if f.Individual {
			return newSplit(eachRune(unicode.IsNumber), "Isolated", false)
		}
		return newSplit(eachRune(unicode.IsNumber), "Contiguous", false)
	case "Punctuation":
		f := struct{ Behavior string }{"Isolated"}
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		return newSplit(eachRune(isPunctuation), f.Behavior, false)
	case "WhitespaceSplit":
		return newSplit(eachRune(unicode.IsSpace), "Removed", false)
	case "Whitespace":
		return newSplit(wordRuns, "Removed", true)
	case "Metaspace":
		return parseMetaspace(raw)
	default:
		return nil, unsupported(kind, preTokenizers)
	}
}

// scanSplit cuts where the matches of a scanner end.
func scanSplit(next func(s string, i int) int) preTokenizer {
	return func(in []span) []span {
		size := 0
		for _, s := range in {
			size += len(s.text)
		}
		out := make([]span, 0, size/3+1)
		for _, s := range in {
			for i := 0; i < len(s.text); {
				end := next(s.text, i)
				out = append(out, span{s.text[i:end], s.first && i == 0})
				i = end
			}
		}
		return out
	}
}

func byteLevel(prefixSpace, useRegex bool) preTokenizer {
	if !prefixSpace && !useRegex {
		return toByteSpans
	}
	return func(in []span) []span {
		var out []span
		for _, s := range in {
			if prefixSpace && !strings.HasPrefix(s.text, " ") {
				s.text = " " + s.text
			}
			if !useRegex {
				out = append(out, span{toByteChars(s.text), s.first})
				continue
			}
			for i := 0; i < len(s.text); {
				end := gpt2Next(s.text, i)
				out = append(out, span{toByteChars(s.text[i:end]), s.first && i == 0})
				i = end
			}
		}
		return out
	}
}

// eachRune matches single characters.
func eachRune(is func(rune) bool) finder {
	return func(text string) [][2]int {
		var out [][2]int
		for i, r := range text {
			if is(r) {
				out = append(out, [2]int{i, i + utf8.RuneLen(r)})
			}
		}
		return out
	}
}

// wordRuns is \w+|[^\w\s]+ .
func wordRuns(text string) [][2]int {
	var out [][2]int
	kind := func(r rune) int {
		switch {
		case isWord(r):
			return 1
		case unicode.IsSpace(r):
			return 0
		}
		return 2
	}
	last := 0
	for i, r := range text {
		k := kind(r)
		switch {
		case k == 0:
		case k == last:
			out[len(out)-1][1] = i + utf8.RuneLen(r)
		default:
			out = append(out, [2]int{i, i + utf8.RuneLen(r)})
		}
		last = k
	}
	return out
}

func isPunctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return r > ' ' && r < 0x7f && !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}
	return unicode.IsPunct(r)
}

// cut is a stretch of text, a match or what lies between matches.
type cut struct {
	start, end int
	match      bool
}

func cuts(text string, matches [][2]int, invert bool) []cut {
	out := make([]cut, 0, 2*len(matches)+1)
	done := 0
	for _, m := range matches {
		if m[0] > done {
			out = append(out, cut{done, m[0], invert})
		}
		out = append(out, cut{m[0], m[1], !invert})
		done = m[1]
	}
	if done < len(text) {
		out = append(out, cut{done, len(text), invert})
	}
	return out
}

// newSplit cuts at the matches; the behavior says where the matches go.
func newSplit(find finder, behavior string, invert bool) (preTokenizer, error) {
	var arrange func([]cut) []cut
	switch behavior {
	case "Isolated":
		arrange = func(c []cut) []cut { return c }
	case "Removed":
		arrange = removeMatches
	case "MergedWithPrevious":
		arrange = mergePrevious
	case "MergedWithNext":
		arrange = mergeNext
	case "Contiguous":
		arrange = mergeEqual
	default:
		return nil, fmt.Errorf("behavior %q is not supported (supported: Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous)", behavior)
	}
	return func(in []span) []span {
		out := make([]span, 0, len(in))
		for _, s := range in {
			for _, c := range arrange(cuts(s.text, find(s.text), invert)) {
				out = append(out, span{s.text[c.start:c.end], s.first && c.start == 0})
			}
		}
		return out
	}, nil
}

func removeMatches(in []cut) []cut {
	out := in[:0]
	for _, c := range in {
		if !c.match {
			out = append(out, c)
		}
	}
	return out
}

// mergePrevious joins a match to the stretch before it; of matches in a row only the first moves.
func mergePrevious(in []cut) []cut {
	var out []cut
	previous := false
	for _, c := range in {
		if c.match && !previous && len(out) > 0 {
			out[len(out)-1].end = c.end
		} else {
			out = append(out, c)
		}
		previous = c.match
	}
	return out
}

// mergeNext joins a match to the stretch after it; of matches in a row only the last moves.
func mergeNext(in []cut) []cut {
	var out []cut // from the end of the text to its start
	previous := false
	for i := len(in) - 1; i >= 0; i-- {
		c := in[i]
		if c.match && !previous && len(out) > 0 {
			out[len(out)-1].start = c.start
		} else {
			out = append(out, c)
		}
		previous = c.match
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func mergeEqual(in []cut) []cut {
	var out []cut
	for _, c := range in {
		if n := len(out); n > 0 && out[n-1].match == c.match {
			out[n-1].end = c.end
		} else {
			out = append(out, c)
		}
	}
	return out
}

// metaspace is the mark that SentencePiece writes for a space, and when a text gets one in front:
// "always" for every part between added tokens, "first" for the start of the text, "never".
type metaspace struct {
	mark   string
	scheme string
	split  bool
}

func readMetaspace(raw json.RawMessage) (metaspace, error) {
	var f struct {
		Replacement string
		Prefix      *bool   `json:"add_prefix_space"` // older form of prepend_scheme
		Scheme      *string `json:"prepend_scheme"`
		Split       *bool
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return metaspace{}, err
	}
	if utf8.RuneCountInString(f.Replacement) != 1 {
		return metaspace{}, errors.New("replacement: must be one character")
	}
	m := metaspace{f.Replacement, "always", f.Split == nil || *f.Split}
	switch {
	case f.Scheme != nil:
		m.scheme = *f.Scheme
	case f.Prefix != nil && !*f.Prefix:
		m.scheme = "never"
	}
	if m.scheme != "always" && m.scheme != "first" && m.scheme != "never" {
		return metaspace{}, fmt.Errorf("prepend_scheme %q is not supported (supported: always, first, never)", m.scheme)
	}
	return m, nil
}

func parseMetaspace(raw json.RawMessage) (preTokenizer, error) {
	m, err := readMetaspace(raw)
	if err != nil {
		return nil, err
	}
	split, err := newSplit(stringFinder(m.mark), "MergedWithNext", false)
	if err != nil {
		return nil, err
	}
	return func(in []span) []span {
		out := make([]span, 0, len(in))
		for _, s := range in {
			s.text = strings.ReplaceAll(s.text, " ", m.mark)
			if (m.scheme == "always" || m.scheme == "first" && s.first) && !strings.HasPrefix(s.text, m.mark) {
				s.text = m.mark + s.text
			}
			out = append(out, s)
		}
		if m.split {
			out = split(out)
		}
		return out
	}, nil
}
