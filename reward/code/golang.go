package code

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"temper/reward/sandbox"
)

// buildScript compiles in the sandbox too: a compiler reads what the answer's author wrote. The exit status says what failed.
const buildScript = `/go/compile -p answer -complete -pack -c=1 -importcfg /in/library.cfg -o /tmp/answer.a /in/answer.go /in/tests.go || exit 10
{ /go/cat /in/library.cfg && echo packagefile answer=/tmp/answer.a; } >/tmp/all.cfg || exit 11
/go/compile -p main -complete -pack -c=1 -importcfg /tmp/all.cfg -o /tmp/main.a /in/main.go || exit 11
/go/link -s -w -buildid= -importcfg /tmp/all.cfg -o /tmp/tests /tmp/main.a || exit 11
/go/cat /tmp/tests >&3
`

// golang compiles the answer with its tests in one sandbox and runs the program in another, which has nothing but the program.
func golang(ctx context.Context, p Program, l Limits) (Judgement, error) {
	t, err := findToolchain()
	if err != nil {
		return Judgement{}, err
	}
	split, err := splitGo(p)
	var wrong wrongSource
	if errors.As(err, &wrong) {
		return Judgement{Wrong, wrong.Error()}, nil
	}
	if err != nil {
		return Judgement{}, err
	}
	program, j, err := t.build(ctx, split)
	if err != nil || program == nil {
		return j, err
	}
	limits := l.sandbox()
	limits.AddressSpace = limits.Memory + 2<<30 // the runtime reserves addresses that it may never use
	limits.Processes = 64
	r, err := sandbox.Run(ctx, sandbox.Spec{Argv: []string{"/tests"}, Env: map[string]string{"HOME": "/tmp"}, Files: map[string][]byte{"/tests": program}, Limits: limits})
	if err != nil {
		return Judgement{}, err
	}
	switch {
	case string(r.Report) == reportPassed:
		return Judgement{Verdict: Correct}, nil
	case r.Stopped() != "":
		return stopped(r, limits), nil
	}
	return Judgement{Wrong, goFailure(r)}, nil
}

// build gives the program, or the judgement of an answer that does not compile.
func (t *toolchain) build(ctx context.Context, p goProgram) ([]byte, Judgement, error) {
	limits := sandbox.Limits{Wall: time.Minute, CPU: time.Minute, Memory: 1 << 30, AddressSpace: 4 << 30, FileSize: 64 << 20, Disk: 128 << 20, Processes: 64, Output: 64 << 20}
	r, err := sandbox.Run(ctx, sandbox.Spec{
		Argv: []string{t.shell, "-c", buildScript},
		// One processor each: many answers are compiled at once. A compilation is too short for the collector to be worth its work.
		Env:    map[string]string{"HOME": "/tmp", "TMPDIR": "/tmp", "GOMAXPROCS": "1", "GOGC": "400"},
		Mounts: t.mounts,
		Files: map[string][]byte{"/in/answer.go": []byte(p.answer), "/in/tests.go": []byte(p.tests), "/in/main.go": []byte(mainFile(p.names)),
			"/in/library.cfg": []byte(t.config)},
		Limits: limits,
	})
	if err != nil {
		return nil, Judgement{}, err
	}
	switch {
	case r.Stopped() != "":
		return nil, Judgement{Wrong, "while it was compiled: " + stopped(r, limits).Detail}, nil
	case r.ExitCode == 10:
		return nil, Judgement{Wrong, "it does not compile: " + firstLines(append(r.Stdout, r.Stderr...), 3)}, nil
	case r.ExitCode != 0:
		return nil, Judgement{}, fmt.Errorf("the Go toolchain in the sandbox: exit status %d: %s", r.ExitCode, firstLines(append(r.Stdout, r.Stderr...), 3))
	}
	return r.Report, Judgement{}, nil
}

const reportPassed = "passed"

// mainFile is what go test would write, with a report at the end: all tests passed, none was left out.
func mainFile(names []string) string {
	var b strings.Builder
	b.WriteString(`package main

import (
	"answer"
	"os"
	"testing"
	"testing/internal/testdeps"
)

var passed int

func counted(f func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		f(t)
		if !t.Skipped() && !t.Failed() {
			passed++
		}
	}
}

func main() {
	tests := []testing.InternalTest{
`)
	for _, n := range names {
		fmt.Fprintf(&b, "\t\t{Name: %q, F: counted(answer.%s)},\n", n, n)
	}
	fmt.Fprintf(&b, `	}
	os.Args = os.Args[:1]
	code := testing.MainStart(testdeps.TestDeps{}, tests, nil, nil, nil).Run()
	if code == 0 && passed == len(tests) {
		if _, err := os.NewFile(3, "report").WriteString(%q); err != nil {
			code = 2
		}
	}
	os.Exit(code)
}
`, reportPassed)
	return b.String()
}

var goMessage = regexp.MustCompile(`(?m)^\s*(panic: .*|fatal error: .*|\S+\.go:\d+: .*)$`)

// goFailure is the first message of a failed test, or how the program ended.
func goFailure(r sandbox.Result) string {
	if m := goMessage.FindSubmatch(append(bytes.Clone(r.Stdout), r.Stderr...)); m != nil {
		return firstLines(m[1], 1)
	}
	return fmt.Sprintf("the tests did not end: exit status %d %s", r.ExitCode, last(r.Stderr))
}

func firstLines(b []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	text := strings.Join(lines[:min(n, len(lines))], "; ")
	return strings.ToValidUTF8(text[:min(len(text), 500)], "�")
}
