package code

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"temper/tasks/procedural"
)

// Lists asks what a Python list is after some changes.
var Lists = procedural.Generator{
	Name: "lists", Domain: domain, What: "the Python list that is left after a sequence of changes",
	Dial: "changes, from 1 to 10, and the length of the list at first, from 4 to 8", Measure: "changes", Make: makeLists,
}

// change is a line of Python that changes xs.
type change struct {
	concept string
	line    string
	apply   func(xs []int) []int
}

func makeLists(rng *rand.Rand, difficulty int) procedural.Problem {
	for {
		xs := make([]int, 4+difficulty/2)
		for i := range xs {
			xs[i] = procedural.Between(rng, 0, 20)
		}
		first := python(xs)
		lines := []string{"xs = " + first}
		var steps, concepts []string
		for range difficulty {
			c := drawChange(rng, xs)
			xs = c.apply(slices.Clone(xs))
			lines, concepts = append(lines, c.line), append(concepts, c.concept)
			steps = append(steps, fmt.Sprintf("%s gives %s", c.line, python(xs)))
		}
		if len(xs) < 2 || python(xs) == first {
			continue // there was little to change, or nothing changed
		}
		lines = append(lines, "print(xs)")
		p := procedural.Ask(fmt.Sprintf("What does this Python program print?\n\n```python\n%s\n```", strings.Join(lines, "\n")), "a list as Python prints it", python(xs), steps, "list")
		p.Concepts, p.Size = procedural.Distinct(concepts), difficulty
		return p
	}
}

// drawChange draws a change that Python allows for the list.
func drawChange(rng *rand.Rand, xs []int) change {
	k, at := procedural.Between(rng, 2, 20), rng.IntN(len(xs)+1)
	if len(xs) > 2 {
		switch rng.IntN(5) {
		case 0:
			i := rng.IntN(len(xs))
			return change{"deletion", fmt.Sprintf("xs.pop(%d)", i), func(xs []int) []int { return slices.Delete(xs, i, i+1) }}
		case 1:
			from := rng.IntN(len(xs) - 1)
			to := procedural.Between(rng, from+2, len(xs))
			return change{"slices", fmt.Sprintf("xs = xs[%d:%d]", from, to), func(xs []int) []int { return xs[from:to] }}
		case 2:
			m := procedural.Between(rng, 2, 3)
			return change{"comprehensions", fmt.Sprintf("xs = [x for x in xs if x %% %d != 0] + xs[:1]", m), func(xs []int) []int {
				return append(slices.DeleteFunc(slices.Clone(xs), func(x int) bool { return x%m == 0 }), xs[0])
			}}
		}
	}
	switch rng.IntN(6) {
	case 0:
		return change{"insertion", fmt.Sprintf("xs.append(%d)", k), func(xs []int) []int { return append(xs, k) }}
	case 1:
		return change{"insertion", fmt.Sprintf("xs.insert(%d, %d)", at, k), func(xs []int) []int { return slices.Insert(xs, at, k) }}
	case 2:
		return change{"order", "xs.reverse()", func(xs []int) []int { slices.Reverse(xs); return xs }}
	case 3:
		return change{"order", "xs.sort()", func(xs []int) []int { slices.Sort(xs); return xs }}
	case 4:
		return change{"comprehensions", fmt.Sprintf("xs = [x + %d for x in xs]", k), func(xs []int) []int {
			for i := range xs {
				xs[i] += k
			}
			return xs
		}}
	}
	return change{"slices", "xs = xs[1:] + xs[:1]", func(xs []int) []int { return append(xs[1:], xs[0]) }}
}

// python writes a list as Python does.
func python(xs []int) string { return "[" + procedural.Join(xs, ", ") + "]" }
