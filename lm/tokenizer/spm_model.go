package tokenizer

import (
	"math"
	"unicode/utf8"
)

// spmVocab is what SentencePiece's two models share. Ids, ties and the precision of sums are
// those of the reference, so that the same ids come out.
type spmVocab struct {
	pieces       []spmPiece
	ids          map[string]int32 // of all pieces
	matched      map[string]int32 // of those that text can spell: normal, user-defined and unused
	unk          int32
	bytes        [256]int32
	byteFallback bool
	user         matcher
	longest      int // bytes of the longest matched piece
}

func newSPMVocab(f *spmFile) *spmVocab {
	v := &spmVocab{pieces: f.pieces, ids: make(map[string]int32, len(f.pieces)), matched: make(map[string]int32, len(f.pieces)),
		byteFallback: f.byteFallback, user: userDefined(f)}
	for i, p := range f.pieces {
		v.ids[p.text] = int32(i)
		switch p.kind {
		case spmUnknown:
			v.unk = int32(i)
		case spmByte:
			b, _ := fallbackByte(p.text)
			v.bytes[b] = int32(i)
		case spmNormal, spmUserDefined, spmUnused:
			v.matched[p.text] = int32(i)
			v.longest = max(v.longest, len(p.text))
		}
	}
	return v
}

func (v *spmVocab) id(piece string) (int32, bool) { id, ok := v.ids[piece]; return id, ok }
func (v *spmVocab) size() int                     { return len(v.pieces) }
func (v *spmVocab) unknown() (int32, bool)        { return v.unk, true }
func (v *spmVocab) piece(id int32) (string, bool) {
	if id < 0 || int(id) >= len(v.pieces) {
		return "", false
	}
	return v.pieces[id].text, true
}

// appendUnknown writes a stretch without a piece: its bytes, or one unknown token for all stretches
// in a row.
func (v *spmVocab) appendUnknown(out []int32, s string, afterUnknown bool) []int32 {
	if !v.byteFallback {
		if afterUnknown {
			return out
		}
		return append(out, v.unk)
	}
	for i := range len(s) {
		out = append(out, v.bytes[s[i]])
	}
	return out
}

// spmBPE joins, of all adjacent symbols that together are a piece, those of the highest score,
// the leftmost of equals, until none are left. User-defined pieces are never joined. A piece that
// is unused is taken apart again into what it was joined from.
type spmBPE struct {
	*spmVocab
	words bool // no piece joins words that begin with a space's mark, and no character is unknown
	cache wordCache
}

func newSPMBPE(v *spmVocab) *spmBPE {
	b := &spmBPE{spmVocab: v, words: v.byteFallback}
	for piece := range v.matched {
		b.words = b.words && !joinsWords(piece)
	}
	return b
}

func (b *spmBPE) encode(text string, out []int32) []int32 {
	if !b.words {
		return append(out, b.merge(text)...)
	}
	for w := range marked(text) {
		out = b.cache.encode(w, out, b.merge)
	}
	return out
}

type spmSymbol struct {
	prev, next int32
	start, end int32 // of the text; empty: joined to the one before
	frozen     bool
}

type spmPair struct {
	score       float32
	left, right int32
	size        int32 // bytes of both; the pair has expired if they have changed
}

func beforePair(a, b *spmPair) bool {
	if a.score != b.score {
		return a.score > b.score
	}
	return a.left < b.left
}

