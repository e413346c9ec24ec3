package logic

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"temper/tasks/procedural"
)

// Colouring asks for colours of regions in which neighbours differ.
var Colouring = procedural.Generator{
	Name: "colouring", Domain: domain, What: "three colours for regions, so that neighbours differ",
	Dial: "regions, from 4 to 13", Measure: "regions", Make: makeColouring,
}

var colours = []string{"red", "green", "blue"}

func makeColouring(rng *rand.Rand, difficulty int) procedural.Problem {
	n := difficulty + 3
	g := graph{names: procedural.Letters(n), lengths: map[[2]int]int{}}
	planted := make([]int, n)
	for i, node := range rng.Perm(n) {
		planted[node] = i % len(colours)
	}
	// Only regions of different colours become neighbours, each region at least once.
	for a := range n {
		for range 2 {
			b := rng.IntN(n)
			for planted[a] == planted[b] {
				b = rng.IntN(n)
			}
			g.join(a, b, 1)
		}
	}
	edges := g.list(rng, false)
	found, steps := colour(g)
	var answer []string
	for i, c := range found {
		answer = append(answer, g.names[i]+"="+colours[c])
	}
	p := procedural.Ask(fmt.Sprintf("These regions are neighbours: %s. Give each region one of the colours %s, so that no two neighbours have the same.", strings.Join(edges, ", "), strings.Join(colours, ", ")),
		"a list such as A=red, B=blue; any right one will do", strings.Join(answer, ", "), steps, "colouring", "edges", strings.Join(edges, " "), "colours", strings.Join(colours, " "))
	p.Concepts, p.Size = []string{"graph colouring"}, n
	return p
}

// colour finds the first colouring in the order of nodes and colours, going back where no colour is left, and says what led to it.
func colour(g graph) (found []int, steps []string) {
	found = make([]int, len(g.names))
	var try func(node int) bool
	try = func(node int) bool {
		if node == len(found) {
			return true
		}
		for c := range colours {
			var taken []string
			free := true
			for _, b := range g.neighbours(node) {
				if b < node {
					taken = append(taken, g.names[b]+" "+colours[found[b]])
					free = free && found[b] != c
				}
			}
			if !free {
				continue
			}
			found[node] = c
			because := ""
			if len(taken) > 0 {
				because = fmt.Sprintf(" (neighbours so far: %s)", strings.Join(taken, ", "))
			}
			steps = append(steps, fmt.Sprintf("%s: %s%s", g.names[node], colours[c], because))
			if try(node + 1) {
				return true
			}
			steps = append(steps, fmt.Sprintf("Back to %s.", g.names[node]))
		}
		return false
	}
	try(0)
	return found, steps
}
