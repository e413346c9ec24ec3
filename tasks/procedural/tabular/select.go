package tabular

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"temper/tasks/procedural"
)

// Select asks for the rows that satisfy some conditions.
var Select = procedural.Generator{
	Name: "select", Domain: domain, What: "the names in the rows that satisfy some conditions, in any order",
	Dial: "rows, from 5 to 23, and conditions, from 1 to 4", Measure: "rows", Make: makeSelect,
}

func makeSelect(rng *rand.Rand, difficulty int) procedural.Problem {
	n := 3 + 2*difficulty
	for {
		t := people(rng, n)
		cs := conditions(rng, 1+difficulty/3)
		rows := t.where(cs)
		if len(rows) == 0 || len(rows) == n {
			continue
		}
		var names, steps []string
		for i := range cs {
			var left []string
			for _, r := range t.where(cs[:i+1]) {
				left = append(left, t.cell(r, "name"))
			}
			steps = append(steps, fmt.Sprintf("Where %s: %s.", all(cs[:i+1]), strings.Join(left, ", ")))
			names = left
		}
		p := procedural.Ask(fmt.Sprintf("%s\n\nFor which names does it hold that %s?", t.text(), all(cs)), "the names in any order, with commas between them", strings.Join(names, ", "), steps, "set")
		p.Concepts, p.Size = []string{"selection"}, n
		return p
	}
}
