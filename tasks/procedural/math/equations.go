package math

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"

	"temper/tasks/procedural"
)

// Equations asks for the solution of a linear equation in x.
var Equations = procedural.Generator{
	Name: "equations", Domain: domain, What: "the solution of a linear equation in one unknown",
	Dial: "terms, from 3 to 12; parentheses from 4 on, solutions that are fractions from 8 on", Measure: "terms", Make: makeEquation,
}

// term is times * (x + plus), or times * x, or a constant.
type term struct {
	times int
	plus  int // 0: no parentheses
	x     bool
}

// parts are the term's factor of x and its constant.
func (t term) parts() (ofX, constant int) {
	if !t.x {
		return 0, t.times
	}
	return t.times, t.times * t.plus
}

// text writes the term without its sign.
func (t term) text() string {
	n := strconv.Itoa(max(t.times, -t.times))
	if !t.x {
		return n
	}
	if n == "1" {
		n = ""
	}
	switch {
	case t.plus > 0:
		return fmt.Sprintf("%s(x + %d)", n, t.plus)
	case t.plus < 0:
		return fmt.Sprintf("%s(x - %d)", n, -t.plus)
	}
	return n + "x"
}

func makeEquation(rng *rand.Rand, difficulty int) procedural.Problem {
	for {
		sides := [2][]term{{{times: nonzero(rng, 9), x: true}}, {{times: nonzero(rng, 30)}}}
		for i := range difficulty {
			t := term{times: nonzero(rng, 9), x: i%2 == 1}
			if t.x && difficulty >= 4 && rng.IntN(2) == 0 {
				t.plus = nonzero(rng, 9)
			}
			s := rng.IntN(2)
			sides[s] = append(sides[s], t)
		}
		a, b := sum(sides[0])
		c, d := sum(sides[1])
		whole := difficulty < 8
		if a == c || whole && (d-b)%(a-c) != 0 {
			continue
		}
		x := big.NewRat(int64(d-b), int64(a-c))
		steps := []string{
			fmt.Sprintf("Each side, put together: %s = %s.", linear(a, b), linear(c, d)),
		}
		if c != 0 {
			steps = append(steps, fmt.Sprintf("Take %s from both sides: %s = %s.", signedText(linear(c, 0)), linear(a-c, b), linear(0, d)))
		}
		if b != 0 {
			steps = append(steps, fmt.Sprintf("Take %s from both sides: %s = %d.", signed(b), linear(a-c, 0), d-b))
		}
		steps = append(steps, fmt.Sprintf("Divide by %s: x = %s.", signed(a-c), x.RatString()))
		form, concepts := "a whole number", []string{"linear equations"}
		if !whole {
			form, concepts = "a whole number or a fraction", []string{"fractions", "linear equations"}
		}
		p := procedural.Ask(fmt.Sprintf("Solve for x: %s = %s", sideText(sides[0]), sideText(sides[1])), form, x.RatString(), steps, "number", "variable", "x")
		p.Concepts, p.Size = concepts, len(sides[0])+len(sides[1])
		return p
	}
}

// nonzero draws a number from -most to most that is not 0.
func nonzero(rng *rand.Rand, most int) int {
	n := procedural.Between(rng, 1, most)
	if rng.IntN(3) == 0 {
		return -n
	}
	return n
}

func sum(side []term) (ofX, constant int) {
	for _, t := range side {
		a, b := t.parts()
		ofX, constant = ofX+a, constant+b
	}
	return ofX, constant
}

func sideText(side []term) string {
	var b strings.Builder
	for i, t := range side {
		switch {
		case i == 0 && t.times < 0:
			b.WriteString("-")
		case i > 0 && t.times < 0:
			b.WriteString(" - ")
		case i > 0:
			b.WriteString(" + ")
		}
		b.WriteString(t.text())
	}
	return b.String()
}

// linear writes a*x + b.
func linear(a, b int) string {
	var side []term
	if a != 0 {
		side = append(side, term{times: a, x: true})
	}
	if b != 0 || a == 0 {
		side = append(side, term{times: b})
	}
	return sideText(side)
}

func signedText(s string) string {
	if strings.HasPrefix(s, "-") {
		return "(" + s + ")"
	}
	return s
}
