package parity

import (
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/lm/hf"
	"temper/objective"
	"temper/train"
)

// In bfloat16 the engine is no further from the exact values than transformers in bfloat16, but for chance.
func TestBfloat16(t *testing.T) {
	const chance = 1.25
	families(t, func(t *testing.T, c *device.Client, m *hf.Model, params []*device.Buffer, g golden) {
		if c != devicetest.Client(t) && m.Config.Architecture != hf.Qwen3 {
			t.Skip("one family for the graph's own attention")
		}
		exact, got := g.tensors["logits"].Data, logits(t, c, m.Config, params, g.IDs, dtypes.BFloat16)
		sum := 0.0
		for i := range exact {
			d := float64(exact[i]) - float64(got[i])
			sum += d * d
		}
		require.Less(t, math.Sqrt(sum/float64(len(exact))), chance*g.Half.Logits)

		s, err := train.NewState(c, m)
		require.NoError(t, err)
		defer s.Free()
		gradient, _, err := train.NewTrainer(c).Gradient(s, train.Settings{Objective: objective.SFT{}, Half: true}, g.batch(t))
		require.NoError(t, err)
		var want, have []float32
		for _, spec := range m.Config.Tensors() {
			want, have = append(want, g.tensors["grad."+spec.Name].Data...), append(have, gradient[spec.Name].Data...)
		}
		require.Less(t, distance(want, have), chance*g.Half.Gradient)
		require.NotZero(t, distance(want, have))
	})
}
