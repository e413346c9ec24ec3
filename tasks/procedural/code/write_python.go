package code

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"temper/tasks/procedural"
)

// WritePython asks for a Python function that takes a list through some steps.
var WritePython = procedural.Generator{
	Name: "write_python", Domain: domain, What: "a Python function that takes a list through some steps, judged by running tests",
	Dial: "steps, from 1 to 10", Measure: "steps", Make: makeWritePython,
}

func makeWritePython(rng *rand.Rand, difficulty int) procedural.Problem {
	p := drawPipeline(rng, difficulty)
	var program, tests strings.Builder
	program.WriteString("def solve(xs):\n")
	for _, s := range p.stages {
		fmt.Fprintf(&program, "    %s\n", s.python)
	}
	fmt.Fprintf(&program, "    %s\n", p.last.python)
	for i, xs := range p.inputs {
		fmt.Fprintf(&tests, "assert solve(%s) == %s\n", python(xs), p.shown(i))
	}
	out := procedural.Write(p.question("Python", "solve(xs), which is given a list of whole numbers"), "python", program.String(), tests.String())
	out.Concepts, out.Size = p.concepts(), difficulty
	return out
}
