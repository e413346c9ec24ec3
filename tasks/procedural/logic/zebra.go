package logic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"temper/tasks/procedural"
)

// Zebra asks who has what in a row of houses.
var Zebra = procedural.Generator{
	Name: "zebra", Domain: domain, What: "who has what in a row of houses, from clues",
	Dial: "houses, from 3 to 5, and what is told apart in them, from 2 to 4", Measure: "things to place", Make: makeZebra,
}

// thing is one value of one attribute: the cat among the pets.
type thing struct{ attribute, value int }

// places gives the house of each thing: places[attribute][value].
type places [][]int

func (p places) of(t thing) int { return p[t.attribute][t.value] }

// clue is about things of two attributes, first and last, which may be the same.
type clue struct {
	text        string
	first, last int
	holds       func(p places) bool
}

var attributes = []struct {
	what   string
	short  string
	before string // stands before each value in a clue
	values []string
}{
	{"person", "person", "", nil}, // procedural.Persons
	{"colour of the door", "colour", "the door that is ", []string{"red", "blue", "green", "white", "black", "yellow"}},
	{"drink", "drink", "the ", []string{"tea", "coffee", "milk", "water", "juice", "cocoa"}},
	{"pet", "pet", "the ", []string{"cat", "dog", "fish", "horse", "snail", "zebra"}},
}

func makeZebra(rng *rand.Rand, difficulty int) procedural.Problem {
	n, m := 3+(difficulty-1)/4, min(2+(difficulty-1)/3, len(attributes))
	for {
		if p, ok := drawZebra(rng, n, m); ok {
			return p
		}
	}
}

// drawZebra draws a puzzle of n houses and m attributes; ok is false where its clues leave more than one arrangement.
func drawZebra(rng *rand.Rand, n, m int) (p procedural.Problem, ok bool) {
	var values [][]string
	var truth places
	for a := range m {
		from := attributes[a].values
		if a == 0 {
			from = procedural.Persons
		}
		values = append(values, procedural.Some(rng, from, n))
		truth = append(truth, rng.Perm(n))
	}
	clues, ok := enough(possibleClues(rng, values, truth), n, m)
	if !ok {
		return p, false
	}
	clues = fewest(rng, clues, n, m)
	var told, texts []string
	for a, vs := range values {
		texts = append(texts, fmt.Sprintf("- %s: %s", attributes[a].what, strings.Join(slices.Sorted(slices.Values(vs)), ", ")))
	}
	for _, c := range clues {
		told = append(told, c.text)
	}
	var answer []string
	for person, name := range values[0] {
		answer = append(answer, name+"="+values[m-1][slices.Index(truth[m-1], truth[0][person])])
	}
	slices.Sort(answer)
	question := fmt.Sprintf("%d houses stand in a row, numbered 1 to %d from left to right. In each there is one of each of these:\n%s\n\nClues:\n%s\n\nWhich %s is in whose house?",
		n, n, strings.Join(texts, "\n"), procedural.Lines(told), attributes[m-1].what)
	p = procedural.Ask(question, fmt.Sprintf("a list of all persons, as in Name=%[1]s, Name=%[1]s", attributes[m-1].short), strings.Join(answer, ", "), arrange(values, truth, told), "assignment")
	p.Concepts, p.Size = []string{"zebra puzzles"}, n*m
	return p, true
}

