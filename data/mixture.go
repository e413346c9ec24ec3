package data

import "math/rand/v2"

// Mixture is an endless order of the items of several sources, counted through: source 0's items first, then source 1's, and so on.
//
// Without weights the items of all sources are shuffled together, each pass over them anew. With weights a source's share of the draws is
// its weight, spread evenly (at each place the source that is furthest behind its share comes next), and each source is shuffled by itself, each
// pass anew. The order depends on the sizes, weights and seed alone, so any part of it can be had by its place.
type Mixture struct {
	Sizes   []int
	Weights []float64 // one a source, or none
	Seed    uint64
}

// Draw gives the items at the places [from, from+n). It is empty where there are no items.
func (m Mixture) Draw(from, n int) []int {
	sizes, weights := m.Sizes, m.Weights
	if len(weights) == 0 {
		total := 0
		for _, s := range sizes {
			total += s
		}
		sizes, weights = []int{total}, []float64{1}
	}
	offsets, total := make([]int, len(sizes)), 0.0
	for i := range sizes {
		if i > 0 {
			offsets[i] = offsets[i-1] + sizes[i-1]
		}
		if sizes[i] > 0 {
			total += weights[i]
		}
	}
	if total <= 0 {
		return nil
	}
	passes := make([]pass, len(sizes))
	drawn := make([]int, len(sizes))
	out := make([]int, 0, n)
	for place := range from + n {
		next, behind := -1, 0.0
		for i, w := range weights {
			if sizes[i] == 0 || w <= 0 {
				continue
			}
			if b := w/total*float64(place+1) - float64(drawn[i]); next < 0 || b > behind+1e-9 {
				next, behind = i, b
			}
		}
		if place >= from {
			out = append(out, offsets[next]+passes[next].at(m.Seed, next, drawn[next], sizes[next]))
		}
		drawn[next]++
	}
	return out
}

// pass is one shuffled pass over a source.
type pass struct {
	number int
	order  []int
}

func (p *pass) at(seed uint64, source, place, size int) int {
	if number := place / size; p.order == nil || p.number != number {
		p.number = number
		p.order = rand.New(rand.NewPCG(seed, uint64(source)<<40|uint64(number))).Perm(size)
	}
	return p.order[place%size]
}
