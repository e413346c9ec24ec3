package objective_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"temper/objective"
)

func TestCorrectionWeights(t *testing.T) {
	log := func(x ...float64) []float32 {
		var out []float32
		for _, v := range x {
			out = append(out, float32(math.Log(v)))
		}
		return out
	}
	policy, sampler := log(0.5, 0.9, 0.2), log(0.25, 0.1, 0.4)
	require.InDeltaSlice(t, []float64{2, 3, 0.5}, objective.Correction{Kind: "token_truncate", Bound: 3}.Weights(policy, sampler), 1e-6)
	// The geometric mean of 2, 9 and 1/2 is 9^(1/3) = 2.08.
	require.InDeltaSlice(t, []float64{2, 2.1, 0.5}, objective.Correction{Kind: "sequence_mask", Bound: 2.1}.Weights(policy, sampler), 1e-6)
	require.Equal(t, []float64{0, 0, 0}, objective.Correction{Kind: "sequence_mask", Bound: 2}.Weights(policy, sampler))
	require.Equal(t, []float64{0, 0, 0}, objective.Correction{Kind: "sequence_mask", Bound: 2}.Weights(sampler, policy), "too likely for the sampler")
}

// TestCorrectionOfTheSamePolicy changes nothing, and no weight is above the bound.
func TestCorrectionOfTheSamePolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		of := rapid.SliceOfN(rapid.Float32Range(-30, 0), n, n)
		p, q := of.Draw(t, "policy"), of.Draw(t, "sampler")
		c := objective.Correction{Kind: rapid.SampledFrom([]string{"token_truncate", "sequence_mask"}).Draw(t, "kind"), Bound: rapid.Float64Range(1, 10).Draw(t, "bound")}
		for _, w := range c.Weights(p, p) {
			require.Equal(t, 1.0, w)
		}
		for _, w := range c.Weights(p, q) {
			require.GreaterOrEqual(t, w, 0.0)
			require.LessOrEqual(t, w, c.Bound)
		}
	})
}
