package eval

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPassAtKByHand(t *testing.T) {
	for _, c := range []struct {
		n, c, k int
		want    float64
	}{
		{8, 0, 1, 0}, {8, 8, 1, 1}, {8, 2, 1, 0.25}, {8, 8, 8, 1}, {8, 1, 8, 1},
		{4, 2, 2, 1 - 1.0/6},     // C(2,2)/C(4,2)
		{10, 3, 5, 1 - 21.0/252}, // C(7,5)/C(10,5)
		{5, 1, 2, 0.4},
	} {
		require.InDelta(t, c.want, PassAtK(c.n, c.c, c.k), 1e-12, "%+v", c)
	}
	for _, bad := range [][3]int{{4, 1, 5}, {4, 1, 0}, {4, 5, 1}, {4, -1, 1}, {0, 0, 1}} {
		require.True(t, math.IsNaN(PassAtK(bad[0], bad[1], bad[2])), "%v", bad)
	}
	require.InDelta(t, 0.1, PassAtK(1_000_000, 100_000, 1), 1e-9, "large n must not overflow")
}

// subsets calls f with every k-subset of n as a bit mask.
func subsets(n, k int, f func(mask uint)) (count float64) {
	for mask := uint(0); mask < 1<<n; mask++ {
		if bits.OnesCount(mask) == k {
			f(mask)
			count++
		}
	}
	return count
}

func TestPassAtKEqualsEnumeration(t *testing.T) {
	for n := 1; n <= 9; n++ {
		for c := 0; c <= n; c++ {
			for k := 1; k <= n; k++ {
				hit := 0.0
				total := subsets(n, k, func(mask uint) {
					if mask&(1<<c-1) != 0 {
						hit++
					}
				})
				require.InDelta(t, hit/total, PassAtK(n, c, k), 1e-12, "n %d c %d k %d", n, c, k)
			}
		}
	}
}

func TestMajAtKEqualsEnumeration(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		answers := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", ""}), 1, 10).Draw(rt, "answers")
		k := rapid.IntRange(1, len(answers)).Draw(rt, "k")
		right := map[string]bool{"a": true, "e": rapid.Bool().Draw(rt, "two right answers")}
		won := 0.0
		total := subsets(len(answers), k, func(mask uint) {
			votes, most := map[string]int{}, 0
			for i, a := range answers {
				if mask>>i&1 == 1 && a != "" {
					votes[a]++
					most = max(most, votes[a])
				}
			}
			tied, good := 0.0, 0.0
			for a, v := range votes {
				if v == most {
					tied++
					if right[a] {
						good++
					}
				}
			}
			if tied > 0 {
				won += good / tied
			}
		})
		got := MajAtK(answers, k, func(a string) bool { return right[a] })
		if math.Abs(got-won/total) > 1e-9 {
			rt.Fatalf("%q at %d: %v, by enumeration %v", answers, k, got, won/total)
		}
	})
}

func TestMajAtKLimits(t *testing.T) {
	right := func(a string) bool { return a == "x" }
	require.True(t, math.IsNaN(MajAtK([]string{"x"}, 2, right)))
	require.True(t, math.IsNaN(MajAtK([]string{"x"}, 0, right)))
	require.True(t, math.IsNaN(MajAtK(make([]string, maxVotes+1), 1, right)))
	require.Zero(t, MajAtK([]string{"", ""}, 2, func(string) bool { return true }), "no answer is not a majority")
	many := make([]string, maxVotes)
	for i := range many {
		if many[i] = fmt.Sprint(i); i < 600 {
			many[i] = "x"
		}
	}
	require.InDelta(t, 1, MajAtK(many, 40, right), 1e-6)
	require.InDelta(t, 0.6, MajAtK(many, 1, right), 1e-9)
}
