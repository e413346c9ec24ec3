package code

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	program "temper/reward/code"
	"temper/reward/sandbox"
	"temper/tasks/procedural"
)

func rng(seed int) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), 1)) }

// TestPythonPrintsTheAnswers runs the programs of the prompts.
func TestPythonPrintsTheAnswers(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	fence := regexp.MustCompile("(?s)```python\n(.*?)\n```")
	var programs, answers []string
	for _, g := range []procedural.Generator{Trace, Lists} {
		for d := procedural.Easiest; d <= procedural.Hardest; d++ {
			for i := range 40 {
				p := g.Generate(rng(100*d+i), d)
				programs = append(programs, fence.FindStringSubmatch(p.Prompt)[1])
				answers = append(answers, p.Answer)
			}
		}
	}
	input, err := json.Marshal(programs)
	require.NoError(t, err)
	run := exec.Command(python, "-I", "-c", `import contextlib, io, json, sys
for program in json.load(sys.stdin):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(program, {})
    print(json.dumps(out.getvalue().strip()))`)
	run.Stdin = strings.NewReader(string(input))
	out, err := run.Output()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, len(programs))
	for i, line := range lines {
		var printed string
		require.NoError(t, json.Unmarshal([]byte(line), &printed))
		require.Equal(t, printed, answers[i], programs[i])
	}
}

// TestProgramsPassTheirTests judges the reference programs, and programs that do less, in the sandbox.
func TestProgramsPassTheirTests(t *testing.T) {
	if err := sandbox.Check(); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		generator        procedural.Generator
		difficulties     []int
		nothing, integer string
	}{
		{WritePython, []int{1, 2, 3, 5, 7, 10}, "def solve(xs):\n    return xs\n", "def solve(xs):\n    return 0\n"},
		{WriteGo, []int{1, 4, 10}, "func Solve(xs []int) []int { return xs }", "func Solve(xs []int) int { return 0 }"},
	} {
		if _, err := exec.LookPath("go"); err != nil && c.generator.Name == "write_go" {
			t.Skip(err)
		}
		for _, d := range c.difficulties {
			for i := range 2 {
				p := c.generator.Generate(rng(10*d+i), d)
				judge := func(completion string) program.Judgement {
					return program.Verify(context.Background(), program.Program{Language: p.Meta["language"], Completion: completion, Tests: p.Meta["tests"]}, program.Limits{})
				}
				j := judge([]string{p.Answer, p.Solution}[i])
				require.Equal(t, program.Correct, j.Verdict, "%s\n%s\n%s", j.Detail, p.Answer, p.Meta["tests"])
				less := []string{c.nothing, c.integer}[i]
				require.Equal(t, program.Wrong, judge(less).Verdict, "%s\n%s", less, p.Meta["tests"])
			}
		}
	}
}

// TestStackMachine works the prompts out by another reading of the rules.
func TestStackMachine(t *testing.T) {
	for d := procedural.Easiest; d <= procedural.Hardest; d++ {
		for i := range 50 {
			p := Stack.Generate(rng(100*d+i), d)
			_, text, _ := strings.Cut(p.Prompt, "after this program?\n\n")
			text, _, _ = strings.Cut(text, "\n\n")
			var stack []int
			pop := func() int {
				top := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				return top
			}
			for _, line := range strings.Split(text, "\n") {
				name, operand, _ := strings.Cut(line, " ")
				switch name {
				case "PUSH":
					n, err := strconv.Atoi(operand)
					require.NoError(t, err)
					stack = append(stack, n)
				case "ADD":
					stack = append(stack, pop()+pop())
				case "SUB":
					top := pop()
					stack = append(stack, pop()-top)
				case "MUL":
					stack = append(stack, pop()*pop())
				case "DUP":
					top := pop()
					stack = append(stack, top, top)
				case "SWAP":
					a, b := pop(), pop()
					stack = append(stack, a, b)
				case "DROP":
					pop()
				default:
					t.Fatal(line)
				}
			}
			require.Equal(t, strings.Trim(strings.ReplaceAll(fmt.Sprint(stack), " ", ", "), "[]"), p.Answer, text)
		}
	}
}
