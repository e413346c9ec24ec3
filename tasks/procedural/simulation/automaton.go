package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"temper/tasks/procedural"
)

// Automaton asks for the row of a cellular automaton after some steps.
var Automaton = procedural.Generator{
	Name: "automaton", Domain: domain, What: "the row of an elementary cellular automaton after some steps",
	Dial: "cells, from 6 to 15, and steps, from 1 to 5", Measure: "cells times steps", Make: makeAutomaton,
}

func makeAutomaton(rng *rand.Rand, difficulty int) procedural.Problem {
	width, times := 5+difficulty, (difficulty+1)/2
	for {
		rule := rng.IntN(256)
		row := make([]int, width)
		for i := range row {
			row[i] = rng.IntN(2)
		}
		first := procedural.Join(row, "")
		steps := []string{"At the start: " + first}
		for t := range times {
			row = evolve(row, rule)
			steps = append(steps, fmt.Sprintf("After step %d: %s", t+1, procedural.Join(row, "")))
		}
		last := procedural.Join(row, "")
		if last == first || strings.Count(last, "1")%width == 0 {
			continue // nothing to work out, or all cells alike
		}
		var rules []string
		for pattern := 7; pattern >= 0; pattern-- {
			rules = append(rules, fmt.Sprintf("%03b gives %d", pattern, rule>>pattern&1))
		}
		p := procedural.Ask(fmt.Sprintf("A row of %d cells is %s. In each step every cell becomes what this table says for its left neighbour, itself and its right neighbour: %s. The row is a ring: the first cell is the right neighbour of the last. What is the row after %d %s?",
			width, first, strings.Join(rules, ", "), times, map[bool]string{true: "step", false: "steps"}[times == 1]), fmt.Sprintf("%d digits, 0 or 1", width), last, steps, "automaton")
		p.Concepts, p.Size = []string{"cellular automata"}, width*times
		return p
	}
}

// evolve is one step of the rule with that number (Wolfram's).
func evolve(row []int, rule int) []int {
	n := len(row)
	out := make([]int, n)
	for i := range row {
		pattern := row[(i+n-1)%n]*4 + row[i]*2 + row[(i+1)%n]
		out[i] = rule >> pattern & 1
	}
	return out
}
