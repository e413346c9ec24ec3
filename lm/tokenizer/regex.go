package tokenizer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dlclark/regexp2"
)

// finder returns the matches of a pattern as byte offsets, in order, none empty.
type finder func(text string) [][2]int

// patternFile is how tokenizer.json writes a pattern.
type patternFile struct {
	String *string
	Regex  *string
}

// The split patterns of the large families. They are matched by hand-written scanners; regexp2,
// which serves all others, is about fifty times slower.
const (
	gpt2Pattern   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	qwen2Pattern  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	llama3Pattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// scanners give where the match that starts at i ends; matches follow one another without gaps.
var scanners = map[string]func(s string, i int) int{gpt2Pattern: gpt2Next, qwen2Pattern: qwen2Next, llama3Pattern: llama3Next}

func (p patternFile) finder() (finder, error) {
	switch {
	case p.Regex != nil && p.String == nil:
		return regexFinder(*p.Regex)
	case p.String != nil && p.Regex == nil:
		return stringFinder(*p.String), nil
	}
	return nil, errors.New("pattern: must be a String or a Regex")
}

func stringFinder(pattern string) finder {
	return func(text string) [][2]int {
		var out [][2]int
		if pattern == "" {
			return out
		}
		for at := 0; ; {
			i := strings.Index(text[at:], pattern)
			if i < 0 {
				return out
			}
			out = append(out, [2]int{at + i, at + i + len(pattern)})
			at += i + len(pattern)
		}
	}
}

func regexFinder(pattern string) (finder, error) {
	if next, ok := scanners[pattern]; ok {
		return func(s string) [][2]int { return scan(s, next) }, nil
	}
	return slowFinder(pattern)
}

// slowFinder matches any pattern that regexp2 knows. ^ and $ match at line ends, as in the
// reference's engine. Possessive quantifiers are an error.
func slowFinder(pattern string) (finder, error) {
	translated, err := translate(pattern)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	re, err := regexp2.Compile(translated, regexp2.Multiline)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	return func(text string) [][2]int {
		runes := []rune(text)
		var out [][2]int
		at, byteAt := 0, 0 // the same place in runes and in bytes
		seek := func(to int) int {
			for ; at < to; at++ {
				byteAt += len(string(runes[at]))
			}
			return byteAt
		}
		// Without a time limit matching cannot fail.
		for m, _ := re.FindRunesMatch(runes); m != nil; m, _ = re.FindNextMatch(m) {
			if m.Length > 0 {
				start := seek(m.Index)
				out = append(out, [2]int{start, seek(m.Index + m.Length)})
			}
		}
		return out
	}, nil
}

// wordMembers is what \w matches in the reference's engine, as members of a class; regexp2 leaves
// out some marks, numbers and circled letters.
const wordMembers = `\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}²³¹¼-¾Ⓐ-ⓩ` + "\U0001F130-\U0001F149\U0001F150-\U0001F169\U0001F170-\U0001F189"

// translate writes out \w and \W.
func translate(pattern string) (string, error) {
	var b strings.Builder
	depth := 0 // of square brackets
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if c == '\\' && i+1 < len(pattern) {
			i++
			switch {
			case pattern[i] == 'w' && depth > 0:
				b.WriteString(wordMembers)
			case pattern[i] == 'w':
				b.WriteString("[" + wordMembers + "]")
			case pattern[i] == 'W' && depth > 0:
				return "", errors.New(`\W within [] is not supported`)
			case pattern[i] == 'W':
				b.WriteString("[^" + wordMembers + "]")
			default:
				b.WriteString(pattern[i-1 : i+1])
			}
			continue
		}
		switch {
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		}
		b.WriteByte(c)
	}
	return b.String(), nil
}
