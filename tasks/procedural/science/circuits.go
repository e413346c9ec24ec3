package science

import (
	"fmt"
	"math/big"
	"math/rand/v2"

	"temper/tasks/procedural"
)

// Circuits asks for the resistance of a circuit.
var Circuits = procedural.Generator{
	Name: "circuits", Domain: domain, What: "the resistance of resistors in series and in parallel",
	Dial: "resistors, from 2 to 11", Measure: "resistors", Make: makeCircuit,
}

var resistances = []int64{1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 24, 30}

func makeCircuit(rng *rand.Rand, difficulty int) procedural.Problem {
	text, value, steps := circuit(rng, difficulty+1)
	p := procedural.Ask(fmt.Sprintf("Resistors are joined in series, written a + b, and in parallel, written a | b. All numbers are ohms. What is the resistance of %s?", text),
		"the exact number of ohms, a whole number or a fraction", value.RatString(), steps, "number", "unit", "ohm")
	p.Concepts, p.Size = []string{"resistance"}, difficulty+1
	return p
}

// circuit draws one with n resistors.
func circuit(rng *rand.Rand, n int) (text string, value *big.Rat, steps []string) {
	if n == 1 {
		r := procedural.Pick(rng, resistances)
		return fmt.Sprint(r), big.NewRat(r, 1), nil
	}
	k := procedural.Between(rng, 1, n-1)
	a, x, first := circuit(rng, k)
	b, y, second := circuit(rng, n-k)
	if k > 1 {
		a = "(" + a + ")"
	}
	if n-k > 1 {
		b = "(" + b + ")"
	}
	steps = append(first, second...)
	sum := new(big.Rat).Add(x, y)
	if rng.IntN(2) == 0 {
		return a + " + " + b, sum, append(steps, fmt.Sprintf("%s and %s in series: %s", x.RatString(), y.RatString(), sum.RatString()))
	}
	value = new(big.Rat).Mul(x, y)
	value.Quo(value, sum)
	return a + " | " + b, value, append(steps, fmt.Sprintf("%s and %s in parallel: their product over their sum is %s", x.RatString(), y.RatString(), value.RatString()))
}
