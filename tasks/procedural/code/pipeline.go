package code

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"temper/tasks/procedural"
)

// A program to write takes a list of whole numbers through some steps and returns a list or a number.

// stage is one step, in words, in Python and in Go; both languages find the list in xs and leave it there.
type stage struct {
	concept, words string
	python, golang string
	apply          func(xs []int) []int
}

// last turns the list into what is returned.
type last struct {
	concept, words string
	python, golang string
	list           bool // what is returned is the list itself
	apply          func(xs []int) int
}

func drawStage(rng *rand.Rand) stage {
	k := procedural.Between(rng, 2, 9)
	filter := func(words, test string, keep func(x int) bool) stage {
		return stage{"filtering", "keep only the numbers that are " + words, fmt.Sprintf("xs = [x for x in xs if %s]", test), goFilter(test),
			func(xs []int) []int { return slices.DeleteFunc(xs, func(x int) bool { return !keep(x) }) }}
	}
	change := func(words, value string, f func(x int) int) stage {
		return stage{"mapping", words, fmt.Sprintf("xs = [%s for x in xs]", value), fmt.Sprintf("for i, x := range xs {\n\t\txs[i] = %s\n\t}", value),
			func(xs []int) []int {
				for i, x := range xs {
					xs[i] = f(x)
				}
				return xs
			}}
	}
	switch rng.IntN(9) {
	case 0:
		return filter("even", "x % 2 == 0", func(x int) bool { return x%2 == 0 })
	case 1:
		return filter(fmt.Sprintf("greater than %d", k), fmt.Sprintf("x > %d", k), func(x int) bool { return x > k })
	case 2:
		return filter(fmt.Sprintf("not equal to %d", k), fmt.Sprintf("x != %d", k), func(x int) bool { return x != k })
	case 3:
		return change(fmt.Sprintf("add %d to each number", k), fmt.Sprintf("x + %d", k), func(x int) int { return x + k })
	case 4:
		return change(fmt.Sprintf("multiply each number by %d", k), fmt.Sprintf("x * %d", k), func(x int) int { return x * k })
	case 5:
		return stage{"order", "reverse the order", "xs = xs[::-1]", "slices.Reverse(xs)", func(xs []int) []int { slices.Reverse(xs); return xs }}
	case 6:
		return stage{"order", "sort the numbers in ascending order", "xs = sorted(xs)", "slices.Sort(xs)", func(xs []int) []int { slices.Sort(xs); return xs }}
	case 7:
		return stage{"slices", fmt.Sprintf("leave out the first %d numbers (all of them where there are fewer)", k), fmt.Sprintf("xs = xs[%d:]", k),
			fmt.Sprintf("xs = xs[min(%d, len(xs)):]", k), func(xs []int) []int { return xs[min(k, len(xs)):] }}
	}
	return stage{"prefix sums", "replace each number by the sum of all numbers up to it, itself included",
		"xs = [sum(xs[:i + 1]) for i in range(len(xs))]", "for i := 1; i < len(xs); i++ {\n\t\txs[i] += xs[i-1]\n\t}", func(xs []int) []int {
			for i := 1; i < len(xs); i++ {
				xs[i] += xs[i-1]
			}
			return xs
		}}
}

func goFilter(test string) string {
	return fmt.Sprintf("xs = slices.DeleteFunc(xs, func(x int) bool { return !(%s) })", test)
}

var lasts = []last{
	{"", "Return the list.", "return xs", "return xs", true, nil},
	{"sums", "Return the sum of the list, which is 0 where it is empty.", "return sum(xs)", "total := 0\n\tfor _, x := range xs {\n\t\ttotal += x\n\t}\n\treturn total", false,
		func(xs []int) (total int) {
			for _, x := range xs {
				total += x
			}
			return total
		}},
	{"maxima", "Return the largest number of the list, or 0 where it is empty.", "return max(xs, default=0)", "if len(xs) == 0 {\n\t\treturn 0\n\t}\n\treturn slices.Max(xs)", false,
		func(xs []int) int {
			if len(xs) == 0 {
				return 0
			}
			return slices.Max(xs)
		}},
	{"counting", "Return how many numbers the list has.", "return len(xs)", "return len(xs)", false, func(xs []int) int { return len(xs) }},
}

// pipeline is a program as its stages, with inputs to test it on and what it returns for them, as lists of one number or as lists.
type pipeline struct {
	stages  []stage
	last    last
	inputs  [][]int
	outputs [][]int
}

// drawPipeline draws a program of the given number of stages that returns at least three different values for its inputs, and not what it
// would return without its stages.
func drawPipeline(rng *rand.Rand, stages int) pipeline {
	for {
		p := pipeline{last: procedural.Pick(rng, lasts)}
		for range stages {
			p.stages = append(p.stages, drawStage(rng))
		}
		p.inputs = [][]int{{}, {procedural.Between(rng, -9, 9)}}
		for n := range 8 {
			xs := make([]int, 3+n)
			for i := range xs {
				xs[i] = procedural.Between(rng, -20, 40)
			}
			xs[0] = xs[len(xs)-1] // a number that occurs twice
			p.inputs = append(p.inputs, xs)
		}
		different, changed := map[string]bool{}, false
		for _, xs := range p.inputs {
			out := p.run(xs, p.stages)
			p.outputs = append(p.outputs, out)
			different[fmt.Sprint(out)] = true
			changed = changed || !slices.Equal(out, p.run(xs, nil))
		}
		if len(different) >= 3 && changed {
			return p
		}
	}
}

func (p pipeline) run(xs []int, stages []stage) []int {
	xs = slices.Clone(xs)
	for _, s := range stages {
		xs = s.apply(xs)
	}
	if p.last.list {
		return xs
	}
	return []int{p.last.apply(xs)}
}

// question says what the program has to do; signature names the function.
func (p pipeline) question(language, signature string) string {
	var words []string
	for _, s := range p.stages {
		words = append(words, strings.ToUpper(s.words[:1])+s.words[1:]+".")
	}
	words = append(words, p.last.words)
	example := len(p.inputs) - 1
	for i := len(p.inputs) - 1; i > 1; i-- {
		if len(p.outputs[i]) > 0 { // the shortest input that shows something
			example = i
		}
	}
	return fmt.Sprintf("Write the %s function %s. It does the following with the list, in this order:\n\n%s\n\nFor %s the result is %s.", language, signature,
		procedural.Lines(words), python(p.inputs[example]), p.shown(example))
}

// shown is the output for an input, as Python writes it.
func (p pipeline) shown(i int) string {
	if p.last.list {
		return python(p.outputs[i])
	}
	return fmt.Sprint(p.outputs[i][0])
}

func (p pipeline) concepts() []string {
	var out []string
	for _, s := range p.stages {
		out = append(out, s.concept)
	}
	if p.last.concept != "" {
		out = append(out, p.last.concept)
	}
	return procedural.Distinct(out)
}
