package math

import (
	"fmt"
	"math/rand/v2"
	"strconv"

	"temper/tasks/procedural"
)

// Modular asks for the remainder of a power.
var Modular = procedural.Generator{
	Name: "modular", Domain: domain, What: "the remainder of a power, by repeated squaring",
	Dial: "binary digits of the exponent, from 2 to 11, and the modulus, up to 20 and 110", Measure: "binary digits of the exponent", Make: makeModular,
}

func makeModular(rng *rand.Rand, difficulty int) procedural.Problem {
	modulus := procedural.Between(rng, 5, 10+10*difficulty)
	base := modulus*rng.IntN(difficulty) + procedural.Between(rng, 2, modulus-1)
	exponent := 1<<difficulty + rng.IntN(1<<difficulty)
	square, result := base%modulus, 1
	steps := []string{fmt.Sprintf("Modulo %d, %d is %d. Square repeatedly, and multiply where %d has a binary 1.", modulus, base, square, exponent)}
	for power := 1; power <= exponent; power *= 2 {
		if power > 1 {
			steps = append(steps, fmt.Sprintf("%d^%d: %d * %d = %d, remainder %d", base, power, square, square, square*square, square*square%modulus))
			square = square * square % modulus
		}
		if exponent&power != 0 {
			steps = append(steps, fmt.Sprintf("take %d^%d: %d * %d = %d, remainder %d", base, power, result, square, result*square, result*square%modulus))
			result = result * square % modulus
		}
	}
	p := procedural.Ask(fmt.Sprintf("What is the remainder when %d^%d is divided by %d?", base, exponent, modulus), fmt.Sprintf("a whole number from 0 to %d", modulus-1),
		strconv.Itoa(result), steps, "number")
	p.Concepts, p.Size = []string{"modular arithmetic", "powers"}, difficulty+1
	return p
}
