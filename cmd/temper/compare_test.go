package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/artifact/memory"
	"temper/eval/report"
)

// evaluated commits an evaluation of a model, solved of ten problems of which are right.
func evaluated(t *testing.T, s *artifact.Store, model, tasks artifact.Ref, set string, solved int) {
	t.Helper()
	var body bytes.Buffer
	for i := range 10 {
		d := report.ProblemDetail{ID: string(rune('a' + i)), Judged: 1, Scored: 1, Reward: 0.5}
		if i < solved {
			d.Correct = 1
		}
		require.NoError(t, json.NewEncoder(&body).Encode(d))
	}
	_, err := s.Commit(t.Context(), artifact.Manifest{Kind: "evaluation", Parents: []artifact.Parent{{Role: "model", Ref: model}, {Role: "tasks/" + set, Ref: tasks}}},
		map[string][]byte{"problems.jsonl": body.Bytes()})
	require.NoError(t, err)
}

func TestCompare(t *testing.T) {
	s, ctx := artifact.New(memory.New()), t.Context()
	var out bytes.Buffer
	a := &app{out: &out}
	one, other, third := made(t, s, "model", "one"), made(t, s, "model", "other"), made(t, s, "model", "third")
	maths, code := made(t, s, "problems", "maths"), made(t, s, "problems", "code")
	evaluated(t, s, one, maths, "maths", 10)
	evaluated(t, s, one, code, "code", 3)
	evaluated(t, s, other, maths, "sums", 2)
	require.NoError(t, s.SetAlias(ctx, "best", one, nil, "me", ""))
	require.NoError(t, a.compare(ctx, s, "best", other.Short(), 1))
	require.Regexp(t, `(?m)^maths +10 +1\.000 +0\.200 +\+0\.800 +\[\+0\.500, \+1\.000\] +0\.0005$`, out.String())
	require.NotContains(t, out.String(), "code", "only one was evaluated on it")

	out.Reset()
	require.NoError(t, a.compare(ctx, s, "best", other.Short(), 0))
	require.Regexp(t, `(?m)^maths +10 +0\.500 +0\.500 +\+0\.000`, out.String())
	require.ErrorContains(t, a.compare(ctx, s, "best", third.Short(), 1), "has none; temper eval")
	evaluated(t, s, third, code, "code", 1)
	require.ErrorContains(t, a.compare(ctx, s, other.Short(), third.Short(), 1), "were evaluated on no task set in common")
	require.ErrorContains(t, a.compare(ctx, s, "best", other.Short(), 2), "none of the 10 and 10 problems is measured for both")

	code2, _, stderr := cli(t, "compare", "a", "b", "--k", "-1")
	require.Equal(t, exitUsage, code2)
	require.Contains(t, stderr, "--k -1")
}

func TestEvalArguments(t *testing.T) {
	code, _, stderr := cli(t, "eval", "m")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--suite is missing")
	code, _, stderr = cli(t, "eval", "./nowhere", "--suite", "x.yaml")
	require.NotEqual(t, exitOK, code)
	require.Contains(t, stderr, "./nowhere: there is no such folder")

	suite := filepath.Join(t.TempDir(), "suite.yaml")
	require.NoError(t, os.WriteFile(suite, []byte("name: s\nevaluate: []\n"), 0o600))
	code, _, stderr = cli(t, "eval", t.TempDir(), "--suite", suite)
	require.NotEqual(t, exitOK, code)
	require.Contains(t, stderr, "a suite needs a list of evaluations")
}
