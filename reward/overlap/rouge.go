package overlap

import (
	"math/bits"
	"strings"
)

// RougeN and RougeL are the F measures of ROUGE (Lin 2004) as rouge-score computes them without stemming: of n-grams, and of the longest common
// subsequence. Words are runs of a-z and 0-9 in lower case; texts of other scripts have none and measure 0.
func RougeN(n int, response, gold string) float64 {
	have, want := rougeWords(response), tallyOf(wordGrams(rougeWords(gold), n))
	matched, total := want.matches(wordGrams(have, n))
	return fMeasure(matched, total, want.total())
}

// RougeL is of the longest common subsequence of words.
func RougeL(response, gold string) float64 {
	have, want := rougeWords(response), rougeWords(gold)
	return fMeasure(CommonSubsequence(have, want), len(have), len(want))
}

func fMeasure(matched, have, want int) float64 {
	if matched == 0 {
		return 0
	}
	precision, recall := float64(matched)/float64(have), float64(matched)/float64(want)
	return 2 * precision * recall / (precision + recall)
}

func rougeWords(text string) []string {
	text = strings.ToLower(strings.ReplaceAll(text, "İ", "i\u0307")) // as Python lowers it
	return strings.FieldsFunc(text, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

// CommonSubsequence is the length of the longest common subsequence of two lists of words. It keeps a row of the usual table as bits (Hyyrö 2004), of
// the shorter list.
func CommonSubsequence(a, b []string) int {
	if len(b) > len(a) {
		a, b = b, a
	}
	size := (len(b) + 63) / 64
	places := map[string][]uint64{}
	for j, w := range b {
		if places[w] == nil {
			places[w] = make([]uint64, size)
		}
		places[w][j/64] |= 1 << (j % 64)
	}
	row := make([]uint64, size) // a zero bit is a step of the table's row
	for i := range row {
		row[i] = ^uint64(0)
	}
	for _, w := range a {
		at := places[w]
		if at == nil {
			continue
		}
		carry := uint64(0)
		for i := range row {
			hit := row[i] & at[i]
			var sum uint64
			sum, carry = bits.Add64(row[i], hit, carry)
			row[i] = sum | row[i]&^at[i]
		}
	}
	length := 0
	for j := range b {
		if row[j/64]>>(j%64)&1 == 0 {
			length++
		}
	}
	return length
}
