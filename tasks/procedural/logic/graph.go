package logic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// graph has edges with lengths between nodes 0, 1, …; both directions are there.
type graph struct {
	names   []string
	lengths map[[2]int]int
}

func (g graph) join(a, b, length int) {
	g.lengths[[2]int{a, b}], g.lengths[[2]int{b, a}] = length, length
}

func (g graph) near(a, b int) bool { return g.lengths[[2]int{a, b}] > 0 }

// neighbours of a node, in order.
func (g graph) neighbours(a int) []int {
	var out []int
	for b := range g.names {
		if g.near(a, b) {
			out = append(out, b)
		}
	}
	return out
}

// list writes the edges in an order that rng decides: "A-B:3".
func (g graph) list(rng *rand.Rand, lengths bool) []string {
	var out []string
	for a := range g.names {
		for b := range a {
			if !g.near(a, b) {
				continue
			}
			text := g.names[b] + "-" + g.names[a]
			if lengths {
				text = fmt.Sprintf("%s:%d", text, g.lengths[[2]int{a, b}])
			}
			out = append(out, text)
		}
	}
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func (g graph) path(nodes []int) string {
	var out []string
	for _, n := range nodes {
		out = append(out, g.names[n])
	}
	return strings.Join(out, "-")
}

// shortest is Dijkstra's algorithm: a shortest path, its length, and what was settled on the way.
func (g graph) shortest(from, to int) (nodes []int, length int, steps []string) {
	distance, before, settled := map[int]int{from: 0}, map[int]int{}, map[int]bool{}
	for !settled[to] {
		at := -1
		for n := range g.names {
			if d, seen := distance[n]; seen && !settled[n] && (at < 0 || d < distance[at]) {
				at = n
			}
		}
		settled[at] = true
		if at == from {
			steps = append(steps, fmt.Sprintf("%s is the start.", g.names[at]))
		} else {
			steps = append(steps, fmt.Sprintf("%s is at distance %d, by way of %s.", g.names[at], distance[at], g.names[before[at]]))
		}
		for _, n := range g.neighbours(at) {
			d := distance[at] + g.lengths[[2]int{at, n}]
			if old, seen := distance[n]; !seen || d < old {
				distance[n], before[n] = d, at
			}
		}
	}
	nodes = []int{to}
	for n := to; n != from; {
		n = before[n]
		nodes = append(nodes, n)
	}
	slices.Reverse(nodes)
	return nodes, distance[to], steps
}
