package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// Scanners for the split patterns in regex.go. Each next function returns where the match that
// starts at i ends; every character belongs to some match, so there are no gaps.

type runeClass uint8

const (
	other  runeClass = iota
	letter           // \p{L}
	number           // \p{N}
	space            // \s but for CR and LF
	newline
)

var asciiClass [utf8.RuneSelf]runeClass

func init() {
	for i := range asciiClass {
		asciiClass[i] = slowClass(rune(i))
	}
}

func slowClass(r rune) runeClass {
	switch {
	case r == '\r' || r == '\n':
		return newline
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return number
	case unicode.IsSpace(r):
		return space
	}
	return other
}

// classAt returns the class and the length of the character at i; length 0 at the end.
func classAt(s string, i int) (runeClass, int) {
	if i >= len(s) {
		return other, 0
	}
	if s[i] < utf8.RuneSelf {
		return asciiClass[s[i]], 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	return slowClass(r), n
}

// run returns where the run of one class that includes i ends.
func run(s string, i int, class runeClass) int {
	for {
		c, n := classAt(s, i)
		if n == 0 || c != class {
			return i
		}
		i += n
	}
}

// spaces returns where the run of white space from i ends, where its last character starts and
// where its last CR or LF ends (-1: none).
func spaces(s string, i int) (end, last, afterNewline int) {
	end, last, afterNewline = i, i, -1
	for {
		c, n := classAt(s, end)
		if n == 0 || c != space && c != newline {
			return end, last, afterNewline
		}
		last, end = end, end+n
		if c == newline {
			afterNewline = end
		}
	}
}

// spaceEnd is \s+(?!\S)|\s+ : all white space to the end of the text, else all but the last
// character, else that one.
func spaceEnd(s string, i, end, last int) int {
	if end == len(s) || last == i {
		return end
	}
	return last
}

func scan(s string, next func(s string, i int) int) [][2]int {
	out := make([][2]int, 0, len(s)/4+1)
	for i := 0; i < len(s); {
		end := next(s, i)
		out = append(out, [2]int{i, end})
		i = end
	}
	return out
}

// contraction is the length of 's, 't, 're, 've, 'm, 'll or 'd at i; 0: none.
func contraction(s string, i int, fold bool) int {
	if i+1 >= len(s) || s[i] != '\'' {
		return 0
	}
	at := func(j int) byte {
		if j >= len(s) {
			return 0
		}
		if c := s[j]; fold && c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return s[j]
	}
	switch at(i + 1) {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if at(i+2) == 'e' {
			return 3
		}
	case 'l':
		if at(i+2) == 'l' {
			return 3
		}
	case 0xC5: // ſ, the long s, folds to s
		if fold && at(i+2) == 0xBF {
			return 3
		}
	}
	return 0
}

func gpt2Next(s string, i int) int {
	if n := contraction(s, i, false); n > 0 {
		return i + n
	}
	c, n := classAt(s, i)
	if s[i] == ' ' {
		if after, m := classAt(s, i+1); m > 0 && after != space && after != newline {
			return run(s, i+1, after)
		}
	}
	if c == space || c == newline {
		end, last, _ := spaces(s, i)
		return spaceEnd(s, i, end, last)
	}
	return run(s, i+n, c)
}

func qwen2Next(s string, i int) int  { return cl100kNext(s, i, 1) }
func llama3Next(s string, i int) int { return cl100kNext(s, i, 3) }

// cl100kNext differs between families in how many digits make one match.
func cl100kNext(s string, i, digits int) int {
	if n := contraction(s, i, true); n > 0 {
		return i + n
	}
	c, n := classAt(s, i)
	switch c {
	case letter:
		return run(s, i+n, letter)
	case number:
		end := i + n
		for k := 1; k < digits; k++ {
			after, m := classAt(s, end)
			if m == 0 || after != number {
				break
			}
			end += m
		}
		return end
	}
	after, m := classAt(s, i+n)
	if c != newline && m > 0 && after == letter {
		return run(s, i+n+m, letter)
	}
	if c == other || s[i] == ' ' && m > 0 && after == other {
		return run(s, run(s, i+n, other), newline)
	}
	end, last, afterNewline := spaces(s, i)
	if afterNewline >= 0 {
		return afterNewline
	}
	return spaceEnd(s, i, end, last)
}
