package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// Unigram language model (Kudo, "Subword Regularization", arXiv 1804.10959): of all ways to cut a
// word into pieces, the one with the highest sum of log-probabilities,
//
//	x* = argmax over x in S(X) of sum_i log p(x_i)
//
// found by Viterbi. A character that no piece covers costs the lowest score less 10, as in
// SentencePiece; a run of such characters is one unknown token.
type unigram struct {
	pieces       []string
	scores       []float64 // log-probabilities by id
	vocab        map[string]int32
	longest      int // bytes of the longest piece
	unk          int32
	unkScore     float64
	bytes        [256]int32
	byteFallback bool
}

const unknownPenalty = 10

func parseUnigram(raw json.RawMessage) (model, error) {
	var f struct {
		UnkID        *int32              `json:"unk_id"`
		Vocab        [][]json.RawMessage `json:"vocab"`
		ByteFallback bool                `json:"byte_fallback"`
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	if len(f.Vocab) == 0 {
		return nil, errors.New("vocab: missing or empty")
	}
	u := &unigram{vocab: make(map[string]int32, len(f.Vocab)), unk: -1, byteFallback: f.ByteFallback}
	lowest := math.Inf(1)
	for i, entry := range f.Vocab {
		var piece string
		var score float64
		if len(entry) != 2 || json.Unmarshal(entry[0], &piece) != nil || json.Unmarshal(entry[1], &score) != nil {
			return nil, fmt.Errorf("vocab[%d]: must be a piece and its score", i)
		}
		u.pieces, u.scores = append(u.pieces, piece), append(u.scores, score)
		u.vocab[piece] = int32(i)
		u.longest = max(u.longest, len(piece))
		lowest = min(lowest, score)
	}
	if f.UnkID != nil {
		if *f.UnkID < 0 || int(*f.UnkID) >= len(u.pieces) {
			return nil, fmt.Errorf("unk_id: %d is not in the vocabulary", *f.UnkID)
		}
		u.unk = *f.UnkID
	}
	u.unkScore = lowest - unknownPenalty
	for i := range u.bytes {
		u.bytes[i] = -1
		if id, ok := u.vocab[fmt.Sprintf("<0x%02X>", i)]; ok {
			u.bytes[i] = id
		}
	}
	return u, nil
}

func (u *unigram) id(piece string) (int32, bool) { id, ok := u.vocab[piece]; return id, ok }
func (u *unigram) size() int                     { return len(u.pieces) }
func (u *unigram) unknown() (int32, bool)        { return u.unk, u.unk >= 0 }
func (u *unigram) piece(id int32) (string, bool) {
	if id < 0 || int(id) >= len(u.pieces) {
		return "", false
	}
	return u.pieces[id], true
}

// encode drops characters that nothing covers where the model has no unknown token.
func (u *unigram) encode(word string, out []int32) []int32 {
	type step struct {
		from  int
		id    int32 // -1: a character that no piece covers
		score float64
		set   bool
	}
	best := make([]step, len(word)+1)
	best[0].set = true
	for i := 0; i < len(word); {
		_, n := utf8.DecodeRuneInString(word[i:])
		relax := func(end int, id int32, score float64) {
			if score += best[i].score; !best[end].set || score > best[end].score {
				best[end] = step{i, id, score, true}
			}
		}
		single := false
		for end := i + n; end <= len(word) && end-i <= u.longest; {
			if id, ok := u.vocab[word[i:end]]; ok && id != u.unk {
				relax(end, id, u.scores[id])
				single = single || end == i+n
			}
			if end == len(word) {
				break
			}
			_, m := utf8.DecodeRuneInString(word[end:])
			end += m
		}
		if !single {
			relax(i+n, -1, u.unkScore)
		}
		i += n
	}
	var ends []int // of the steps of the best path, last first
	for i := len(word); i > 0; i = best[i].from {
		ends = append(ends, i)
	}
	for k := len(ends) - 1; k >= 0; k-- {
		s := best[ends[k]]
		if s.id >= 0 {
			out = append(out, s.id)
			continue
		}
		for k > 0 && best[ends[k-1]].id < 0 { // fuse the run
			k--
		}
		out = u.unknownRun(word[s.from:ends[k]], out)
	}
	return out
}

func (u *unigram) unknownRun(s string, out []int32) []int32 {
	if u.byteFallback {
		whole := true
		for i := range len(s) {
			whole = whole && u.bytes[s[i]] >= 0
		}
		if whole {
			for i := range len(s) {
				out = append(out, u.bytes[s[i]])
			}
			return out
		}
	}
	if u.unk >= 0 {
		out = append(out, u.unk)
	}
	return out
}
