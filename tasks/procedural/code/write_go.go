package code

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"temper/tasks/procedural"
)

// WriteGo asks for a Go function that takes a slice through some steps.
var WriteGo = procedural.Generator{
	Name: "write_go", Domain: domain, What: "a Go function that takes a slice through some steps, judged by running tests",
	Dial: "steps, from 1 to 10", Measure: "steps", Make: makeWriteGo,
}

func makeWriteGo(rng *rand.Rand, difficulty int) procedural.Problem {
	p := drawPipeline(rng, difficulty)
	result := "int"
	if p.last.list {
		result = "[]int"
	}
	var body strings.Builder
	for _, s := range p.stages {
		fmt.Fprintf(&body, "\t%s\n", s.golang)
	}
	fmt.Fprintf(&body, "\t%s\n", p.last.golang)
	imports := ""
	if strings.Contains(body.String(), "slices.") {
		imports = "import \"slices\"\n\n"
	}
	program := fmt.Sprintf("package main\n\n%sfunc Solve(xs []int) %s {\n%s}\n", imports, result, body.String())
	out := procedural.Write(p.question("Go", fmt.Sprintf("Solve(xs []int) %s, which may change xs", result)), "go", program, p.goTests())
	out.Concepts, out.Size = p.concepts(), difficulty
	return out
}

// goTests compares results as they are printed, so that an empty slice and none are the same.
func (p pipeline) goTests() string {
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n\t\"fmt\"\n\t\"testing\"\n)\n\nfunc TestSolve(t *testing.T) {\n\tfor _, c := range []struct {\n\t\txs   []int\n\t\twant string\n\t}{\n")
	for i, xs := range p.inputs {
		want := fmt.Sprint(p.outputs[i])
		if !p.last.list {
			want = fmt.Sprint(p.outputs[i][0])
		}
		fmt.Fprintf(&b, "\t\t{[]int{%s}, %q},\n", procedural.Join(xs, ", "), want)
	}
	b.WriteString("\t} {\n\t\tif got := fmt.Sprint(Solve(c.xs)); got != c.want {\n\t\t\tt.Errorf(\"got %s, want %s\", got, c.want)\n\t\t}\n\t}\n}\n")
	return b.String()
}
