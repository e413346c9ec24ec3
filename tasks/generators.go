package tasks

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"temper/tasks/procedural"
	"temper/tasks/procedural/code"
	"temper/tasks/procedural/logic"
	"temper/tasks/procedural/math"
	"temper/tasks/procedural/science"
	"temper/tasks/procedural/simulation"
	"temper/tasks/procedural/tabular"
)

// generators are all there are, by name.
var generators = func() map[string]procedural.Generator {
	out := map[string]procedural.Generator{}
	for _, domain := range [][]procedural.Generator{math.All, code.All, science.All, logic.All, simulation.All, tabular.All} {
		for _, g := range domain {
			out[g.Name] = g
		}
	}
	return out
}()

// Generators lists the generators, by domain and name.
func Generators() []procedural.Generator {
	return slices.SortedFunc(maps.Values(generators), func(a, b procedural.Generator) int {
		return cmp.Or(strings.Compare(a.Domain, b.Domain), strings.Compare(a.Name, b.Name))
	})
}

// Info says of a procedural source what is asked and what difficulty is.
type Info struct {
	Name, Domain, What, Dial string
	Lowest, Highest          int // difficulty
}

// Infos lists all that Source.Procedural can be, by domain and name.
func Infos() []Info {
	out := []Info{
		{"chain", "math", "two-digit numbers, one operation after another, in a notation of its own", "steps", 1, maxSteps},
		{"stories", "text", "a short story to go on with; no right answer", "required words", 0, storyWords},
	}
	for _, g := range generators {
		out = append(out, Info{g.Name, g.Domain, g.What, g.Dial, procedural.Easiest, procedural.Hardest})
	}
	slices.SortFunc(out, func(a, b Info) int {
		return cmp.Or(strings.Compare(a.Domain, b.Domain), strings.Compare(a.Name, b.Name))
	})
	return out
}

// Domains lists what Source.Procedural can be, sorted.
func Domains() []string {
	var out []string
	for _, i := range Infos() {
		out = append(out, i.Name)
	}
	slices.Sort(out)
	return out
}

// Generated says that the problems are those of a generator, which carry what their checkers need.
func (s Source) Generated() bool { return mixture(s.Procedural) != nil }

// named is a number for a name, so that generators do not draw alike.
func named(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name)) // a hash takes everything
	return h.Sum64()
}

// generatedAt draws the difficulty, then problem i of that difficulty, which depends on (seed, i, difficulty) alone.
func (s Source) generatedAt(g procedural.Generator, i int) (Problem, error) {
	lo, hi := 1, 5
	if len(s.Difficulty) == 2 {
		lo, hi = s.Difficulty[0], s.Difficulty[1]
	}
	if lo < procedural.Easiest || hi < lo || hi > procedural.Hardest {
		return Problem{}, fmt.Errorf("tasks: %s: difficulty: must be [lo, hi] within [%d, %d], is %v", s, procedural.Easiest, procedural.Hardest, s.Difficulty)
	}
	difficulty := lo + counterRNG(s.Seed, i).IntN(hi-lo+1)
	made := g.Generate(rand.New(rand.NewPCG(Mix(s.Seed, uint64(difficulty)), mix(uint64(i))^named(g.Name))), difficulty)
	digest := sha256.Sum256([]byte(made.Prompt))
	return Problem{
		ID: fmt.Sprintf("%s:%x", g.Name, digest[:8]), Prompt: made.Prompt, Answer: made.Answer, Solution: made.Solution,
		Concepts: made.Concepts, Difficulty: difficulty, Source: g.Name, Meta: made.Meta,
	}, nil
}
