package science

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"

	"temper/tasks/procedural"
)

// Balance asks for the coefficients of a chemical equation.
var Balance = procedural.Generator{
	Name: "balance", Domain: domain, What: "the smallest whole coefficients of a chemical equation",
	Dial: "from 1: a metal and a non-metal, 3: a fuel of C and H burns, 5: with O, 7: and S, 9: and N; and how large the fuel is", Measure: "elements", Make: makeBalance,
}

// element has atoms that bind so many others, and molecules of so many atoms.
type element struct {
	symbol         string
	valence, atoms int
}

var (
	metals    = []element{{"Li", 1, 1}, {"Na", 1, 1}, {"K", 1, 1}, {"Ag", 1, 1}, {"Mg", 2, 1}, {"Ca", 2, 1}, {"Ba", 2, 1}, {"Zn", 2, 1}, {"Al", 3, 1}, {"Ga", 3, 1}}
	nonmetals = []element{{"O", 2, 2}, {"S", 2, 1}, {"F", 1, 2}, {"Cl", 1, 2}, {"Br", 1, 2}, {"I", 1, 2}, {"N", 3, 2}}
)

func makeBalance(rng *rand.Rand, difficulty int) procedural.Problem {
	var r reaction
	var steps []string
	elements, concept := 2, "binary compounds"
	if difficulty < 3 {
		r, steps = compound(procedural.Pick(rng, metals), procedural.Pick(rng, nonmetals))
	} else {
		for steps == nil {
			r, steps, elements = burn(rng, difficulty)
		}
		concept = "combustion"
	}
	p := procedural.Ask(fmt.Sprintf("Balance this equation with the smallest whole coefficients:\n%s", r.text(false)), "all coefficients in the order of the equation, with commas between them", procedural.Join(r.coefficients, ", "),
		append(steps, "Balanced: "+r.text(true)), "balance", "equation", r.text(false))
	p.Concepts, p.Size = []string{concept}, elements
	return p
}

// compound has a metal react with a non-metal.
func compound(m, y element) (reaction, []string) {
	g := gcd(m.valence, y.valence)
	ofM, ofY := y.valence/g, m.valence/g
	r := reaction{formulas: []string{m.symbol, several(y.symbol, y.atoms), several(m.symbol, ofM) + several(y.symbol, ofY)}, left: 2}
	steps := []string{fmt.Sprintf("%s has %d of %s and %d of %s.", r.formulas[2], ofM, m.symbol, ofY, y.symbol)}
	r.coefficients, steps = whole([]*big.Rat{big.NewRat(int64(ofM), 1), big.NewRat(int64(ofY), int64(y.atoms)), big.NewRat(1, 1)}, steps)
	return r, steps
}

// burn draws a fuel and burns it with oxygen; steps are nil where the draw needs no oxygen.
func burn(rng *rand.Rand, difficulty int) (r reaction, steps []string, elements int) {
	c, elements := procedural.Between(rng, 1, 2*difficulty), 3
	h, o, s, n := procedural.Between(rng, 1, c+1)*2, 0, 0, 0
	if difficulty >= 5 {
		o = procedural.Between(rng, 1, max(2, c/2))
	}
	if difficulty >= 7 {
		s, elements = procedural.Between(rng, 1, 3), 4
	}
	if difficulty >= 9 {
		n, elements = procedural.Between(rng, 1, 4), 5
	}
	oxygen := new(big.Rat).Add(big.NewRat(int64(c+s), 1), big.NewRat(int64(h), 4))
	oxygen.Sub(oxygen, big.NewRat(int64(o), 2))
	if oxygen.Sign() <= 0 {
		return reaction{}, nil, 0
	}
	r = reaction{formulas: []string{several("C", c) + several("H", h) + several("N", n) + several("O", o) + several("S", s), "O2", "CO2", "H2O"}, left: 2}
	amounts := []*big.Rat{big.NewRat(1, 1), oxygen, big.NewRat(int64(c), 1), big.NewRat(int64(h), 2)}
	steps = []string{fmt.Sprintf("For one %s: C gives %d CO2, H gives %s H2O.", r.formulas[0], c, amounts[3].RatString())}
	if s > 0 {
		r.formulas, amounts = append(r.formulas, "SO2"), append(amounts, big.NewRat(int64(s), 1))
		steps = append(steps, fmt.Sprintf("S gives %d SO2.", s))
	}
	if n > 0 {
		r.formulas, amounts = append(r.formulas, "N2"), append(amounts, big.NewRat(int64(n), 2))
		steps = append(steps, fmt.Sprintf("N gives %s N2.", big.NewRat(int64(n), 2).RatString()))
	}
	steps = append(steps, fmt.Sprintf("The products have %d O, the fuel has %d, so %s O2 are needed.", 2*c+h/2+2*s, o, oxygen.RatString()))
	r.coefficients, steps = whole(amounts, steps)
	return r, steps, elements
}

// whole multiplies amounts by the smallest number that makes them all whole, and divides by what they have in common.
func whole(amounts []*big.Rat, steps []string) ([]int, []string) {
	by := int64(1)
	for _, a := range amounts {
		by = by / int64(gcd(int(by), int(a.Denom().Int64()))) * a.Denom().Int64()
	}
	out, common := make([]int, len(amounts)), 0
	for i, a := range amounts {
		out[i] = int(new(big.Rat).Mul(a, big.NewRat(by, 1)).Num().Int64())
		common = gcd(common, out[i])
	}
	for i := range out {
		out[i] /= common
	}
	if by > 1 {
		steps = append(steps, fmt.Sprintf("Times %d, so that all are whole.", by))
	}
	return out, steps
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// several writes n atoms: nothing, H, H2.
func several(symbol string, n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return symbol
	}
	return symbol + strconv.Itoa(n)
}

// times writes n molecules: 2 H2O.
func times(n int, formula string) string { return fmt.Sprintf("%d %s", n, formula) }
