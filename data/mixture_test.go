package data

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestMixtureVisitsEachItemOnceAPass(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := Mixture{Sizes: rapid.SliceOfN(rapid.IntRange(0, 9), 1, 4).Draw(rt, "sizes"), Seed: rapid.Uint64().Draw(rt, "seed")}
		total := 0
		for _, s := range m.Sizes {
			total += s
		}
		if total == 0 {
			require.Empty(rt, m.Draw(0, 5))
			return
		}
		for pass := range 3 {
			got := slices.Sorted(slices.Values(m.Draw(pass*total, total)))
			for i, v := range got {
				require.Equal(rt, i, v)
			}
		}
		// Any part of the order is the same part, however it is asked for.
		from, n := rapid.IntRange(0, 40).Draw(rt, "from"), rapid.IntRange(0, 20).Draw(rt, "n")
		require.Equal(rt, m.Draw(0, from+n)[from:], m.Draw(from, n))
	})
}

func TestMixtureKeepsShares(t *testing.T) {
	m := Mixture{Sizes: []int{100, 3, 50}, Weights: []float64{1, 2, 1}, Seed: 3}
	counts := make([]int, 3)
	for place, item := range m.Draw(0, 400) {
		source := 0
		if item >= 100 {
			source = 1
		}
		if item >= 103 {
			source = 2
		}
		counts[source]++
		require.InDelta(t, float64(place+1)/2, float64(counts[1]), 1.001)
	}
	require.Equal(t, []int{100, 200, 100}, counts)
	require.Equal(t, 50, len(slices.Compact(slices.Sorted(slices.Values(slices.DeleteFunc(m.Draw(0, 200), func(i int) bool { return i < 103 }))))))
}
