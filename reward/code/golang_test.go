package code

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const goTests = `func TestAdd(t *testing.T) {
	if got := Add(2, 3); got != 5 {
		t.Errorf("2 and 3 are %d", got)
	}
}`

func needsGo(t testing.TB) {
	needsSandbox(t)
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
}

func TestGo(t *testing.T) {
	needsGo(t)
	right := "func Add(a, b int) int { return a + b }"
	for _, c := range []struct {
		name, completion, tests string
		want                    Verdict
		detail                  string
	}{
		{"right", right, goTests, Correct, ""},
		{"a whole file", "package sums\n\nimport \"fmt\"\n\n" + right + "\n\nfunc main() { fmt.Println(Add(1, 1)) }", goTests, Correct, ""},
		{"a whole file of tests", right, "package sums_test\n\nimport (\n\t\"reflect\"\n\t\"testing\"\n)\n\nfunc TestAdd(t *testing.T) {\n\tif !reflect.DeepEqual(Add(2, 3), 5) {\n\t\tt.Fatal(1)\n\t}\n}", Correct, ""},
		{"in a fence", "Sure:\n```go\n" + right + "\n```\nDone.", goTests, Correct, ""},
		{"wrong", "func Add(a, b int) int { return a - b }", goTests, Wrong, "2 and 3 are -1"},
		{"another name", "func Sum(a, b int) int { return a + b }", goTests, Wrong, "undefined: Add"},
		{"no Go", "def add(a, b): return a + b", goTests, Wrong, "does not parse"},
		{"an import too many", "import \"sort\"\n" + right, goTests, Wrong, "imported and not used"},
		{"a panic", "func Add(a, b int) int { var p *int; return *p }", goTests, Wrong, "panic: runtime error"},
		{"a panic elsewhere", "func init() { go func() { panic(1) }(); select {} }\n" + right, goTests, Wrong, ""},
		{"tests without tests", right, "func helper() {}", Error, "no func Test"},
		{"tests that do not parse", right, "func TestAdd(", Error, "tests: it does not parse"},
		{"tests with an unknown import", right, "package a\nimport \"example.com/x\"\n" + goTests, Error, "example.com/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := Verify(context.Background(), Program{Language: "go", Completion: c.completion, Tests: c.tests}, Limits{})
			assert.Equal(t, c.want, j.Verdict, j.Detail)
			assert.Contains(t, j.Detail, c.detail)
		})
	}
}

// Ways in which an answer in Go may try to pass without being right.
func TestGoEscapes(t *testing.T) {
	needsGo(t)
	wrong := "\nfunc Add(a, b int) int { return 0 }\n"
	for name, completion := range map[string]string{
		"os.Exit":               "import \"os\"\nfunc init() { os.Exit(0) }" + wrong,
		"syscall":               "import \"syscall\"\nfunc init() { syscall.Write(3, []byte(\"passed\")) }" + wrong,
		"unsafe":                "import _ \"unsafe\"\n//go:linkname exit os.Exit\nfunc exit(int)\nfunc init() { exit(0) }" + wrong,
		"cgo":                   "import \"C\"" + wrong,
		"flag":                  "import \"flag\"\nfunc init() { flag.Set(\"test.run\", \"none\") }" + wrong,
		"testing":               "import \"testing\"\nfunc init() { testing.Init() }" + wrong,
		"testing, dotted":       "import . \"testing\"\nfunc init() { Init() }" + wrong,
		"reflect":               "import \"reflect\"\nvar _ = reflect.TypeOf(1)" + wrong,
		"runtime":               "import \"runtime\"\nfunc init() { runtime.Goexit() }" + wrong,
		"printing":              "import \"fmt\"\nfunc init() { fmt.Print(\"passed\\nPASS\\nok\\n\") }" + wrong,
		"a test of its own":     "import \"testing\"\nfunc TestAdd(t *testing.T) {}" + wrong,
		"TestMain":              "import \"testing\"\nfunc TestMain(m *testing.M) {}" + wrong,
		"a comment to the end":  wrong + "/*",
		"a string to the end":   wrong + "var s = `",
		"another panic":         "func panic(any) {}" + wrong,
		"another true":          "const true = false" + wrong,
		"another int":           "type int = float64" + wrong,
		"an own name fmt":       "var testing = 1" + wrong,
		"a recovered goroutine": "func init() { defer func() { recover() }(); panic(0) }" + wrong,
	} {
		t.Run(name, func(t *testing.T) {
			tests := goTests + "\nfunc TestMore(t *testing.T) {\n\tif (Add(1, 1) == 2) != true {\n\t\tpanic(\"1 and 1\")\n\t}\n}"
			j := Verify(context.Background(), Program{Language: "go", Completion: completion, Tests: tests}, Limits{})
			assert.Equal(t, Wrong, j.Verdict, j.Detail)
		})
	}
}

