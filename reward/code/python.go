package code

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"strings"
	"sync"

	"temper/reward/sandbox"
)

//go:embed harness/peer.py
var harnessPeer string

//go:embed harness/remote.py
var harnessRemote string

//go:embed harness/main.py
var harnessMain string

// interpreter is the machine's Python and the harness compiled by it.
var interpreter = sync.OnceValues(func() (prepared, error) {
	in, err := sandbox.Python()
	if err != nil {
		return prepared{}, err
	}
	// A compiled file starts with 16 bytes that say which version of Python made it and from what; zeros: do not look for a source.
	const compile = `import sys, marshal, importlib.util
sys.stdout.buffer.write(importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(compile(sys.stdin.read(), "<harness>", "exec", optimize=0)))`
	cmd := exec.Command("python3", "-I", "-c", compile)
	cmd.Stdin = strings.NewReader(harnessPeer + harnessRemote + harnessMain) // one program, so one file to start
	compiled, err := cmd.Output()
	if err != nil {
		return prepared{}, fmt.Errorf("python3: compile the harness: %w", err)
	}
	return prepared{in, compiled}, nil
})

type prepared struct {
	sandbox.Interpreter
	harness []byte
}

const harnessFile = "/harness.pyc"

var callsCheck = regexp.MustCompile(`(?m)^check\(`)

// pythonTests are the tests with the call of HumanEval's check.
func pythonTests(p Program) (string, error) {
	if !strings.Contains(p.Tests, "def check(") || callsCheck.MatchString(p.Tests) {
		return p.Tests, nil
	}
	if p.EntryPoint == "" {
		return "", fmt.Errorf("tests: check is defined and never called; give entry_point, the function to call it with")
	}
	return p.Tests + "\ncheck(" + p.EntryPoint + ")\n", nil
}

// python runs the tests beside the answer with harness/, which says how the two are kept apart.
func python(ctx context.Context, p Program, l Limits) (Judgement, error) {
	in, err := interpreter()
	if err != nil {
		return Judgement{}, err
	}
	tests, err := pythonTests(p)
	if err != nil {
		return Judgement{}, err
	}
	answer := source(p)
	limits := l.sandbox()
	env := maps.Clone(in.Env)
	env["HOME"], env["LANG"] = "/tmp", "C.UTF-8"
	r, err := sandbox.Run(ctx, sandbox.Spec{
		Argv:   append(in.Argv[:len(in.Argv):len(in.Argv)], harnessFile),
		Files:  map[string][]byte{harnessFile: in.harness},
		Env:    env,
		Mounts: in.Mounts,
		Stdin:  fmt.Appendf(nil, "%d %d\n%s%s", len(answer), len(tests), answer, tests),
		Limits: limits,
	})
	if err != nil {
		return Judgement{}, err
	}
	ready, rest, _ := bytes.Cut(r.Report, []byte("\n"))
	if string(ready) != `{"ready": true}` {
		return Judgement{}, fmt.Errorf("python did not start in the sandbox: exit status %d: %s %s", r.ExitCode, r.Stopped(), last(r.Stderr))
	}
	if len(rest) == 0 && r.Stopped() != "" {
		return stopped(r, limits), nil
	}
	var j Judgement
	if err := json.Unmarshal(rest, &j); err != nil {
		return Judgement{Wrong, fmt.Sprintf("the tests did not end: exit status %d %s", r.ExitCode, last(r.Stderr))}, nil
	}
	return j, nil
}

// last is the last line of an output, within reason.
func last(b []byte) string {
	b = bytes.TrimSpace(b)
	b = b[bytes.LastIndexByte(b, '\n')+1:]
	return strings.ToValidUTF8(string(b[:min(len(b), 500)]), "�")
}
