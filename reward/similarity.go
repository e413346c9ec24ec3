package reward

import (
	"context"
	"errors"
	"math"
	"strings"

	"temper/reward/overlap"
)

var rougeKind = kind{name: "rouge", gives: "ROUGE's F measure against the gold answer", hi: 1, source: "Lin 2004, as rouge-score without stemming", gold: true,
	blank: func() Options { return new(RougeOptions) }}

// RougeOptions are the options of `rouge`.
type RougeOptions struct {
	Variant string `option:"variant" about:"rouge1, rouge2 or rougeL (default)"`
	Tag     string `option:"tag" about:"compares what the last element of this name holds, 0 without one; else what follows the last </think>"`
}

func (o *RougeOptions) check(bad report) {
	oneOf(bad, "variant", o.Variant, []string{"rouge1", "rouge2", "rougeL"})
	optionalTag(bad, o.Tag)
}

func (o *RougeOptions) build() (judge, error) {
	measure := overlap.RougeL
	switch o.Variant {
	case "rouge1":
		measure = func(response, gold string) float64 { return overlap.RougeN(1, response, gold) }
	case "rouge2":
		measure = func(response, gold string) float64 { return overlap.RougeN(2, response, gold) }
	}
	return against(o.Tag, measure), nil
}

var bleuKind = kind{name: "bleu", gives: "BLEU of the response by itself against the gold answer", hi: 1, source: "Papineni 2002, as sacrebleu.sentence_bleu: tokeniser 13a, exponential smoothing, effective order", gold: true,
	blank: func() Options { return new(BLEUOptions) }}

// BLEUOptions are the options of `bleu`.
type BLEUOptions struct {
	Tag string `option:"tag" about:"as rouge's"`
}

func (o *BLEUOptions) check(bad report) { optionalTag(bad, o.Tag) }

func (o *BLEUOptions) build() (judge, error) { return against(o.Tag, overlap.BLEU), nil }

var chrfKind = kind{name: "chrf", gives: "chrF2 against the gold answer", hi: 1, source: "Popović 2015, as sacrebleu.sentence_chrf", gold: true, blank: func() Options { return new(ChrFOptions) }}

// ChrFOptions are the options of `chrf`.
type ChrFOptions struct {
	WordOrder int    `option:"word_order" about:"longest n-gram of words, none by default; 2 for chrF2++"`
	Tag       string `option:"tag" about:"as rouge's"`
}

func (o *ChrFOptions) check(bad report) {
	if o.WordOrder < 0 || o.WordOrder > 4 {
		bad("word_order", "must be from 0 to 4, is %d", o.WordOrder)
	}
	optionalTag(bad, o.Tag)
}

func (o *ChrFOptions) build() (judge, error) {
	return against(o.Tag, func(response, gold string) float64 { return overlap.ChrF(o.WordOrder, response, gold) }), nil
}

func optionalTag(bad report, tag string) {
	if tag != "" {
		checkTag(bad, "tag", tag)
	}
}

// against compares what is judged of a response with the gold answer.
func against(tag string, measure func(response, gold string) float64) judge {
	return judge{value: func(_ context.Context, x Sample) (float64, error) {
		if strings.TrimSpace(x.Gold) == "" {
			return 0, errNoGold
		}
		text, found := judgedText(x.Response, tag)
		if !found {
			return 0, nil
		}
		return math.Min(1, measure(text, x.Gold)), nil
	}}
}

var errNoGold = errors.New("the sample has no gold answer")

// RLPT (arXiv 2509.19249) has the policy write the segment of a text that comes next, and rewards a prediction that says what the text says, where it
// may be a beginning of it (the paper's prefix reward).
//
// Deviation: the paper asks a generative reward model whether both mean the same, which a `judge` part does; here words are compared.
var nextSegmentKind = kind{name: "next_segment", gives: "share of the predicted segment's words that stand, in their order, in as long a beginning of the gold answer", hi: 1,
	source: "RLPT (arXiv 2509.19249), prefix reward, by words rather than by a model", gold: true, blank: func() Options { return new(NextSegmentOptions) }}

// NextSegmentOptions are the options of `next_segment`.
type NextSegmentOptions struct {
	Tag      string  `option:"tag" about:"as rouge's"`
	MinWords int     `option:"min_words" about:"a prediction that is shorter counts as this long, or as long as the gold answer if that is shorter; 5 by default"`
	AtLeast  float64 `option:"at_least" about:"the value is 1 where the share is at least this, else 0"`
}

func (o *NextSegmentOptions) check(bad report) {
	optionalTag(bad, o.Tag)
	atLeastOne(bad, "min_words", o.MinWords)
	if !(o.AtLeast >= 0 && o.AtLeast <= 1) {
		bad("at_least", "must be from 0 to 1, is %v", o.AtLeast)
	}
}

func (o *NextSegmentOptions) build() (judge, error) {
	least := or(o.MinWords, 5)
	return against(o.Tag, func(response, gold string) float64 {
		have, want := tokens(response), tokens(gold)
		of := max(len(have), min(least, len(want)))
		if of == 0 {
			return 0
		}
		share := float64(overlap.CommonSubsequence(have, want[:min(len(have), len(want))])) / float64(of)
		if o.AtLeast > 0 {
			return number(share >= o.AtLeast)
		}
		return share
	}), nil
}
