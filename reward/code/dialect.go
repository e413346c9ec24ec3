package code

import (
	"context"
	"fmt"

	"temper/reward/code/starlark"
)

// dialect judges an answer in Python as Starlark. What cannot be said in Starlark has no verdict.
func dialect(ctx context.Context, p Program, l Limits) (Judgement, error) {
	if p.Language != "python" {
		return Judgement{}, fmt.Errorf("language: %q cannot be judged without bubblewrap; python can, in part", p.Language)
	}
	tests, err := pythonTests(p)
	if err != nil {
		return Judgement{}, err
	}
	l = l.withDefaults()
	got, err := starlark.Judge(ctx, starlark.Program{Answer: source(p), Tests: tests}, starlark.Limits{Wall: l.Timeout, Memory: l.Memory})
	if err != nil {
		return Judgement{}, fmt.Errorf("starlark: %w", err)
	}
	j := Judgement{Verdict(got.Verdict), got.Detail}
	if j.Verdict == Error {
		j.Detail = "no verdict as Starlark: " + j.Detail
	}
	return j, nil
}
