package tabular

import (
	"fmt"
	"math/rand/v2"

	"temper/tasks/procedural"
)

// Lookup asks for one cell of a table.
var Lookup = procedural.Generator{
	Name: "lookup", Domain: domain, What: "one cell of a table, by the row's name or by what is said of the row",
	Dial: "rows, from 5 to 23; from 4 on the row is described, from 7 on by its place in an order", Measure: "rows", Make: makeLookup,
}

func makeLookup(rng *rand.Rand, difficulty int) procedural.Problem {
	n := 3 + 2*difficulty
	for {
		t := people(rng, n)
		row := rng.IntN(n)
		asked := procedural.Pick(rng, []string{"city", "job", "age", "salary"})
		described, step := fmt.Sprintf("of %s", t.cell(row, "name")), ""
		switch {
		case difficulty >= 7:
			// The place by age, which no two share.
			older, place := 0, ""
			for r := range t.rows {
				if t.number(r, "age") > t.number(row, "age") {
					older++
				}
			}
			if older > 3 || asked == "age" {
				continue
			}
			place = []string{"oldest", "second oldest", "third oldest", "fourth oldest"}[older]
			described = fmt.Sprintf("of the %s person", place)
			step = fmt.Sprintf("By age, %s with %s is the %s. ", t.cell(row, "name"), t.cell(row, "age"), place)
		case difficulty >= 4:
			city, job := t.cell(row, "city"), t.cell(row, "job")
			same := t.where([]condition{{"", func(t table, r int) bool { return t.cell(r, "city") == city && t.cell(r, "job") == job }}})
			if len(same) > 1 || asked == "city" || asked == "job" {
				continue
			}
			described = fmt.Sprintf("of the %s in %s", job, city)
			step = fmt.Sprintf("The only %s in %s is %s. ", job, city, t.cell(row, "name"))
		}
		checker, form := "word", "one word"
		if asked == "age" || asked == "salary" {
			checker, form = "number", "a whole number"
		}
		answer := t.cell(row, asked)
		p := procedural.Ask(fmt.Sprintf("%s\n\nWhat is the %s %s?", t.text(), asked, described), form, answer,
			[]string{fmt.Sprintf("%sThe row of %s has %s %s.", step, t.cell(row, "name"), asked, answer)}, checker)
		p.Concepts, p.Size = []string{"look-ups"}, n
		return p
	}
}
