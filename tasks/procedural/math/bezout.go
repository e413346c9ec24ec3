package math

import (
	"fmt"
	"math/rand/v2"
	"strconv"

	"temper/tasks/procedural"
)

// Bezout asks for whole numbers that solve a linear equation in two unknowns.
var Bezout = procedural.Generator{
	Name: "bezout", Domain: domain, What: "any whole x and y with a*x + b*y = c",
	Dial: "divisions in Euclid's algorithm, from 2 to 11", Measure: "divisions", Make: makeBezout,
}

func makeBezout(rng *rand.Rand, difficulty int) procedural.Problem {
	for {
		// The numbers are built backwards from their greatest common divisor g, a quotient at a time.
		g := procedural.Between(rng, 1, 6)
		a, b := g*procedural.Between(rng, 2, 5), g
		for range difficulty {
			a, b = a*procedural.Between(rng, 1, 4)+b, a
		}
		c := g * procedural.Between(rng, 1, 9)
		if c%a == 0 || c%b == 0 {
			continue
		}
		x, y, steps := euclid(a, b)
		x, y = x*(c/g), y*(c/g)
		steps = append(steps, fmt.Sprintf("Times %d: x = %d, y = %d, and %d*%s + %d*%s = %d.", c/g, x, y, a, signed(x), b, signed(y), c))
		p := procedural.Ask(fmt.Sprintf("Find whole numbers x and y, which may be negative, with %d*x + %d*y = %d. Any such pair will do.", a, b, c),
			"x and y with a comma between them", fmt.Sprintf("%d, %d", x, y), steps, "bezout", "a", strconv.Itoa(a), "b", strconv.Itoa(b), "c", strconv.Itoa(c))
		p.Concepts, p.Size = []string{"euclid's algorithm"}, difficulty+1
		return p
	}
}

// euclid gives x and y with a*x + b*y = the greatest common divisor, by the extended algorithm.
func euclid(a, b int) (x, y int, steps []string) {
	r0, r1 := a, b
	x0, y0, x1, y1 := 1, 0, 0, 1
	for r1 != 0 {
		q := r0 / r1
		steps = append(steps, fmt.Sprintf("%d = %d*%d + %d", r0, q, r1, r0-q*r1))
		r0, r1 = r1, r0-q*r1
		x0, x1 = x1, x0-q*x1
		y0, y1 = y1, y0-q*y1
		if r1 != 0 {
			steps[len(steps)-1] += fmt.Sprintf(", so %d = %d*%s + %d*%s", r1, a, signed(x1), b, signed(y1))
		}
	}
	return x0, y0, append(steps, fmt.Sprintf("The greatest common divisor is %d = %d*%s + %d*%s.", r0, a, signed(x0), b, signed(y0)))
}
