package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/tasks"
)

func TestTasksList(t *testing.T) {
	code, out, errs := ask(t, "", "tasks", "list")
	require.Equal(t, exitOK, code, errs)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 1+len(tasks.Domains()))
	require.Regexp(t, `^NAME +DOMAIN +WHAT IS ASKED +DIFFICULTY +WHAT IT CHANGES$`, lines[0])
	require.Regexp(t, `(?m)^countdown +math +an expression .* 1-10 +how many numbers`, out)
	require.Regexp(t, `(?m)^stories +text .* 0-4 `, out)
}

func TestTasksSample(t *testing.T) {
	code, out, errs := ask(t, "", "tasks", "sample", "countdown", "--n", "3", "--difficulty", "5", "--seed", "1")
	require.Equal(t, exitOK, code, errs)
	require.Equal(t, 3, strings.Count(out, "Make "))
	require.Equal(t, 3, strings.Count(out, "-- answer\n"))
	require.Contains(t, out, "== countdown, difficulty 5, seed 1, problem 2\n")
	require.Contains(t, out, `\boxed{`)

	code, out, errs = ask(t, "", "tasks", "sample", "countdown", "--n", "3", "--difficulty", "5", "--json")
	require.Equal(t, exitOK, code, errs)
	got, err := tasks.ReadJSONL([]byte(out))
	require.NoError(t, err)
	for i, p := range got {
		want, err := tasks.Source{Procedural: "countdown", Seed: 1, Difficulty: []int{5, 5}}.At(i)
		require.NoError(t, err)
		require.Equal(t, want, p)
	}
	for _, name := range append(tasks.Domains(), tasks.Mixtures()...) {
		code, out, errs := ask(t, "", "tasks", "sample", name)
		require.Equal(t, exitOK, code, errs)
		require.NotEmpty(t, out)
	}
}

func TestTasksSampleRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		`no kind of problem is named "countdwn"; known: aggregate,`: {"countdwn"},
		"and the mixtures all, code, logic,":                        {"countdwn"},
		"--difficulty must lie in [1, 10] for sudoku, not 11":       {"sudoku", "--difficulty", "11"},
		"--difficulty must lie in [0, 4] for stories, not 5":        {"stories", "--difficulty", "5"},
		"--n must be at least 1, not 0":                             {"sudoku", "--n", "0"},
		"the name of a kind of problem is missing":                  {},
		`unexpected argument "maze"`:                                {"sudoku", "maze"},
	} {
		var out, errs strings.Builder
		require.Equal(t, exitUsage, execute(t.Context(), append([]string{"tasks", "sample"}, args...), &out, &errs), "%v: %s", args, errs.String())
		require.Empty(t, out.String())
		require.Contains(t, errs.String(), want)
	}
}
