package eval

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWilson(t *testing.T) {
	// Newcombe (1998), table I: 81/263, 15/148, 0/20, 1/29.
	for _, c := range []struct {
		x, n   int
		lo, hi float64
	}{{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}} {
		got := Wilson(c.x, c.n, Z95)
		require.InDelta(t, c.lo, got[0], 5e-5)
		require.InDelta(t, c.hi, got[1], 5e-5)
	}
	require.Equal(t, [2]float64{0, 1}, Wilson(0, 0, Z95))
	require.InDelta(t, 1, Wilson(5, 5, Z95)[1], 1e-12)
}

func TestBootstrap(t *testing.T) {
	require.Equal(t, [2]float64{0, 1}, Bootstrap(nil, 1))
	require.Equal(t, [2]float64{0.5, 0.5}, Bootstrap([]float64{0.5, 0.5}, 1))
	values := make([]float64, 400)
	rng := rand.New(rand.NewPCG(1, 1))
	sum, square := 0.0, 0.0
	for i := range values {
		values[i] = float64(rng.IntN(9)) / 8
		sum, square = sum+values[i], square+values[i]*values[i]
	}
	mean := sum / 400
	half := Z95 * math.Sqrt((square/400-mean*mean)/400)
	got := Bootstrap(values, 3)
	require.InDelta(t, mean-half, got[0], 0.005, "the normal approximation")
	require.InDelta(t, mean+half, got[1], 0.005)
	require.Equal(t, got, Bootstrap(values, 3))
	require.NotEqual(t, got, Bootstrap(values, 4))
}

func TestPairedBootstrap(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	a, b, far := make([]float64, 300), make([]float64, 300), make([]float64, 300)
	for i := range a {
		hard := rng.Float64()
		noise := func() float64 { return 0.1 * (rng.Float64() - 0.5) }
		a[i], b[i], far[i] = hard+noise(), hard+noise(), hard+0.05+noise()
	}
	same, err := PairedBootstrap(a, b, 1)
	require.NoError(t, err)
	require.Greater(t, same.P, 0.05)
	require.Less(t, same.CI95[0], 0.0)
	require.Greater(t, same.CI95[1], 0.0)

	better, err := PairedBootstrap(far, a, 1)
	require.NoError(t, err)
	require.InDelta(t, 0.05, better.Difference, 0.01)
	require.Less(t, better.P, 0.001)
	require.Greater(t, better.CI95[0], 0.0)
	worse, err := PairedBootstrap(a, far, 1)
	require.NoError(t, err)
	require.InDelta(t, -better.Difference, worse.Difference, 1e-12)
	require.Equal(t, better.P, worse.P)

	equal, err := PairedBootstrap(a, a, 1)
	require.NoError(t, err)
	require.Equal(t, Paired{N: 300, P: 1}, equal)

	_, err = PairedBootstrap(a, a[:3], 1)
	require.ErrorContains(t, err, "300 and 3")
	_, err = PairedBootstrap(nil, nil, 1)
	require.Error(t, err)
	_, err = PairedBootstrap([]float64{math.NaN()}, []float64{0}, 1)
	require.ErrorContains(t, err, "problem 0")
}

// Under no difference, p < 0.05 happens about one time in twenty.
func TestPairedBootstrapKeepsItsLevel(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	const runs = 400
	rejected := 0
	for r := range runs {
		a, b := make([]float64, 60), make([]float64, 60)
		for i := range a {
			a[i], b[i] = float64(rng.IntN(9))/8, float64(rng.IntN(9))/8
		}
		got, err := PairedBootstrap(a, b, uint64(r))
		require.NoError(t, err)
		if got.P < 0.05 {
			rejected++
		}
	}
	require.InDelta(t, 0.05, float64(rejected)/runs, 0.04)
}
