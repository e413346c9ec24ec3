package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// The byte-level alphabet of GPT-2: every byte stands as one printable character. Bytes that
// print as themselves do; the rest follow from U+0100 in order.
var (
	byteRune [256]rune
	runeByte = map[rune]byte{}
)

func init() {
	next := rune(256)
	for b := range 256 {
		r := rune(b)
		if !(r >= '!' && r <= '~' || r >= '¡' && r <= '¬' || r >= '®' && r <= 'ÿ') {
			r = next
			next++
		}
		byteRune[b], runeByte[r] = r, byte(b)
	}
}

// toByteChars spells the bytes of s in the byte-level alphabet.
func toByteChars(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.Grow(2 * len(s))
	for i := range len(s) {
		b.WriteRune(byteRune[s[i]])
	}
	return b.String()
}

// toByteSpans is toByteChars of each span, with one allocation for all.
func toByteSpans(in []span) []span {
	size := 0
	for _, s := range in {
		size += byteCharsLen(s.text)
	}
	var b strings.Builder
	b.Grow(size)
	for _, s := range in {
		for i := range len(s.text) {
			if c := s.text[i]; c > ' ' && c <= '~' {
				b.WriteByte(c)
			} else {
				b.WriteRune(byteRune[c])
			}
		}
	}
	all, at := b.String(), 0
	for i, s := range in {
		n := byteCharsLen(s.text)
		in[i].text = all[at : at+n]
		at += n
	}
	return in
}

func byteCharsLen(s string) int {
	n := len(s)
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			n++
		}
	}
	return n
}

// appendBytes undoes toByteChars; a piece with any other character is its own UTF-8 bytes.
func appendBytes(out []byte, piece string) []byte {
	start := len(out)
	for _, r := range piece {
		b, ok := runeByte[r]
		if !ok {
			return append(out[:start], piece...)
		}
		out = append(out, b)
	}
	return out
}

// lossy reads bytes as UTF-8, with one U+FFFD for each maximal part of a broken character (the
// practice that the Unicode standard recommends in section 3.9).
func lossy(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 {
			n = brokenLen(b)
			out.WriteRune(utf8.RuneError)
		} else {
			out.Write(b[:n])
		}
		b = b[n:]
	}
	return out.String()
}

// brokenLen is the length of the longest prefix of b that begins some character; at least 1.
func brokenLen(b []byte) int {
	lo, hi, more := byte(0x80), byte(0xBF), 0
	switch c := b[0]; {
	case c >= 0xC2 && c <= 0xDF:
		more = 1
	case c >= 0xE0 && c <= 0xEF:
		more = 2
		if c == 0xE0 {
			lo = 0xA0
		} else if c == 0xED {
			hi = 0x9F
		}
	case c >= 0xF0 && c <= 0xF4:
		more = 3
		if c == 0xF0 {
			lo = 0x90
		} else if c == 0xF4 {
			hi = 0x8F
		}
	}
	n := 1
	for n <= more && n < len(b) && b[n] >= lo && b[n] <= hi {
		n, lo, hi = n+1, 0x80, 0xBF
	}
	return n
}

// unfinished is how many bytes at the end of b begin a character that more bytes could complete.
func unfinished(b []byte) int {
	for n := 1; n <= 3 && n <= len(b); n++ {
		tail := b[len(b)-n:]
		if utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) && brokenLen(tail) == n {
				return n
			}
			return 0
		}
	}
	return 0
}
