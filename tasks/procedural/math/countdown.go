package math

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"temper/tasks/procedural"
)

// Countdown asks for an expression that makes a target from given numbers.
var Countdown = procedural.Generator{
	Name: "countdown", Domain: domain, What: "an expression that makes a target from given numbers, each used at most once",
	Dial: "how many numbers there are, from 3 to 8, and how large, up to 10 and 100", Measure: "numbers", Make: makeCountdown,
}

// made is a number with the expression that makes it.
type made struct {
	value int
	text  string
	whole bool // a number or in parentheses
}

// ways are the operations that combine two numbers into a whole number above 0.
func ways(a, b made) map[byte]int {
	out := map[byte]int{'+': a.value + b.value, '*': a.value * b.value}
	if a.value > b.value {
		out['-'] = a.value - b.value
	}
	if a.value%b.value == 0 && b.value > 1 {
		out['/'] = a.value / b.value
	}
	return out
}

func makeCountdown(rng *rand.Rand, difficulty int) procedural.Problem {
	for {
		numbers := make([]int, 3+difficulty/2)
		for i := range numbers {
			numbers[i] = procedural.Between(rng, 1, 10*difficulty)
		}
		target, steps, concepts := combine(rng, numbers)
		if target.value > 9999 || slices.Contains(numbers, target.value) {
			continue
		}
		steps = append(steps, fmt.Sprintf("So %s = %d.", target.text, target.value))
		p := procedural.Ask(
			fmt.Sprintf("Make %d from the numbers %s. Use each number at most as often as it is listed, with +, -, *, / and parentheses. Not all numbers have to be used.",
				target.value, procedural.Join(numbers, ", ")),
			"the expression", target.text, steps, "countdown", "numbers", procedural.Join(numbers, " "), "target", strconv.Itoa(target.value))
		p.Concepts, p.Size = concepts, len(numbers)
		return p
	}
}

// combine takes two numbers at a time and puts what they make in their place, until one is left.
func combine(rng *rand.Rand, numbers []int) (left made, steps, concepts []string) {
	var pool []made
	for _, n := range numbers {
		pool = append(pool, made{n, strconv.Itoa(n), true})
	}
	for len(pool) > 1 {
		rng.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
		a, b := pool[0], pool[1]
		possible := ways(a, b)
		var ops []byte
		for _, op := range []byte{'+', '-', '*', '/'} {
			if c, ok := possible[op]; ok && c <= 9999 {
				ops = append(ops, op)
			}
		}
		if len(ops) == 0 { // both are large and neither is the larger: their sum is left
			ops = []byte{'+'}
		}
		op := procedural.Pick(rng, ops)
		c := made{value: possible[op], text: fmt.Sprintf("%s%c%s", a.inside(), op, b.inside())}
		steps = append(steps, fmt.Sprintf("%d %c %d = %d", a.value, op, b.value, c.value))
		concepts = append(concepts, map[byte]string{'+': "addition", '-': "subtraction", '*': "multiplication", '/': "division"}[op])
		pool = append(pool[2:], c)
	}
	return pool[0], steps, procedural.Distinct(concepts)
}

func (m made) inside() string {
	if m.whole {
		return m.text
	}
	return "(" + m.text + ")"
}
