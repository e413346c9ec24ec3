package data

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// By hand: the mean curve is (0.25, 0.5), Σ(1−ā)² = 0.5625 + 0.25 = 0.8125.
//
//	p0 (0, 0.5):    0.0625 + 0    → 1 − 0.0625/0.8125 = 12/13
//	p1 (0.75, 1):   0.25 + 0.25   → 1 − 0.5/0.8125    =  5/13
//	p2 (0, 0):      0.0625 + 0.25 → 1 − 0.3125/0.8125 =  8/13
//	p3 (0.25, 0.5): 0             → 1
func TestLIMRByHand(t *testing.T) {
	got, err := LIMR([][]float64{{0, 0.5}, {0.75, 1}, {0, 0}, {0.25, 0.5}})
	require.NoError(t, err)
	for i, want := range []float64{12.0 / 13, 5.0 / 13, 8.0 / 13, 1} {
		require.InDelta(t, want, got[i], 1e-12, "problem %d", i)
	}
	require.Equal(t, []int{0, 2, 3}, Keep(got, LIMRKeep))
	require.Equal(t, []int{0, 3}, KeepTop(got, 2))
	require.Equal(t, []int{0, 1, 2, 3}, KeepTop(got, 9))
	require.Empty(t, KeepTop(got, 0))
	require.Equal(t, []int{0, 1}, KeepTop([]float64{1, 1, 1}, 2))
}

func TestLIMREverythingSolved(t *testing.T) {
	got, err := LIMR([][]float64{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}})
	require.NoError(t, err)
	require.Equal(t, []float64{1, 1, 1}, got)
}

func TestLIMRRefuses(t *testing.T) {
	for want, curves := range map[string][][]float64{
		"at least one problem":                     {},
		"and one epoch":                            {{}},
		"problem 1 has 1 epochs, problem 0 has 2":  {{0, 1}, {1}},
		"problem 1, epoch 0: the solve rate must":  {{0, 1}, {math.NaN(), 1}},
		"problem 0, epoch 1: the solve rate must ": {{0, 1.5}},
	} {
		_, err := LIMR(curves)
		require.ErrorContains(t, err, want)
	}
}

// Scores are finite and at most 1, the mean curve itself scores 1, and the order of problems does not matter.
func TestLIMRProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, epochs := rapid.IntRange(1, 8).Draw(rt, "n"), rapid.IntRange(1, 6).Draw(rt, "epochs")
		curves := make([][]float64, n)
		for i := range curves {
			for range epochs {
				curves[i] = append(curves[i], float64(rapid.IntRange(0, 8).Draw(rt, "a"))/8)
			}
		}
		scores, err := LIMR(curves)
		if err != nil {
			rt.Fatal(err)
		}
		swapped := append([][]float64{curves[n-1]}, curves[:n-1]...)
		again, err := LIMR(swapped)
		if err != nil {
			rt.Fatal(err)
		}
		for i, s := range scores {
			if !finite(s) || s > 1 {
				rt.Fatalf("score %v", s)
			}
			if math.Abs(s-again[(i+1)%n]) > 1e-9*(1+math.Abs(s)) {
				rt.Fatalf("problem %d: %v, in another order %v", i, s, again[(i+1)%n])
			}
		}
	})
}

func TestFill(t *testing.T) {
	none := math.NaN()
	filled, kept := Fill([][]float64{{none, 0.5, none, 1}, {none}, {}, {0.25}, {none, none, none, none, 0.75}})
	require.Equal(t, []int{0, 3, 4}, kept)
	require.Equal(t, [][]float64{{0.5, 0.5, 0.5, 1, 1}, {0.25, 0.25, 0.25, 0.25, 0.25}, {0.75, 0.75, 0.75, 0.75, 0.75}}, filled)
}

func TestRandomLike(t *testing.T) {
	a := RandomLike(100, 17, 3)
	require.Len(t, a, 17)
	require.Equal(t, a, RandomLike(100, 17, 3))
	require.NotEqual(t, a, RandomLike(100, 17, 4))
	for i := 1; i < len(a); i++ {
		require.Less(t, a[i-1], a[i])
	}
	require.Len(t, RandomLike(5, 9, 1), 5)
}