func (b *spmBPE) merge(text string) (out []int32) {
	syms := make([]spmSymbol, 0, len(text))
	for i := 0; i < len(text); {
		_, size := utf8.DecodeRuneInString(text[i:])
		p, frozen := b.user.at(text, i)
		if frozen {
			size = len(p.text)
		}
		n := int32(len(syms))
		syms = append(syms, spmSymbol{n - 1, n + 1, int32(i), int32(i + size), frozen})
		i += size
	}
	if len(syms) == 0 {
		return nil
	}
	syms[len(syms)-1].next = -1
	pairs := queue[spmPair]{items: make([]spmPair, 0, len(syms)), before: beforePair}
	apart := map[string]int{} // unused pieces by the length of their left part
	add := func(i, j int32) {
		if i < 0 || j < 0 || syms[i].frozen || syms[j].frozen {
			return
		}
		s := text[syms[i].start:syms[j].end]
		id, ok := b.matched[s]
		if !ok {
			return
		}
		if b.pieces[id].kind == spmUnused {
			apart[s] = int(syms[i].end - syms[i].start)
		}
		pairs.put(spmPair{b.pieces[id].score, i, j, int32(len(s))})
	}
	for i := range int32(len(syms)) - 1 {
		add(i, i+1)
	}
	for p, ok := pairs.take(); ok; p, ok = pairs.take() {
		l, r := &syms[p.left], &syms[p.right]
		if l.start == l.end || r.start == r.end || r.end-l.start != p.size || l.next != p.right {
			continue
		}
		l.end, l.next = r.end, r.next
		if r.next >= 0 {
			syms[r.next].prev = p.left
		}
		r.start = r.end
		add(l.prev, p.left)
		add(p.left, l.next)
	}
	unknown := false
	var put func(s string)
	put = func(s string) {
		id, ok := b.matched[s]
		if ok && b.pieces[id].kind == spmUnused {
			if n, joined := apart[s]; joined {
				put(s[:n])
				put(s[n:])
				return
			}
		}
		if !ok {
			out = b.appendUnknown(out, s, unknown)
		} else {
			out = append(out, id)
		}
		unknown = !ok
	}
	for i := int32(0); i >= 0; i = syms[i].next {
		put(text[syms[i].start:syms[i].end])
	}
	return out
}

// spmUnigram is the model of unigram.go in the reference's single precision. A user-defined piece
// is worth more than anything else of its length.
type spmUnigram struct {
	*spmVocab
	unkScore float32
	best     float32 // the highest score of a normal piece
}

func newSPMUnigram(v *spmVocab) *spmUnigram {
	lowest, best := float32(math.MaxFloat32), float32(-math.MaxFloat32)
	for _, p := range v.pieces {
		if p.kind == spmNormal {
			lowest, best = min(lowest, p.score), max(best, p.score)
		}
	}
	return &spmUnigram{v, lowest - unknownPenalty, best}
}

func (u *spmUnigram) encode(text string, out []int32) []int32 {
	type step struct {
		from  int32 // -1: not reached
		id    int32
		score float32
	}
	best := make([]step, len(text)+1)
	for i := range best {
		best[i].from = -1
	}
	for i := 0; i < len(text); {
		here := best[i].score
		_, first := utf8.DecodeRuneInString(text[i:])
		relax := func(end int, id int32, score float32) {
			if score += here; best[end].from < 0 || score > best[end].score {
				best[end] = step{int32(i), id, score}
			}
		}
		single := false
		for end := i + first; end-i <= u.longest; {
			if id, ok := u.matched[text[i:end]]; ok && u.pieces[id].kind != spmUnused {
				score := u.pieces[id].score
				if u.pieces[id].kind == spmUserDefined {
					score = float32(end-i)*u.best - 0.1
				}
				relax(end, id, score)
				single = single || end == i+first
			}
			if end == len(text) {
				break
			}
			_, n := utf8.DecodeRuneInString(text[end:])
			end += n
		}
		if !single {
			relax(i+first, u.unk, u.unkScore)
		}
		i += first
	}
	var ends []int // of the best path, last first
	for i := len(text); i > 0; i = int(best[i].from) {
		ends = append(ends, i)
	}
	unknown := false
	for k := len(ends) - 1; k >= 0; k-- {
		s := best[ends[k]]
		if s.id == u.unk {
			out = u.appendUnknown(out, text[s.from:ends[k]], unknown)
		} else {
			out = append(out, s.id)
		}
		unknown = s.id == u.unk
	}
	return out
}