// possibleClues lists what could be said of the truth, in an order that rng decides.
func possibleClues(rng *rand.Rand, values [][]string, truth places) []clue {
	name := func(t thing) string {
		return attributes[t.attribute].before + values[t.attribute][t.value]
	}
	start := func(t thing) string { s := name(t); return strings.ToUpper(s[:1]) + s[1:] }
	var out []clue
	var things []thing
	for a, vs := range values {
		for v := range vs {
			things = append(things, thing{a, v})
		}
	}
	for _, x := range things {
		house := truth.of(x)
		if rng.IntN(2) == 0 {
			out = append(out, clue{fmt.Sprintf("%s is in house %d.", start(x), house+1), x.attribute, x.attribute, func(p places) bool { return p.of(x) == house }})
		}
		for _, y := range things {
			first, last := min(x.attribute, y.attribute), max(x.attribute, y.attribute)
			switch d := truth.of(y) - house; {
			case d == 0 && x.attribute < y.attribute:
				out = append(out, clue{fmt.Sprintf("%s and %s are in the same house.", start(x), name(y)), first, last, func(p places) bool { return p.of(x) == p.of(y) }})
			case d == 1 && rng.IntN(2) == 0:
				out = append(out, clue{fmt.Sprintf("%s is in the house directly to the left of %s.", start(x), name(y)), first, last, func(p places) bool { return p.of(y)-p.of(x) == 1 }})
			case d == 1 || d == -1 && rng.IntN(2) == 0:
				out = append(out, clue{fmt.Sprintf("%s and %s are in neighbouring houses.", start(x), name(y)), first, last, func(p places) bool {
					d := p.of(x) - p.of(y)
					return d == 1 || d == -1
				}})
			}
		}
	}
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// enough takes the first clues that leave one arrangement; ok is false where all of them leave more.
func enough(clues []clue, n, m int) (first []clue, ok bool) {
	for k := m; k <= len(clues); k++ {
		if arrangements(clues[:k], n, m, 2) == 1 {
			return clues[:k], true
		}
	}
	return nil, false
}

// fewest leaves out each clue without which there is still one arrangement.
func fewest(rng *rand.Rand, clues []clue, n, m int) []clue {
	for i := len(clues) - 1; i >= 0; i-- {
		without := slices.Delete(slices.Clone(clues), i, i+1)
		if arrangements(without, n, m, 2) == 1 {
			clues = without
		}
	}
	rng.Shuffle(len(clues), func(i, j int) { clues[i], clues[j] = clues[j], clues[i] })
	return clues
}

// arrangements counts those that satisfy all clues, up to most: it tries all orders of one attribute after another, those with the fewest orders
// first, and checks a clue as soon as its attributes are placed. Clues about one attribute alone are checked before the search.
func arrangements(clues []clue, n, m, most int) int {
	p := make(places, m)
	breaks := func(c clue) bool { return !c.holds(p) }
	all, orders, turns := permutations(n), make([][][]int, m), make([]int, m)
	for a := range m {
		within := slices.DeleteFunc(slices.Clone(clues), func(c clue) bool { return c.first != a || c.last != a })
		for _, order := range all {
			if p[a] = order; !slices.ContainsFunc(within, breaks) {
				orders[a] = append(orders[a], order)
			}
		}
		turns[a] = a
	}
	slices.SortStableFunc(turns, func(a, b int) int { return len(orders[a]) - len(orders[b]) })
	ready := make([][]clue, m) // by turn
	for _, c := range clues {
		if c.first != c.last {
			turn := max(slices.Index(turns, c.first), slices.Index(turns, c.last))
			ready[turn] = append(ready[turn], c)
		}
	}
	var count func(turn int) int
	count = func(turn int) int {
		if turn == m {
			return 1
		}
		total := 0
		for _, order := range orders[turns[turn]] {
			p[turns[turn]] = order
			if !slices.ContainsFunc(ready[turn], breaks) {
				total += count(turn + 1)
			}
			if total >= most {
				break
			}
		}
		return total
	}
	return count(0)
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var out [][]int
	for _, p := range permutations(n - 1) {
		for at := range n {
			out = append(out, slices.Insert(slices.Clone(p), at, n-1))
		}
	}
	return out
}

// arrange writes the houses, and holds them against the clues.
func arrange(values [][]string, truth places, told []string) []string {
	steps := []string{"Trying the ways to place the things and dropping each that breaks a clue leaves one arrangement:"}
	for house := range values[0] {
		var in []string
		for a := range values {
			in = append(in, values[a][slices.Index(truth[a], house)])
		}
		steps = append(steps, fmt.Sprintf("House %d: %s.", house+1, strings.Join(in, ", ")))
	}
	for i, c := range told {
		steps = append(steps, fmt.Sprintf("Clue %d holds: %s", i+1, c))
	}
	return steps
}
