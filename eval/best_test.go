package eval

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/tasks"
)

// bestByCounting goes through all draws of k samples.
func bestByCounting(ranks []float64, correct []bool, k int) float64 {
	draws, won := 0.0, 0.0
	for set := range 1 << len(ranks) {
		size, best := 0, math.Inf(-1)
		for i := range ranks {
			if set>>i&1 == 1 {
				size++
				best = math.Max(best, ranks[i])
			}
		}
		if size != k {
			continue
		}
		ties, right := 0.0, 0.0
		for i := range ranks {
			if set>>i&1 == 1 && ranks[i] == best {
				ties++
				if correct[i] {
					right++
				}
			}
		}
		draws++
		won += right / ties
	}
	return won / draws
}

func TestBestOfK(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 1 + r.IntN(9)
		ranks, correct := make([]float64, n), make([]bool, n)
		for i := range ranks {
			ranks[i], correct[i] = float64(r.IntN(4)), r.IntN(2) == 0
		}
		for k := 1; k <= n; k++ {
			require.InDelta(t, bestByCounting(ranks, correct, k), BestOfK(ranks, correct, k), 1e-12, "%v %v %d", ranks, correct, k)
		}
	}
	perfect := make([]float64, 4096)
	right := make([]bool, len(perfect))
	perfect[7], right[7] = 1, true
	require.InDelta(t, PassAtK(4096, 1, 1024), BestOfK(perfect, right, 1024), 1e-12, "with a perfect rank it is pass@k")
	for _, x := range []float64{BestOfK(nil, nil, 1), BestOfK([]float64{1}, []bool{true}, 2), BestOfK([]float64{math.NaN()}, []bool{true}, 1), BestOfK([]float64{1}, nil, 1)} {
		require.True(t, math.IsNaN(x))
	}
}

func TestCalibrate(t *testing.T) {
	got, err := Calibrate([]float64{0, 0.1, 0.95, 1, 1}, []bool{false, true, true, true, false})
	require.NoError(t, err)
	require.InDelta(t, (0+0.81+0.0025+0+1)/5, got.Brier, 1e-12)
	require.Len(t, got.Bins, 2)
	require.Equal(t, 2, got.Bins[0].N, "0 and 0.1")
	require.InDelta(t, 0.05, got.Bins[0].Confidence, 1e-12)
	require.InDelta(t, 0.5, got.Bins[0].Accuracy, 1e-12)
	require.InDelta(t, 0.4*0.45+0.6*math.Abs(2.0/3-2.95/3), got.ECE, 1e-12)

	r := rand.New(rand.NewPCG(3, 4))
	confidence, correct := make([]float64, 20000), make([]bool, 20000)
	for i := range confidence {
		confidence[i] = r.Float64()
		correct[i] = r.Float64() < confidence[i]
	}
	got, err = Calibrate(confidence, correct)
	require.NoError(t, err)
	require.Less(t, got.ECE, 0.02, "who says what happens is calibrated")
	require.InDelta(t, 1.0/6, got.Brier, 0.01)

	_, err = Calibrate([]float64{1.5}, []bool{true})
	require.ErrorContains(t, err, "sample 0: the confidence must lie in [0, 1], is 1.5")
	_, err = Calibrate(nil, nil)
	require.Error(t, err)
}

func TestSkills(t *testing.T) {
	problems := []tasks.Problem{{Concepts: []string{"algebra/linear", "algebra/quadratic"}}, {Concepts: []string{"algebra/linear"}}, {Concepts: []string{"logic"}}, {}}
	got := Skills(problems, []float64{1, 0, 0.5, math.NaN()})
	require.Equal(t, []Skill{{"", 3, 0.5}, {"algebra", 2, 0.5}, {"algebra/linear", 2, 0.5}, {"algebra/quadratic", 1, 1}, {"logic", 1, 0.5}}, got)
	require.Equal(t, 2, got[2].Depth())

	tree := func(a, b float64) []Skill { return []Skill{{"", 2, 0}, {"a", 1, a}, {"a/x", 1, a}, {"b", 1, b}} }
	require.Equal(t, []Correlation{{"a", "b", -1}, {"a/x", "b", -1}}, Correlations([][]Skill{tree(0, 1), tree(0.5, 0.5), tree(1, 0)}))
	require.Empty(t, Correlations([][]Skill{tree(0, 1), tree(1, 0)}), "two points lie on a line")
	require.Empty(t, Correlations([][]Skill{tree(0, 1), tree(0, 0.5), tree(0, 0)}), "nothing varies in a")
}
