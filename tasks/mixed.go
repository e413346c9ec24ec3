package tasks

import (
	"slices"

	"temper/tasks/procedural"
)

// everyDomain is the mixture of all generators.
const everyDomain = "all"

// mixture lists the generators that a name stands for: its own, those of a domain (math, code, science, logic, simulation, tabular), or all; in the order
// of Generators. nil: none.
func mixture(name string) []procedural.Generator {
	if g, ok := generators[name]; ok {
		return []procedural.Generator{g}
	}
	var out []procedural.Generator
	for _, g := range Generators() {
		if g.Domain == name || name == everyDomain {
			out = append(out, g)
		}
	}
	return out
}

// About describes what a name stands for: a kind of problem, or a mixture of generators, which all have the same range of difficulty.
func About(name string) (Info, bool) {
	infos := Infos()
	if i := slices.IndexFunc(infos, func(i Info) bool { return i.Name == name }); i >= 0 {
		return infos[i], true
	}
	return Info{Name: name, Domain: name, Lowest: procedural.Easiest, Highest: procedural.Hardest}, mixture(name) != nil
}

// Mixtures are the names of mixtures, sorted.
func Mixtures() []string {
	out := []string{everyDomain}
	for _, g := range generators {
		out = append(out, g.Domain)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// mixedAt takes the generators of a mixture in turn: problem i is problem i/n of generator i mod n. Beside its own concepts a problem has the
// path of its generator, logic/zebra, by which evaluations roll scores up.
func (s Source) mixedAt(mix []procedural.Generator, i int) (Problem, error) {
	if len(mix) == 1 {
		return s.generatedAt(mix[0], i)
	}
	g := mix[i%len(mix)]
	p, err := s.generatedAt(g, i/len(mix))
	if err != nil {
		return p, err
	}
	p.Concepts = append(slices.Clone(p.Concepts), g.Domain+"/"+g.Name)
	slices.Sort(p.Concepts)
	return p, nil
}
