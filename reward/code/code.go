package code

import (
	"context"
	"errors"
	"fmt"
	"time"

	"temper/reward/code/starlark"
	"temper/reward/sandbox"
)

// Program is an answer and the tests that it has to pass.
type Program struct {
	Language   string `json:"language"`              // python or go
	Prompt     string `json:"prompt,omitempty"`      // stands before the answer: HumanEval's signature and docstring
	Completion string `json:"completion"`            // the answer, bare or in a Markdown fence
	Tests      string `json:"tests"`                 // code of tests, in the same language
	EntryPoint string `json:"entry_point,omitempty"` // the function that HumanEval's check(candidate) is called with
}

// Verdict is what can be said of an answer.
type Verdict string

const (
	Correct Verdict = "correct" // all tests ran and passed
	Wrong   Verdict = "wrong"   // the answer was judged: it fails a test, does not compile, crashes, or runs into a limit
	Error   Verdict = "error"   // it could not be judged; says nothing about the answer
)

// Judgement is a verdict with its reason, one line or a few.
type Judgement struct {
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail"`
}

// Limits of one answer. Zero values take the defaults.
type Limits struct {
	Timeout time.Duration // of the tests; the default is 10 s
	Memory  int64         // bytes of all processes together; the default is 512 MiB
	Sandbox Sandbox
}

// Sandbox is what keeps an answer from everything else.
type Sandbox string

const (
	Auto       Sandbox = ""           // bubblewrap, and Starlark where that cannot be had
	Bubblewrap Sandbox = "bubblewrap" // the machine's own Python and Go, in package sandbox
	Starlark   Sandbox = "starlark"   // answers in Python as Starlark, in package starlark; many have no verdict then
)

// Sandboxes are all there are.
var Sandboxes = []Sandbox{Auto, Bubblewrap, Starlark}

// Choose is the sandbox that answers run in, or why there is none.
func (s Sandbox) Choose() (Sandbox, error) {
	switch s {
	case Starlark:
		return s, starlark.Check()
	case Bubblewrap:
		return s, sandbox.Check()
	case Auto:
		err := sandbox.Check()
		if err == nil {
			return Bubblewrap, nil
		}
		if starlark.Check() == nil {
			return Starlark, nil
		}
		return "", err
	}
	return "", fmt.Errorf("%q is not known; %s and %s are", string(s), Bubblewrap, Starlark)
}

// DefaultLimits of an answer.
func DefaultLimits() Limits { return Limits{Timeout: 10 * time.Second, Memory: 512 << 20} }

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	if l.Timeout <= 0 {
		l.Timeout = d.Timeout
	}
	if l.Memory <= 0 {
		l.Memory = d.Memory
	}
	return l
}

func (l Limits) sandbox() sandbox.Limits {
	l = l.withDefaults()
	// An interpreter's own addresses come on top of what a program holds.
	return sandbox.Limits{Wall: l.Timeout, CPU: l.Timeout, Memory: l.Memory, AddressSpace: l.Memory + 64<<20}
}

// Verify judges one answer. Many may be judged at once; each runs in a sandbox of its own.
func Verify(ctx context.Context, p Program, l Limits) Judgement {
	detail := func(err error) Judgement { return Judgement{Error, err.Error()} }
	if p.Completion == "" {
		return Judgement{Wrong, "the completion is empty"}
	}
	if p.Tests == "" {
		return detail(errors.New("tests: there are none"))
	}
	inside, err := l.Sandbox.Choose()
	if err != nil {
		return detail(err)
	}
	var j Judgement
	switch {
	case inside == Starlark:
		j, err = dialect(ctx, p, l)
	case p.Language == "python":
		j, err = python(ctx, p, l)
	case p.Language == "go":
		j, err = golang(ctx, p, l)
	default:
		err = fmt.Errorf("language: %q is not known; python and go are", p.Language)
	}
	if err != nil {
		return detail(err)
	}
	return j
}

// stopped is the judgement of an answer that a limit ended.
func stopped(r sandbox.Result, l sandbox.Limits) Judgement {
	switch {
	case r.TimedOut:
		return Judgement{Wrong, fmt.Sprintf("timeout: not done after %s", l.Wall)}
	case r.OutOfMemory:
		return Judgement{Wrong, fmt.Sprintf("memory: held more than %d MiB, or too many files", l.Memory>>20)}
	}
	return Judgement{Wrong, "output: wrote more than allowed"}
}
