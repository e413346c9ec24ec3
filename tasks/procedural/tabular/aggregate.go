package tabular

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"

	"temper/tasks/procedural"
)

// Aggregate asks for one number over the rows that satisfy some conditions.
var Aggregate = procedural.Generator{
	Name: "aggregate", Domain: domain, What: "a count, sum, mean, smallest or largest number over some rows",
	Dial: "rows, from 5 to 23, and conditions, from 0 to 3", Measure: "rows", Make: makeAggregate,
}

// aggregates are in words, in which COLUMN stands for a column, and what they make of numbers, of which there is at least one.
var aggregates = []struct {
	concept, words string
	of             func(xs []int64) *big.Rat
}{
	{"sums", "the sum of the column COLUMN", func(xs []int64) *big.Rat { return big.NewRat(sum(xs), 1) }},
	{"means", "the mean of the column COLUMN", func(xs []int64) *big.Rat { return big.NewRat(sum(xs), int64(len(xs))) }},
	{"minima", "the smallest COLUMN", func(xs []int64) *big.Rat { return big.NewRat(slices.Min(xs), 1) }},
	{"maxima", "the largest COLUMN", func(xs []int64) *big.Rat { return big.NewRat(slices.Max(xs), 1) }},
	{"counting", "the number of rows", func(xs []int64) *big.Rat { return big.NewRat(int64(len(xs)), 1) }},
}

func sum(xs []int64) (total int64) {
	for _, x := range xs {
		total += x
	}
	return total
}

func makeAggregate(rng *rand.Rand, difficulty int) procedural.Problem {
	n := 3 + 2*difficulty
	for {
		t := people(rng, n)
		cs := conditions(rng, difficulty/3)
		rows := t.where(cs)
		if len(rows) == 0 {
			continue
		}
		a, column := procedural.Pick(rng, aggregates), procedural.Pick(rng, []string{"age", "salary"})
		var xs []int64
		var found []string
		for _, r := range rows {
			xs = append(xs, int64(t.number(r, column)))
			found = append(found, fmt.Sprintf("%s %s", t.cell(r, "name"), t.cell(r, column)))
		}
		over, first := "over all rows", "The rows"
		if len(cs) > 0 {
			over, first = "over the rows where "+all(cs), "The rows where "+all(cs)
		}
		result := a.of(xs)
		words := strings.ReplaceAll(a.words, "COLUMN", column)
		p := procedural.Ask(fmt.Sprintf("%s\n\nWhat is %s, %s?", t.text(), words, over), "an exact number: a fraction where it is not whole", result.RatString(),
			[]string{fmt.Sprintf("%s: %s.", first, strings.Join(found, ", ")), fmt.Sprintf("There are %d, their sum is %d, and %s is %s.", len(xs), sum(xs), words, result.RatString())}, "number")
		p.Concepts, p.Size = []string{a.concept}, n
		return p
	}
}
