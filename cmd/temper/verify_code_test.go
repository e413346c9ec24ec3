package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"temper/reward/code"
	"temper/reward/sandbox"
)

func TestVerifyCode(t *testing.T) {
	if err := sandbox.Check(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	file := filepath.Join(t.TempDir(), "in.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(`{"id": 1, "language": "python", "completion": "def f(x): return x + 1", "tests": "assert f(1) == 2"}

{"language": "python", "completion": "def f(x): return x", "tests": "assert f(1) == 2"}
nonsense
{"language": "python", "prompt": "def f(x):\n", "completion": "    return x + 1", "tests": "def check(g):\n    assert g(1) == 2", "entry_point": "f"}
{"language": "python", "completion": "while True: pass", "tests": "pass"}
{"completion": "x", "tests": "y"}`), 0o600))
	var out, errs bytes.Buffer
	require.Equal(t, exitOK, execute(context.Background(), []string{"verify", "code", "--in", file, "--timeout", "1s", "--parallel", "2"}, &out, &errs), errs.String())
	assert.Equal(t, `{"verdict":"correct","detail":""}
{"verdict":"wrong","detail":"line 1: assert f(1) == 2: AssertionError"}
{"verdict":"error","detail":"line 4: not a program in JSON: invalid character 'o' in literal null (expecting 'u')"}
{"verdict":"correct","detail":""}
{"verdict":"wrong","detail":"timeout: not done after 1s"}
{"verdict":"error","detail":"line 7: language: \"\" is not known; python and go are"}
`, out.String())
}

func TestVerifyCodeRefusesBadFlags(t *testing.T) {
	for _, args := range [][]string{{"--timeout", "0s"}, {"--memory", "1"}, {"--parallel", "0"}, {"extra"}} {
		var out, errs bytes.Buffer
		assert.Equal(t, exitUsage, execute(context.Background(), append([]string{"verify", "code"}, args...), &out, &errs), args)
	}
}

func TestJudgementsKeepTheOrderOfLines(t *testing.T) {
	var lines strings.Builder
	for i := range 500 {
		fmt.Fprintf(&lines, "%d\n", i)
	}
	var now, most atomic.Int64
	var out bytes.Buffer
	hold := make([]chan struct{}, 125)
	for i := range hold {
		hold[i] = make(chan struct{})
	}
	err := judgeLines(context.Background(), strings.NewReader(lines.String()), &out, 4, func(_ context.Context, line []byte) code.Judgement {
		running := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); running > m && !most.CompareAndSwap(m, running); m = most.Load() {
		}
		if n, _ := strconv.Atoi(strings.TrimSpace(string(line))); n%4 == 0 { // every fourth waits for the third after it
			<-hold[n/4]
		} else if n%4 == 3 {
			close(hold[n/4])
		}
		return code.Judgement{Verdict: code.Wrong, Detail: strings.TrimSpace(string(line))}
	})
	require.NoError(t, err)
	assert.LessOrEqual(t, most.Load(), int64(4))
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		assert.Equal(t, fmt.Sprintf(`{"verdict":"wrong","detail":"%d"}`, i), line)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestJudgementsThatCannotBeWritten(t *testing.T) {
	err := judgeLines(context.Background(), strings.NewReader(strings.Repeat("x\n", 1000)), fullDisk{}, 2, func(context.Context, []byte) code.Judgement { return code.Judgement{} })
	assert.ErrorContains(t, err, "full")
}

// TestVerifyCodeAsStarlark is what happens without bubblewrap.
func TestVerifyCodeAsStarlark(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(`{"language": "python", "completion": "def f(x): return x + 1", "tests": "assert f(1) == 2"}
{"language": "python", "completion": "def f(x): return x", "tests": "assert f(1) == 2"}
{"language": "python", "completion": "import re", "tests": "assert f(1) == 2"}
{"language": "go", "completion": "x", "tests": "y"}`), 0o600))
	var out, errs bytes.Buffer
	require.Equal(t, exitOK, execute(context.Background(), []string{"verify", "code", "--in", file, "--sandbox", "starlark"}, &out, &errs), errs.String())
	assert.Equal(t, `{"verdict":"correct","detail":""}
{"verdict":"wrong","detail":"tests: line 1: assert f(1) == 2"}
{"verdict":"error","detail":"line 3: no verdict as Starlark: answer: import re"}
{"verdict":"error","detail":"line 4: language: \"go\" cannot be judged without bubblewrap; python can, in part"}
`, out.String())
	assert.Contains(t, errs.String(), "Starlark")
	errs.Reset()
	require.Equal(t, exitUsage, execute(context.Background(), []string{"verify", "code", "--in", file, "--sandbox", "none"}, &out, &errs))
	assert.Contains(t, errs.String(), "--sandbox")
}
