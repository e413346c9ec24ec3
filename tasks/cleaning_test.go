package tasks

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCleaning(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, prompts ...string) string {
		path := filepath.Join(dir, name)
		var b strings.Builder
		for _, p := range prompts {
			b.WriteString(`{"prompt": "` + p + `"}` + "\n")
		}
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
		return path
	}
	const long = "A baker sells forty loaves on Monday and twice as many on Tuesday, and on Wednesday he sells ten fewer than on Tuesday. How many loaves did he sell in the three days in all?"
	train := file("train.jsonl", "one two three", "ONE two, three!", long, strings.Replace(long, "forty", "fifty", 1), "Say: "+strings.ToLower(long[:90]), "four five six")
	test := file("test.jsonl", strings.Replace(long, "baker", "butcher", 1), "four five six?")
	ids := func(source Source) (out []string, c *Cleaned) {
		sets, cleaned, err := LoadSets(t.Context(), map[string]Source{"train": source, "test": {File: test}})
		require.NoError(t, err)
		for _, p := range sets["train"] {
			out = append(out, strings.TrimPrefix(p.ID, "train.jsonl:"))
		}
		return out, cleaned["train"]
	}
	got, report := ids(Source{File: train})
	require.Len(t, got, 6)
	require.Nil(t, report)

	got, report = ids(Source{File: train, Clean: Cleaning{Duplicates: "exact"}})
	require.Equal(t, []string{"1", "3", "4", "5", "6"}, got)
	require.Equal(t, []Removed{{ID: "train.jsonl:2", Why: "duplicate", Of: "train.jsonl:1"}}, report.Removed)

	got, report = ids(Source{File: train, Clean: Cleaning{Duplicates: "near"}})
	require.Equal(t, []string{"1", "3", "5", "6"}, got)
	require.Equal(t, 2, report.Duplicates)
	require.Equal(t, "train.jsonl:3", report.Removed[1].Of)
	require.Greater(t, report.Removed[1].Similarity, 0.8)

	got, report = ids(Source{File: train, Clean: Cleaning{Against: []string{"test"}}, Limit: 2})
	require.Equal(t, []string{"1", "2"}, got)
	require.Equal(t, 4, report.Contaminated, "the questions in part or as a whole, before the limit")
	require.Equal(t, "test/test.jsonl:1", report.Removed[0].Of)
	require.Contains(t, report.Removed[0].Common, "monday and twice as many")
	require.Equal(t, "of 6 rows 4 left out: 0 duplicates, 4 contaminated, 0 too long", report.String())

	got, report = ids(Source{File: train, Clean: Cleaning{Longest: 20}})
	require.NotEmpty(t, got)
	require.Equal(t, 6-len(got), report.Long)
	require.Equal(t, "long", report.Removed[0].Why)
	sets, err := Source{File: train}.Load(t.Context())
	require.NoError(t, err)
	for _, p := range sets {
		require.Equal(t, len(p.Prompt) <= 20, slices.Contains(got, strings.TrimPrefix(p.ID, "train.jsonl:")), p.Prompt)
	}

	for says, source := range map[string]Source{
		"clean.longest: must be at least 1":                                   {File: train, Clean: Cleaning{Longest: -1}},
		"clean.duplicates: unknown":                                           {File: train, Clean: Cleaning{Duplicates: "some"}},
		"clean.similarity: does not apply":                                    {File: train, Clean: Cleaning{Similarity: 0.5}},
		"clean.similarity: must lie in (0, 1]":                                {File: train, Clean: Cleaning{Duplicates: "near", Similarity: 2}},
		"clean.words: does not apply without against":                         {File: train, Clean: Cleaning{Words: 5}},
		"clean: does not apply to procedural":                                 {Procedural: "chain", Clean: Cleaning{Duplicates: "near"}},
		`tasks.x: exclude, clean.against: no task set named "nothing"; known`: {File: train, Clean: Cleaning{Against: []string{"nothing"}}},
	} {
		require.ErrorContains(t, CheckSets(map[string]Source{"x": source}), says)
	}
}
