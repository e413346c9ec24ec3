package tasks

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMixtures(t *testing.T) {
	require.Equal(t, []string{"all", "code", "logic", "math", "science", "simulation", "tabular"}, Mixtures())
	for _, name := range Mixtures() {
		n := len(mixture(name))
		require.GreaterOrEqual(t, n, 4, name)
		ps, err := Source{Procedural: name, Seed: 3, Count: 2 * n, Difficulty: []int{2, 2}}.Load(t.Context())
		require.NoError(t, err)
		kinds := map[string]int{}
		for i, p := range ps {
			g := mixture(name)[i%n]
			require.Equal(t, g.Name, p.Source)
			require.Contains(t, p.Concepts, g.Domain+"/"+g.Name)
			own, err := Source{Procedural: g.Name, Seed: 3, Difficulty: []int{2, 2}}.At(i / n)
			require.NoError(t, err)
			require.Equal(t, own.Prompt, p.Prompt)
			kinds[p.Source]++
		}
		require.Len(t, kinds, n)
	}
	require.ErrorContains(t, Source{Procedural: "maths"}.Validate(), "mixtures: all, code")
}
