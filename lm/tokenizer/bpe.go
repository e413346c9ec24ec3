package tokenizer

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// Byte-pair encoding (Sennrich et al., "Neural Machine Translation of Rare Words with Subword
// Units", arXiv 1508.07909): start from characters; while any adjacent pair is in the merge list,
// join the pair of the lowest rank, the leftmost of equals.

type merge struct {
	rank int32
	id   int32
}

type bpe struct {
	vocab        map[string]int32
	pieces       []string // by id; holes are empty
	present      []bool   // tells a hole from an empty piece
	merges       map[uint64]merge
	bytes        [256]int32 // tokens <0x00>…<0xFF>; -1: none
	byteFallback bool
	unk          int32 // -1: none
	fuseUnk      bool
	ignoreMerges bool   // a word that is in the vocabulary is taken whole
	prefix       string // continuing_subword_prefix
	suffix       string // end_of_word_suffix

	words bool // nothing that is merged joins words that begin with a space's mark, and no character is unknown
	cache wordCache
}

const (
	scanSymbols = 24      // up to here scanning all pairs is quicker than a heap
	maxHoles    = 1 << 16 // ids without a token; more are taken for damage
)

func pairKey(a, b int32) uint64 { return uint64(uint32(a))<<32 | uint64(uint32(b)) }

// newVocab indexes a vocabulary by id.
func newVocab(vocab map[string]int32) (pieces []string, present []bool, err error) {
	top := int32(-1)
	for piece, id := range vocab {
		if id < 0 || int(id) >= len(vocab)+maxHoles {
			return nil, nil, fmt.Errorf("token %q: impossible id %d", piece, id)
		}
		top = max(top, id)
	}
	pieces, present = make([]string, top+1), make([]bool, top+1)
	for piece, id := range vocab {
		if present[id] {
			return nil, nil, fmt.Errorf("tokens %q and %q share id %d", pieces[id], piece, id)
		}
		pieces[id], present[id] = piece, true
	}
	return pieces, present, nil
}

// newBPE needs every merge and its result in the vocabulary.
func newBPE(vocab map[string]int32, merges [][2]string, b *bpe) (*bpe, error) {
	var err error
	if b.pieces, b.present, err = newVocab(vocab); err != nil {
		return nil, fmt.Errorf("vocab: %w", err)
	}
	b.vocab = vocab
	b.merges = make(map[uint64]merge, len(merges))
	for rank, m := range merges {
		left, ok := vocab[m[0]]
		if !ok {
			return nil, fmt.Errorf("merges[%d]: token %q is not in the vocabulary", rank, m[0])
		}
		right, ok := vocab[m[1]]
		if !ok || len(m[1]) < len(b.prefix) {
			return nil, fmt.Errorf("merges[%d]: token %q is not in the vocabulary", rank, m[1])
		}
		joined := m[0] + m[1][len(b.prefix):]
		id, ok := vocab[joined]
		if !ok {
			return nil, fmt.Errorf("merges[%d]: token %q, which %q and %q make, is not in the vocabulary", rank, joined, m[0], m[1])
		}
		b.merges[pairKey(left, right)] = merge{int32(rank), id}
	}
	for i := range b.bytes {
		b.bytes[i] = -1
		if id, ok := vocab[fmt.Sprintf("<0x%02X>", i)]; ok {
			b.bytes[i] = id
		}
	}
	b.words = b.byteFallback && !slices.Contains(b.bytes[:], -1) && !b.ignoreMerges && b.prefix == "" && b.suffix == "" && !slices.ContainsFunc(b.pieces, joinsWords)
	return b, nil
}

func (b *bpe) id(piece string) (int32, bool) { id, ok := b.vocab[piece]; return id, ok }
func (b *bpe) size() int                     { return len(b.pieces) }
func (b *bpe) unknown() (int32, bool)        { return b.unk, b.unk >= 0 }
func (b *bpe) piece(id int32) (string, bool) {
	if id < 0 || int(id) >= len(b.pieces) || !b.present[id] {
		return "", false
	}
	return b.pieces[id], true
}

func (b *bpe) encode(word string, out []int32) []int32 {
	if b.ignoreMerges {
		if id, ok := b.vocab[word]; ok {
			return append(out, id)
		}
	}
	switch {
	case len(b.merges) == 0:
		return append(out, b.symbols(word)...)
	case b.words && len(word) > cacheWordLen:
		for w := range marked(word) {
			out = b.cache.encode(w, out, b.mergeWord)
		}
		return out
	}
	return b.cache.encode(word, out, b.mergeWord)
}

