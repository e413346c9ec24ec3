package reward

import (
	"context"
	"errors"
	"time"

	"temper/reward/code"
)

var codeKind = kind{name: "code", gives: "1 if the program in the answer passes the tests, else 0; decides the verdict", hi: 1, source: "HumanEval (arXiv 2107.03374), functional correctness",
	blank: func() Options { return new(CodeOptions) }}

// CodeOptions are the options of `code`. A problem has its tests in Meta["tests"], their language in Meta["language"] (python or go), optionally the
// function that HumanEval's check is called with in Meta["entry_point"], and what stands before the answer in Meta["prompt"].
type CodeOptions struct {
	Prepend        bool    `option:"prepend" about:"without a Meta[\"prompt\"], the sample's prompt stands before the answer: for models that go on with a program"`
	TimeoutSeconds float64 `option:"timeout_seconds" about:"for the tests, 10 by default"`
	MemoryMB       int     `option:"memory_mb" about:"of all processes of a program, 512 by default"`
	Sandbox        string  `option:"sandbox" about:"bubblewrap, or starlark: programs in Python only, many of them without a verdict (default: bubblewrap, and starlark where that cannot be had)"`
}

// codeSlack is what starting a sandbox and compiling may take beside the tests.
const codeSlack = 90 * time.Second

func (o *CodeOptions) check(bad report) {
	notNegative(bad, "timeout_seconds", o.TimeoutSeconds)
	atLeastOne(bad, "memory_mb", o.MemoryMB)
	oneOf(bad, "sandbox", o.Sandbox, []string{string(code.Bubblewrap), string(code.Starlark)})
}

// build refuses where programs cannot be confined.
func (o *CodeOptions) build() (judge, error) {
	inside, err := code.Sandbox(o.Sandbox).Choose()
	if err != nil {
		return judge{}, err
	}
	limits := code.DefaultLimits()
	limits.Sandbox = inside
	limits.Timeout = or(time.Duration(o.TimeoutSeconds*float64(time.Second)), limits.Timeout)
	limits.Memory = or(int64(o.MemoryMB)<<20, limits.Memory)
	return judge{needs: limits.Timeout + codeSlack, verdict: func(ctx context.Context, x Sample) (ruling, error) {
		p := code.Program{Language: x.Meta["language"], Prompt: x.Meta["prompt"], Completion: x.Response, Tests: x.Meta["tests"], EntryPoint: x.Meta["entry_point"]}
		if p.Prompt == "" && o.Prepend {
			p.Prompt = x.Prompt
		}
		got := code.Verify(ctx, p, limits)
		if got.Verdict == code.Error {
			return ruling{}, errors.New(got.Detail)
		}
		out := ruling{right: got.Verdict == code.Correct}
		if !out.right {
			out.detail = got.Detail
		}
		return out, nil
	}}, nil
}
