package overlap

import (
	"strings"
	"unicode/utf8"
)

// ChrF is sacrebleu.sentence_chrf (Popović 2015, 2017) of a response and one reference, in [0, 1]: the F measure with beta 2 of the mean precision and
// recall of character n-grams up to six without white space, and of word n-grams up to wordOrder: 0 is chrF2, 2 is chrF2++.
func ChrF(wordOrder int, response, gold string) float64 {
	const charOrder, beta = 6, 2
	precision, recall, orders := 0.0, 0.0, 0
	add := func(have, want func(visit func(string))) {
		reference := tallyOf(want)
		matched, total := reference.matches(have)
		if of := reference.total(); of > 0 && total > 0 {
			precision += float64(matched) / float64(total)
			recall += float64(matched) / float64(of)
			orders++
		}
	}
	have, want := charStarts(response), charStarts(gold)
	for n := 1; n <= charOrder; n++ {
		add(have.grams(n), want.grams(n))
	}
	if wordOrder > 0 {
		have, want := chrfWords(response), chrfWords(gold)
		for n := 1; n <= wordOrder; n++ {
			add(wordGrams(have, n), wordGrams(want, n))
		}
	}
	if precision+recall == 0 {
		return 0
	}
	precision, recall = precision/float64(orders), recall/float64(orders)
	return (1 + beta*beta) * precision * recall / (beta*beta*precision + recall)
}

// chars is a text without white space and where its characters begin.
type chars struct {
	text   string
	starts []int
}

func charStarts(text string) chars {
	c := chars{text: strings.ToValidUTF8(strings.Join(Words(text), ""), string(utf8.RuneError))}
	for i := range c.text {
		c.starts = append(c.starts, i)
	}
	c.starts = append(c.starts, len(c.text))
	return c
}

func (c chars) grams(n int) func(visit func(string)) {
	return func(visit func(string)) {
		for i := 0; i+n < len(c.starts); i++ {
			visit(c.text[c.starts[i]:c.starts[i+n]])
		}
	}
}

const chrfMarks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// chrfWords splits one punctuation mark off the end, or else off the beginning, of each word.
func chrfWords(text string) (out []string) {
	for _, w := range Words(text) {
		_, first := utf8.DecodeRuneInString(w)
		switch {
		case first == len(w):
			out = append(out, w)
		case strings.IndexByte(chrfMarks, w[len(w)-1]) >= 0:
			out = append(out, w[:len(w)-1], w[len(w)-1:])
		case strings.IndexByte(chrfMarks, w[0]) >= 0:
			out = append(out, w[:1], w[1:])
		default:
			out = append(out, w)
		}
	}
	return out
}
