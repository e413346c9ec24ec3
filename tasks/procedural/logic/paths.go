package logic

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"temper/tasks/procedural"
)

// Paths asks for a shortest path in a graph with lengths.
var Paths = procedural.Generator{
	Name: "paths", Domain: domain, What: "a shortest path between two places",
	Dial: "places, from 5 to 14", Measure: "places", Make: makePaths,
}

func makePaths(rng *rand.Rand, difficulty int) procedural.Problem {
	n := difficulty + 4
	for {
		g := graph{names: procedural.Letters(n), lengths: map[[2]int]int{}}
		order := rng.Perm(n)
		for i := 1; i < n; i++ { // a tree that joins all, then as many edges again as half of them
			g.join(order[i], order[rng.IntN(i)], procedural.Between(rng, 1, 9))
		}
		for range n / 2 {
			if ends := procedural.Some(rng, order, 2); !g.near(ends[0], ends[1]) {
				g.join(ends[0], ends[1], procedural.Between(rng, 1, 9))
			}
		}
		ends := procedural.Some(rng, order, 2)
		from, to := ends[0], ends[1]
		nodes, length, steps := g.shortest(from, to)
		if len(nodes) < 3 {
			continue
		}
		edges := g.list(rng, true)
		answer := g.path(nodes)
		steps = append(steps, fmt.Sprintf("Back from %s, the path is %s, of length %d.", g.names[to], answer, length))
		p := procedural.Ask(fmt.Sprintf("Roads join these places, with their lengths: %s. They can be used in both directions. What is a shortest path from %s to %s?",
			strings.Join(edges, ", "), g.names[from], g.names[to]), "the places on the path with - between them; any shortest path will do", answer, steps, "path",
			"edges", strings.Join(edges, " "), "from", g.names[from], "to", g.names[to])
		p.Concepts, p.Size = []string{"shortest paths"}, n
		return p
	}
}