func TestGoWithoutAToolchain(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := goCommand("env")
	assert.ErrorContains(t, err, "the Go toolchain")
}

// multiPL is a line of humaneval-go.jsonl. It has no solutions.
type multiPL struct {
	Name   string `json:"name"`
	Prompt string `json:"prompt"`
	Tests  string `json:"tests"`
}

// solutions of some problems of humaneval-go, by name.
var solutions = map[string]string{
	"HumanEval_23_strlen":                  "\treturn len(myString)\n}\n",
	"HumanEval_53_add":                     "\treturn x + y\n}\n",
	"HumanEval_60_sum_to_n":                "\treturn n * (n + 1) / 2\n}\n",
	"HumanEval_13_greatest_common_divisor": "\tfor b != 0 {\n\t\ta, b = b, a%b\n\t}\n\treturn a\n}\n",
	"HumanEval_55_fib":                     "\tif n < 2 {\n\t\treturn n\n\t}\n\treturn fib(n-1) + fib(n-2)\n}\n",
	"HumanEval_42_incr_list":               "\tout := []int{}\n\tfor _, x := range l {\n\t\tout = append(out, x+1)\n\t}\n\treturn out\n}\n",
	"HumanEval_35_max_element":             "\tm := l[0]\n\tfor _, x := range l {\n\t\tm = max(m, x)\n\t}\n\treturn m\n}\n",
	"HumanEval_28_concatenate":             "\ts := \"\"\n\tfor _, x := range strings {\n\t\ts += x\n\t}\n\treturn s\n}\n",
}

func TestHumanEvalInGo(t *testing.T) {
	needsGo(t)
	var right, wrong []Program
	var names []string
	for _, m := range shared[multiPL](t, "humaneval-go.jsonl") {
		s, ok := solutions[m.Name]
		if !ok {
			continue
		}
		names = append(names, m.Name)
		p := Program{Language: "go", Prompt: m.Prompt, Completion: s, Tests: m.Tests}
		right = append(right, p)
		p.Completion = "\tvar none = " + zeroOf(m.Prompt) + "\n\treturn none\n}\n"
		wrong = append(wrong, p)
	}
	assert.Len(t, names, len(solutions))
	for i, j := range verifyAll(t, right, Limits{}) {
		assert.Equal(t, Judgement{Verdict: Correct}, j, names[i])
	}
	for i, j := range verifyAll(t, wrong, Limits{}) {
		assert.Equal(t, Wrong, j.Verdict, names[i])
		assert.NotContains(t, j.Detail, "compile", names[i])
	}
}

// Every prompt and its tests must fit together: an answer that panics gets as far as that.
func TestHumanEvalInGoCompiles(t *testing.T) {
	needsGo(t)
	var programs []Program
	var names []string
	problems := shared[multiPL](t, "humaneval-go.jsonl")
	// The list literal in the tests of get_row has the wrong type.
	problems = slices.DeleteFunc(problems, func(m multiPL) bool { return m.Name == "HumanEval_87_get_row" })
	for i, m := range problems {
		if i%*every != 0 {
			continue
		}
		names = append(names, m.Name)
		programs = append(programs, Program{Language: "go", Prompt: m.Prompt, Completion: "\tpanic(\"no answer\")\n}\n", Tests: m.Tests})
	}
	for i, j := range verifyAll(t, programs, Limits{}) {
		assert.Equal(t, Wrong, j.Verdict, names[i])
		assert.Contains(t, j.Detail, "panic: no answer", names[i])
	}
}

// zeroOf is the zero value of what the prompt's function returns.
func zeroOf(prompt string) string {
	head := prompt[strings.LastIndex(prompt, ")")+1:]
	kind := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(head), "{"))
	return "*new(" + kind + ")"
}