func (b *bpe) mergeWord(word string) []int32 { return b.merge(b.symbols(word)) }

// symbols gives each character its token, its bytes' tokens or the unknown token; a character
// that has none of these is dropped. An unknown token that waits to be fused comes after byte
// tokens that follow it, as in the reference.
func (b *bpe) symbols(word string) []int32 {
	syms := make([]int32, 0, len(word))
	pending := false
	for i := 0; i < len(word); {
		_, n := utf8.DecodeRuneInString(word[i:])
		s := word[i : i+n]
		if i > 0 && b.prefix != "" {
			s = b.prefix + s
		}
		if i+n == len(word) && b.suffix != "" {
			s += b.suffix
		}
		i += n
		if id, ok := b.vocab[s]; ok {
			if pending {
				syms, pending = append(syms, b.unk), false
			}
			syms = append(syms, id)
			continue
		}
		if b.byteFallback && b.hasBytes(s) {
			for j := range len(s) {
				syms = append(syms, b.bytes[s[j]])
			}
			continue
		}
		if b.unk >= 0 {
			if pending && !b.fuseUnk {
				syms = append(syms, b.unk)
			}
			pending = true
		}
	}
	if pending {
		syms = append(syms, b.unk)
	}
	return syms
}

func (b *bpe) hasBytes(s string) bool {
	for i := range len(s) {
		if b.bytes[s[i]] < 0 {
			return false
		}
	}
	return true
}

// merge applies the merge list in place.
func (b *bpe) merge(syms []int32) []int32 {
	if len(b.merges) == 0 || len(syms) < 2 {
		return syms
	}
	if len(syms) > scanSymbols {
		return b.mergeHeap(syms)
	}
	var ranks [scanSymbols]merge // of the pair that starts at each symbol; rank -1: none
	look := func(i int) merge {
		if m, ok := b.merges[pairKey(syms[i], syms[i+1])]; ok {
			return m
		}
		return merge{rank: -1}
	}
	for i := range len(syms) - 1 {
		ranks[i] = look(i)
	}
	for {
		best := -1
		for i := range len(syms) - 1 {
			if ranks[i].rank >= 0 && (best < 0 || ranks[i].rank < ranks[best].rank) {
				best = i
			}
		}
		if best < 0 {
			return syms
		}
		syms[best] = ranks[best].id
		copy(syms[best+1:], syms[best+2:])
		copy(ranks[best:], ranks[best+1:len(syms)-1])
		syms = syms[:len(syms)-1]
		if best > 0 {
			ranks[best-1] = look(best - 1)
		}
		if best < len(syms)-1 {
			ranks[best] = look(best)
		}
	}
}

// candidate is a pair that can be merged: the symbol at pos with the one after it, into id.
type candidate struct {
	rank, pos int32
	left      int32 // ids when the candidate was made; it has expired if they changed
	right     int32
	id        int32
}

func beforeCandidate(a, b *candidate) bool {
	if a.rank != b.rank {
		return a.rank < b.rank
	}
	return a.pos < b.pos
}

// mergeHeap is merge for long words, in n log n: symbols in a linked list, pairs in a heap.
func (b *bpe) mergeHeap(syms []int32) []int32 {
	n := int32(len(syms))
	next, prev := make([]int32, n), make([]int32, n)
	pairs := queue[candidate]{items: make([]candidate, 0, n), before: beforeCandidate}
	push := func(i, j int32) {
		if m, ok := b.merges[pairKey(syms[i], syms[j])]; ok {
			pairs.put(candidate{m.rank, i, syms[i], syms[j], m.id})
		}
	}
	for i := range n {
		next[i], prev[i] = i+1, i-1
		if i+1 < n {
			push(i, i+1)
		}
	}
	const gone = -1
	for c, ok := pairs.take(); ok; c, ok = pairs.take() {
		i := c.pos
		if syms[i] != c.left || next[i] >= n || syms[next[i]] != c.right {
			continue
		}
		j := next[i]
		syms[i], syms[j] = c.id, gone
		next[i] = next[j]
		if next[i] < n {
			prev[next[i]] = i
			push(i, next[i])
		}
		if prev[i] >= 0 {
			push(prev[i], i)
		}
	}
	out := syms[:0]
	for _, s := range syms {
		if s != gone {
			out = append(out, s)
		}
	}
	return out
}
