package tasks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVaryProcedural(t *testing.T) {
	s := Source{Procedural: "chain", Seed: 3, Count: 8, Vary: true}
	prompts := func(s Source) string {
		ps, err := s.Load(t.Context())
		require.NoError(t, err)
		var all []string
		for _, p := range ps {
			all = append(all, p.Prompt)
		}
		return strings.Join(all, "\n")
	}
	require.Equal(t, prompts(s), prompts(s.Turned(0)))
	require.Equal(t, prompts(s.Turned(20417)), prompts(s.Turned(20417)), "the same occurrence is the same set")
	require.NotEqual(t, prompts(s), prompts(s.Turned(20417)))
	require.NotEqual(t, prompts(s.Turned(20418)), prompts(s.Turned(20417)))
	s.Vary = false
	require.Equal(t, s, s.Turned(20417))
}

func TestVaryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	var rows strings.Builder
	for i := range 7 {
		fmt.Fprintf(&rows, `{"prompt":"%d?","answer":"x"}`+"\n", i)
	}
	require.NoError(t, os.WriteFile(path, []byte(rows.String()), 0o600))
	s := Source{File: path, Vary: true, Limit: 3, Offset: 1}
	prompts := func(turn uint64) (out string) {
		ps, err := s.Turned(turn).Load(t.Context())
		require.NoError(t, err)
		for _, p := range ps {
			out += p.Prompt
		}
		return out
	}
	require.Equal(t, "1?2?3?", prompts(0))
	require.Equal(t, "4?5?6?", prompts(1))
	require.Equal(t, "0?1?2?", prompts(2), "from the beginning again")
	require.Equal(t, prompts(3), prompts(10), "after as many occurrences as there are rows")

	s.Limit = 0
	require.ErrorContains(t, s.Validate(), "limit: is required with vary")
}

func TestMixSpreads(t *testing.T) {
	seen := map[uint64]bool{}
	for seed := range uint64(50) {
		for n := uint64(20000); n < 20050; n++ {
			seen[Mix(seed, n)] = true
		}
	}
	require.Len(t, seen, 2500)
}
