package reward

import (
	"context"
	"errors"
	"math"
	"strings"
	"unicode"

	"temper/reward/overlap"
)

var repetitionKind = kind{name: "repetition", gives: "1 less the share of word n-grams that occurred before", hi: 1, blank: func() Options { return new(RepetitionOptions) }}

// RepetitionOptions are the options of `repetition`.
type RepetitionOptions struct {
	N int `option:"n" about:"words of an n-gram, 3 by default"`
}

func (o *RepetitionOptions) check(bad report) { atLeastOne(bad, "n", o.N) }

func (o *RepetitionOptions) build() (judge, error) {
	n := or(o.N, 3)
	return pure(func(x Sample) float64 { return unrepeated(x.Response, n) }), nil
}

var distinctKind = kind{name: "distinct", gives: "share of distinct words", hi: 1, blank: func() Options { return new(distinctOptions) }}

type distinctOptions struct{ none }

func (distinctOptions) build() (judge, error) {
	return pure(func(x Sample) float64 { return Distinct(x.Response) }), nil
}

var requiredWordsKind = kind{name: "required_words", gives: "share of the words in Meta[\"words\"] that occur", hi: 1, blank: func() Options { return new(requiredWordsOptions) }}

type requiredWordsOptions struct{ none }

func (requiredWordsOptions) build() (judge, error) { return judge{value: requiredWords}, nil }

// pure judges by the sample alone and always can.
func pure(f func(Sample) float64) judge {
	return judge{value: func(_ context.Context, x Sample) (float64, error) { return f(x), nil }}
}

// Distinct is the share of distinct lower-cased words: len(set(c.lower().split())) / max(1, len(c.split())).
// Lower-casing maps one rune to one rune: a capital sigma that ends a word and a dotted capital I differ from Python's.
func Distinct(text string) float64 {
	all := overlap.Words(text)
	set := make(map[string]struct{}, len(all))
	for _, w := range overlap.Words(strings.ToLower(text)) {
		set[w] = struct{}{}
	}
	return float64(len(set)) / math.Max(1, float64(len(all)))
}

// unrepeated is 1 minus the share of word n-grams that occurred before; 1 for a text shorter than n words.
func unrepeated(text string, n int) float64 {
	all := overlap.Words(strings.ToLower(text))
	total := len(all) - n + 1
	if total <= 0 {
		return 1
	}
	set := make(map[string]struct{}, total)
	for i := range total {
		set[strings.Join(all[i:i+n], " ")] = struct{}{}
	}
	return float64(len(set)) / float64(total)
}

// requiredWords is the share of Meta["words"] (comma-separated) that occur in the response as whole words, in any case. Letters,
// digits and apostrophes make a word; a required phrase of several words must occur in that order.
func requiredWords(_ context.Context, x Sample) (float64, error) {
	required := strings.Split(x.Meta["words"], ",")
	have := " " + strings.Join(tokens(x.Response), " ") + " "
	found, total := 0, 0
	for _, w := range required {
		want := strings.Join(tokens(w), " ")
		if want == "" {
			continue
		}
		total++
		if strings.Contains(have, " "+want+" ") {
			found++
		}
	}
	if total == 0 {
		return 0, errors.New(`the sample has no required words in its meta data "words"`)
	}
	return float64(found) / float64(total), nil
}

// tokens are the lower-cased words of letters, digits and inner apostrophes.
func tokens(s string) []string {
	fields := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\''
	})
	out := fields[:0]
	for _, f := range fields {
		if f = strings.Trim(f, "'"); f != "" {
			out = append(out, f)
		}
	}
	return out
}
