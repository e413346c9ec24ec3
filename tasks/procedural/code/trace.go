package code

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"temper/tasks/procedural"
)

// Trace asks what a short Python program with loops and conditions prints.
var Trace = procedural.Generator{
	Name: "trace", Domain: domain, What: "the number that a short Python program with loops and conditions prints",
	Dial: "lines between the first assignments and the print, from 2 to 11", Measure: "lines", Make: makeTrace,
}

// statement is a line of the program: an assignment, or a loop or condition with a body.
type statement struct {
	text   string
	target string // of an assignment
	value  func(v map[string]int) int
	times  int // of a loop
	holds  func(v map[string]int) bool
	body   []statement
}

var variables = []string{"a", "b", "c"}

func makeTrace(rng *rand.Rand, difficulty int) procedural.Problem {
	lines := difficulty + 1
	values := map[string]int{}
	var program strings.Builder
	for _, v := range variables {
		values[v] = procedural.Between(rng, 1, 9)
		fmt.Fprintf(&program, "%s = %d\n", v, values[v])
	}
	body := block(rng, lines, true)
	write(&program, body, "")
	shown := procedural.Pick(rng, variables)
	fmt.Fprintf(&program, "print(%s)", shown)
	steps := []string{fmt.Sprintf("a = %d, b = %d, c = %d", values["a"], values["b"], values["c"])}
	run(body, values, func(step string) { steps = append(steps, step) })
	p := procedural.Ask(fmt.Sprintf("What does this Python program print?\n\n```python\n%s\n```", program.String()), "a whole number", strconv.Itoa(values[shown]), steps, "number")
	p.Concepts, p.Size = concepts(body), lines
	return p
}

// block draws statements that take the given number of lines. Loops do not stand in loops, so that a trace stays short.
func block(rng *rand.Rand, lines int, loops bool) []statement {
	var out []statement
	for lines > 0 {
		if lines == 1 || rng.IntN(2) == 0 {
			out, lines = append(out, assignment(rng)), lines-1
			continue
		}
		inside := procedural.Between(rng, 1, min(3, lines-1))
		if loops && rng.IntN(2) == 0 {
			n := procedural.Between(rng, 2, 4)
			out = append(out, statement{text: fmt.Sprintf("for i in range(%d):", n), times: n, body: block(rng, inside, false)})
		} else {
			out = append(out, condition(rng, block(rng, inside, loops)))
		}
		lines -= inside + 1
	}
	return out
}

func assignment(rng *rand.Rand) statement {
	names := procedural.Some(rng, variables, 2)
	x, y := names[0], names[1]
	k, m := procedural.Between(rng, 2, 9), procedural.Between(rng, 11, 97)
	s := statement{target: x}
	switch rng.IntN(4) {
	case 0:
		s.text, s.value = fmt.Sprintf("%s = %s + %s", x, x, y), func(v map[string]int) int { return v[x] + v[y] }
	case 1:
		s.text, s.value = fmt.Sprintf("%s = %s - %d", x, y, k), func(v map[string]int) int { return v[y] - k }
	case 2:
		s.text, s.value = fmt.Sprintf("%s = (%s * %d + %s) %% %d", x, x, k, y, m), func(v map[string]int) int { return modulo(v[x]*k+v[y], m) }
	default:
		s.text, s.value = fmt.Sprintf("%s = %s // %d + %s", x, x, k, y), func(v map[string]int) int { return (v[x]-modulo(v[x], k))/k + v[y] }
	}
	return s
}

func condition(rng *rand.Rand, body []statement) statement {
	names := procedural.Some(rng, variables, 2)
	x, y, k := names[0], names[1], procedural.Between(rng, 2, 3)
	if rng.IntN(2) == 0 {
		return statement{text: fmt.Sprintf("if %s > %s:", x, y), holds: func(v map[string]int) bool { return v[x] > v[y] }, body: body}
	}
	return statement{text: fmt.Sprintf("if %s %% %d == 0:", x, k), holds: func(v map[string]int) bool { return modulo(v[x], k) == 0 }, body: body}
}

// modulo is Python's %, which is never negative for a positive m.
func modulo(a, m int) int { return (a%m + m) % m }

func write(b *strings.Builder, body []statement, indent string) {
	for _, s := range body {
		fmt.Fprintf(b, "%s%s\n", indent, s.text)
		write(b, s.body, indent+"    ")
	}
}

// run executes statements and tells what each does.
func run(body []statement, v map[string]int, tell func(string)) {
	for _, s := range body {
		switch {
		case s.value != nil:
			v[s.target] = s.value(v)
			tell(fmt.Sprintf("%s gives %s = %d", s.text, s.target, v[s.target]))
		case s.holds != nil && s.holds(v):
			tell(s.text + " yes")
			run(s.body, v, tell)
		case s.holds != nil:
			tell(s.text + " no")
		default:
			for i := range s.times {
				tell(fmt.Sprintf("loop, i = %d", i))
				run(s.body, v, tell)
			}
		}
	}
}

func concepts(body []statement) []string {
	found := []string{"assignments"}
	for _, s := range body {
		switch {
		case s.holds != nil:
			found = append(found, "conditions")
		case s.times > 0:
			found = append(found, "loops")
		}
		found = append(found, concepts(s.body)...)
	}
	return procedural.Distinct(found)
}
