package tabular

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"temper/tasks/procedural"
)

// Groups asks which group has the largest or smallest total.
var Groups = procedural.Generator{
	Name: "groups", Domain: domain, What: "the groups of rows in the order of their totals",
	Dial: "rows, from 5 to 23, and groups, from 2 to 4", Measure: "rows", Make: makeGroups,
}

func makeGroups(rng *rand.Rand, difficulty int) procedural.Problem {
	n, groups := 3+2*difficulty, 2+difficulty/4
	for {
		t := people(rng, n)
		names := procedural.Some(rng, cities, groups)
		totals, lists := map[string]int{}, map[string][]string{}
		for r := range t.rows {
			city := procedural.Pick(rng, names)
			t.rows[r][t.column("city")] = city
			totals[city] += t.number(r, "salary")
			lists[city] = append(lists[city], t.cell(r, "salary"))
		}
		order, ok := descending(names, totals)
		if !ok {
			continue
		}
		var steps []string
		for _, city := range names {
			steps = append(steps, fmt.Sprintf("%s: %s = %d", city, strings.Join(lists[city], " + "), totals[city]))
		}
		p := procedural.Ask(fmt.Sprintf("%s\n\nAdd the salaries for each city. List the cities from the largest total to the smallest.", t.text()),
			fmt.Sprintf("the %d cities, with commas between them", groups), strings.Join(order, ", "), steps, "list")
		p.Concepts, p.Size = []string{"grouping", "sums"}, n
		return p
	}
}

// descending sorts names by their totals; ok is false where a name has none or two have the same.
func descending(names []string, totals map[string]int) (order []string, ok bool) {
	for _, name := range names {
		at := len(order)
		for i, other := range order {
			if totals[name] == totals[other] {
				return nil, false
			}
			if totals[name] > totals[other] && at == len(order) {
				at = i
			}
		}
		if totals[name] == 0 {
			return nil, false
		}
		order = append(order[:at], append([]string{name}, order[at:]...)...)
	}
	return order, true
}
