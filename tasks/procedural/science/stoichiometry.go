package science

import (
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"

	"temper/reward/check"
	"temper/tasks/procedural"
)

// Stoichiometry asks how much of a substance a reaction makes.
var Stoichiometry = procedural.Generator{
	Name: "stoichiometry", Domain: domain, What: "how much of a product a reaction makes",
	Dial: "from 1: moles to moles, 3: moles to grams, 5: grams to grams, 7: which reactant runs out, 9: with a yield; and the amounts", Measure: "steps", Make: makeStoichiometry,
}

func makeStoichiometry(rng *rand.Rand, difficulty int) procedural.Problem {
	level := (difficulty + 1) / 2
	r := procedural.Pick(rng, reactions)
	product := procedural.Between(rng, r.left, len(r.formulas)-1)
	s := story{reaction: r, rng: rng, grams: level >= 3}
	// How often the reaction can run, in moles of the equation as it is written.
	runs := big.NewRat(int64(procedural.Between(rng, 1, 6*difficulty)), 2)
	reactant := rng.IntN(r.left)
	given := s.give(reactant, runs)
	if level >= 4 {
		more := new(big.Rat).Add(runs, big.NewRat(int64(procedural.Between(rng, 1, 2*difficulty)), 2))
		other := s.give(1-reactant, more)
		s.steps = append(s.steps, fmt.Sprintf("%s runs out first.", r.formulas[reactant]))
		both := []string{given, other}
		rng.Shuffle(2, func(i, j int) { both[i], both[j] = both[j], both[i] })
		given = strings.Join(both, " and ")
	} else {
		given += ", with enough of everything else"
	}
	amount := s.times(fmt.Sprintf("moles of %s", r.formulas[product]), runs, r.coefficients[product])
	unit := "mol"
	if level >= 2 {
		unit = "g"
		amount = s.times(fmt.Sprintf("grams of %s, of which a mole has %d", r.formulas[product], mass(r.formulas[product])), amount, mass(r.formulas[product]))
	}
	produced := "at most"
	if level >= 5 {
		percent := int64(5 * procedural.Between(rng, 10, 19))
		produced = fmt.Sprintf("with a yield of %d%%", percent)
		amount = new(big.Rat).Mul(amount, big.NewRat(percent, 100))
		s.steps = append(s.steps, fmt.Sprintf("%d%% of that is %s.", percent, procedural.Number(amount)))
	}
	p := procedural.Ask(fmt.Sprintf("%s\nThere are %s. How much %s can be made, %s, in %s?%s", r.text(true), given, r.formulas[product], produced, unit, s.table()),
		"the exact number of "+unit, procedural.Number(amount), s.steps, "number", "unit", unit)
	p.Concepts, p.Size = []string{"mole ratios"}, len(s.steps)
	if level >= 2 {
		p.Concepts = append([]string{"molar mass"}, p.Concepts...)
	}
	if level >= 4 {
		p.Concepts = append([]string{"limiting reactants"}, p.Concepts...)
	}
	return p
}

// story is a problem under way.
type story struct {
	reaction
	rng   *rand.Rand
	grams bool
	steps []string
}

// give says how much there is of a reactant for so many runs, and works the runs out of that.
func (s *story) give(i int, runs *big.Rat) string {
	formula, n := s.formulas[i], s.coefficients[i]
	moles := new(big.Rat).Mul(runs, big.NewRat(int64(n), 1))
	amount, unit := procedural.Number(moles), "mol"
	if s.grams {
		grams := new(big.Rat).Mul(moles, big.NewRat(int64(mass(formula)), 1))
		amount, unit = procedural.Number(grams), "g"
		s.steps = append(s.steps, fmt.Sprintf("%s g of %s, of which a mole has %d g, are %s mol.", amount, formula, mass(formula), procedural.Number(moles)))
	}
	s.steps = append(s.steps, fmt.Sprintf("The equation takes %d mol of %s, so it can run %s / %d = %s times.", n, formula, procedural.Number(moles), n, procedural.Number(runs)))
	return fmt.Sprintf("%s %s of %s", amount, unit, formula)
}

func (s *story) times(what string, a *big.Rat, b int) *big.Rat {
	c := new(big.Rat).Mul(a, big.NewRat(int64(b), 1))
	s.steps = append(s.steps, fmt.Sprintf("%s: %s * %d = %s.", strings.ToUpper(what[:1])+what[1:], procedural.Number(a), b, procedural.Number(c)))
	return c
}

// table lists the atomic masses of the equation's elements.
func (s *story) table() string {
	found := map[string]bool{}
	for _, f := range s.formulas {
		atoms, err := check.Atoms(f)
		if err != nil {
			panic(err) // a table of this package is wrong
		}
		for e := range atoms {
			found[e] = true
		}
	}
	var out []string
	for _, e := range slices.Sorted(maps.Keys(found)) {
		out = append(out, fmt.Sprintf("%s %d", e, masses[e]))
	}
	return "\nTake these atomic masses, in g/mol: " + strings.Join(out, ", ") + "."
}
