package tokenizer

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf8"
)

const spmSpace = "▁"

// spmNormalizer rewrites text as a SentencePiece model asks: character rules, spaces, the space in front.
// User-defined pieces pass through as they are.
type spmNormalizer struct {
	file    *spmFile
	trie    []uint32 // units of a double array; nil: no rules
	targets []byte   // what the rules write, each ended by a zero byte
	user    matcher
}

// newSPMNormalizer reads the precompiled rules: the size of the trie in bytes, the trie, the targets; little-endian.
func newSPMNormalizer(f *spmFile) (*spmNormalizer, error) {
	n := &spmNormalizer{file: f, user: userDefined(f)}
	if len(f.charsmap) == 0 {
		return n, nil
	}
	if len(f.charsmap) < 4 {
		return nil, errors.New("is cut short")
	}
	size := int(binary.LittleEndian.Uint32(f.charsmap))
	rest := f.charsmap[4:]
	if size%4 != 0 || size == 0 || size > len(rest) {
		return nil, errors.New("the trie's size does not fit")
	}
	n.trie = make([]uint32, size/4)
	for i := range n.trie {
		n.trie[i] = binary.LittleEndian.Uint32(rest[4*i:])
	}
	n.targets = rest[size:]
	if len(n.targets) == 0 || n.targets[len(n.targets)-1] != 0 {
		return nil, errors.New("the targets do not end with a zero byte")
	}
	return n, nil
}

func userDefined(f *spmFile) matcher {
	var m matcher
	for i, p := range f.pieces {
		if p.kind == spmUserDefined {
			m.add(p.text, addedToken{id: int32(i), content: p.text})
		}
	}
	m.finish()
	return m
}

// rule finds the longest rule that matches at the start of s: the offset of its target, and how
// many bytes it takes. A unit of the double array (https://github.com/s-yata/darts-clone) holds
// a label in bits 0-7 and 31, in bit 8 whether a value hangs below, and the offset to its
// children in bits 10-30, 8 places further left where bit 9 is set; a leaf holds its value.
func (n *spmNormalizer) rule(s string) (target, length int) {
	if n.trie == nil {
		return 0, 0
	}
	offset := func(unit uint32) uint32 { return (unit >> 10) << ((unit & (1 << 9)) >> 6) }
	at := offset(n.trie[0])
	for i := range len(s) {
		at ^= uint32(s[i])
		if int(at) >= len(n.trie) {
			break
		}
		unit := n.trie[at]
		if unit&(1<<31|0xff) != uint32(s[i]) {
			break
		}
		at ^= offset(unit)
		if unit&(1<<8) != 0 && int(at) < len(n.trie) {
			target, length = int(n.trie[at]&(1<<31-1)), i+1
		}
	}
	return target, length
}

// next gives what the start of s becomes and how many bytes of s that is.
func (n *spmNormalizer) next(s string) (string, int) {
	if p, ok := n.user.at(s, 0); ok {
		return p.text, len(p.text)
	}
	if target, length := n.rule(s); length > 0 && target < len(n.targets) {
		end := target
		for n.targets[end] != 0 {
			end++
		}
		return string(n.targets[target:end]), length
	}
	_, size := utf8.DecodeRuneInString(s)
	return s[:size], size
}

// text normalizes s; prefix: a space goes in front if the model asks for one.
func (n *spmNormalizer) text(s string, prefix bool) string {
	trim, space := n.file.trimSpaces, " "
	if n.file.escape {
		space = spmSpace
	}
	for trim && s != "" {
		to, size := n.next(s)
		if to != " " {
			break
		}
		s = s[size:]
	}
	if s == "" {
		return ""
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/2 + len(space))
	if prefix && n.file.dummyPrefix {
		b.WriteString(space)
	}
	afterSpace := trim
	for s != "" {
		to, size := n.next(s)
		s = s[size:]
		if afterSpace {
			to = strings.TrimLeft(to, " ")
		}
		for i := range len(to) {
			if to[i] == ' ' {
				b.WriteString(space)
			} else {
				b.WriteByte(to[i])
			}
		}
		if to != "" {
			afterSpace = trim && strings.HasSuffix(to, " ")
		}
	}
	out := b.String()
	for trim && strings.HasSuffix(out, space) {
		out = strings.TrimSuffix(out, space)
	}
	return out
}

// spans normalizes each stretch of text between special tokens. The first one alone gets the
// space in front or, with legacy, each.
func (n *spmNormalizer) spans(legacy bool) preTokenizer {
	return func(in []span) []span {
		for i := range in {
			in[i].text = n.text(in[i].text, legacy || in[i].first)
		}
		return in
	}
}

// decode writes spaces for their marks and drops those at the start of the text that text has put there: one, or
// with trimSpaces that of each piece before any text.
func (n *spmNormalizer) decode(pieces []string) []string {
	out := make([]string, len(pieces))
	start := n.file.dummyPrefix || n.file.trimSpaces
	for i, p := range pieces {
		if start {
			after, found := strings.CutPrefix(p, spmSpace)
			p = after
			start = p == "" && !(found && !n.file.trimSpaces)
		}
		out[i] = strings.ReplaceAll(p, spmSpace, " ")
	}
	return out
}
