package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// judgements runs a verifier and gives its verdicts.
func judgements(t *testing.T, input string, args ...string) []verdict {
	t.Helper()
	code, out, errs := ask(t, input, append([]string{"verify"}, args...)...)
	require.Equal(t, exitOK, code, errs)
	var all []verdict
	for line := range strings.Lines(out) {
		var v verdict
		require.NoError(t, strictJSON([]byte(line), &v))
		all = append(all, v)
	}
	return all
}

func TestVerifyMath(t *testing.T) {
	for _, c := range []struct{ line, want, detail string }{
		{`{"gold": "\\frac{1}{2}", "pred": "so it is \\boxed{0.5}"}`, "correct", ""},
		{`{"gold": "2", "pred": "3"}`, "wrong", `"3" is not "2"`},
		{`{"gold": 2.50, "pred": 2.5}`, "correct", ""},
		{`{"gold": "1/3", "pred": "0.33"}`, "wrong", "0.33"},
		{`{"gold": "1/3", "pred": "0.33", "options": {"precision": 2}}`, "correct", ""},
		{`{"gold": "$[-2,7]$", "pred": "$-2 \\le x \\le 7$", "options": {"allow_set_relation_comp": false}}`, "wrong", ""},
		{`{"gold": "$9$", "pred": "it is 9", "match_types": ["latex"]}`, "wrong", "no answer"},
		{`{"gold": "(", "pred": "1"}`, "error", `the gold answer "("`},
		{`{"gold": "1", "pred": "("}`, "wrong", "the answer"},
		{`{"gold": "1", "pred": "1", "id": "other fields are left alone"}`, "correct", ""},
		{`{"gold": "1"}`, "error", `line 1: has no field "pred"`},
		{`{"pred": "1"}`, "error", `line 1: has no field "gold"`},
		{`{"gold": null, "pred": "1"}`, "error", `line 1: has no field "gold"`},
		{`{"gold": ["1"], "pred": "1"}`, "error", "line 1: json: cannot unmarshal array"},
		{`{"gold": "1", "pred": "1", "options": {"precision": -1}}`, "error", "options.precision"},
		{`{"gold": "1", "pred": "1"} {}`, "error", "line 1: has more than one JSON value"},
		{`nonsense`, "error", "line 1: invalid character"},
		{`{"gold": "1`, "error", "line 1: unexpected EOF"},
	} {
		got := judgements(t, c.line, "math")
		require.Len(t, got, 1, c.line)
		require.Equal(t, c.want, got[0].Verdict, "%s: %+v", c.line, got[0])
		require.Contains(t, got[0].Detail, c.detail, c.line)
	}
}

// A bad line is answered and named, and the others keep their order, also from a file.
func TestVerifyGoesOnAfterBadLines(t *testing.T) {
	input := "{\"gold\": \"1\", \"pred\": \"1\"}\n\nnonsense\n{\"gold\": \"1\", \"pred\": \"2\"}\n{}\n{\"gold\": \"3\", \"pred\": \"3\"}"
	file := filepath.Join(t.TempDir(), "pairs.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(input), 0o644))
	for _, got := range [][]verdict{judgements(t, input, "math"), judgements(t, "", "math", "--in", file)} {
		require.Len(t, got, 5)
		for i, want := range []string{"correct", "error", "wrong", "error", "correct"} {
			require.Equal(t, want, got[i].Verdict, "%+v", got)
		}
		require.Contains(t, got[1].Detail, "line 3: ")
		require.Contains(t, got[3].Detail, "line 5: ")
	}
	code, out, errs := ask(t, "", "verify", "math", "--in", file+".gone")
	require.Equal(t, exitError, code)
	require.Empty(t, out)
	require.Contains(t, errs, "no such file")
}

// A program that asks one line at a time has its answer before it asks the next.
func TestVerifyAnswersEachLineAtOnce(t *testing.T) {
	askR, askW := io.Pipe()
	answerR, answerW := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- answerLines(askR, answerW, judgeMath, func(err error) any { return verdict{"error", err.Error()} })
		answerW.Close()
	}()
	answers := bufio.NewReader(answerR)
	for i := range 5 {
		_, err := fmt.Fprintf(askW, "{\"gold\": \"%d\", \"pred\": \"%d.0\"}\n", i, i)
		require.NoError(t, err)
		line, err := answers.ReadBytes('\n')
		require.NoError(t, err)
		var v verdict
		require.NoError(t, json.Unmarshal(line, &v))
		require.Equal(t, "correct", v.Verdict)
	}
	askW.Close()
	require.NoError(t, <-done)
}

// A line beyond the limit is named and not kept; the next one is read as usual.
func TestAnswerLinesLeavesOutLongLines(t *testing.T) {
	long := io.MultiReader(strings.NewReader(`{"gold": "`), io.LimitReader(spaces{}, maxLine+10), strings.NewReader("\"}\n{\"gold\": \"1\", \"pred\": \"1\"}\n"))
	var out bytes.Buffer
	require.NoError(t, answerLines(long, &out, judgeMath, func(err error) any { return verdict{"error", err.Error()} }))
	require.Equal(t, "{\"verdict\":\"error\",\"detail\":\"line 1: is longer than 64 MiB\"}\n{\"verdict\":\"correct\",\"detail\":\"\"}\n", out.String())
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
