package tokenizer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// EncodeRanges is Encode without what the post-processor adds, and tells of each token whether it
// covers any byte of the ranges [from, to) of the text, which are in order. It fails where an end of a range lies within
// what normalization makes one character, or where tokens cannot be laid beside the text.
func (t *Tokenizer) EncodeRanges(text string, opts Options, ranges [][2]int) (ids []int32, inside []bool, err error) {
	if !utf8.ValidString(text) {
		return nil, nil, errors.New("the text is not UTF-8")
	}
	for _, p := range t.added.raw.find(text, opts.ParseSpecial) {
		if p.id >= 0 {
			ids, inside = append(ids, p.id), append(inside, overlaps(p.start, p.end, ranges))
			continue
		}
		local, err := t.within(p, opts.ParseSpecial, ranges)
		if err != nil {
			return nil, nil, err
		}
		at := 0
		for _, w := range t.words(p.text, p.first, opts.ParseSpecial) {
			from, tokens, widths := len(ids), []int32{w.id}, []int{len(w.text)}
			if w.id < 0 {
				tokens = t.model.encode(w.text, nil)
				if widths, err = t.widths(w.text, tokens); err != nil {
					return nil, nil, err
				}
			}
			ids, inside = append(ids, tokens...), append(inside, make([]bool, len(tokens))...)
			for i, width := range widths {
				inside[from+i] = overlaps(at, at+width, local)
				at += width
			}
		}
	}
	return ids, inside, nil
}

func overlaps(from, to int, ranges [][2]int) bool {
	return slices.ContainsFunc(ranges, func(r [2]int) bool { return from < r[1] && to > r[0] && r[0] < r[1] })
}

// words are what the model gets of a stretch of text, with the added tokens that are found after normalization.
func (t *Tokenizer) words(text string, first, special bool) []part {
	if t.normalize != nil {
		text = t.normalize(text)
	}
	var out []part
	for _, p := range t.added.normal.find(text, special) {
		if p.id >= 0 {
			out = append(out, p)
			continue
		}
		words := []span{{p.text, p.first && first}}
		if p.text == "" {
			words = nil
		} else if t.split != nil {
			words = t.split(words)
		}
		for _, w := range words {
			out = append(out, part{id: -1, text: w.text})
		}
	}
	return out
}

func joined(words []part) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(w.text)
	}
	return b.String()
}

// within gives the ranges as offsets into the joined words of a part. What is before an end of a range must come
// out the same with and without what is after it.
func (t *Tokenizer) within(p part, special bool, ranges [][2]int) ([][2]int, error) {
	var whole string
	place := func(at int) (int, error) {
		if at <= p.start {
			return 0, nil
		}
		if whole == "" {
			whole = joined(t.words(p.text, p.first, special))
		}
		if at >= p.end {
			return len(whole), nil
		}
		before := joined(t.words(p.text[:at-p.start], p.first, special))
		if !strings.HasPrefix(whole, before) {
			return 0, fmt.Errorf("%.40q, %d bytes into the text: normalization joins what is before and after", p.text[at-p.start:], at)
		}
		return len(before), nil
	}
	var out [][2]int
	for _, r := range ranges {
		if r[0] >= p.end || r[1] <= p.start {
			continue
		}
		from, err := place(r[0])
		if err != nil {
			return nil, err
		}
		to, err := place(r[1])
		if err != nil {
			return nil, err
		}
		out = append(out, [2]int{from, to})
	}
	return out, nil
}

// widths are how many bytes of a word each of its tokens stands for.
func (t *Tokenizer) widths(word string, ids []int32) ([]int, error) {
	out := make([]int, len(ids))
	unk, hasUnk := t.model.unknown()
	b, isBPE := t.model.(*bpe)
	single := isBPE && !b.fuseUnk // an unknown token stands for one character
	at, run := 0, -1              // run: an unknown token for characters whose number is what remains
	for i, id := range ids {
		p, _ := t.model.piece(id)
		switch _, isByte := fallbackByte(p); {
		case hasUnk && id == unk && single:
			_, out[i] = utf8.DecodeRuneInString(word[min(at, len(word)):])
		case hasUnk && id == unk && run < 0:
			run = i
		case hasUnk && id == unk:
			at = len(word) + 1
		case isByte && !strings.Contains(word, p):
			out[i] = 1
		default:
			out[i] = len(p)
		}
		at += out[i]
	}
	if at > len(word) || run < 0 && at < len(word) {
		return nil, fmt.Errorf("the tokens of %.40q cannot be laid beside it", word)
	}
	if run >= 0 {
		out[run] = len(word) - at
	}
	return out, nil
}
