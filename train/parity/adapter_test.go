package parity

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/lm/hf"
	"temper/objective"
	"temper/train"
)

// Adapters that PEFT made give PEFT's logits, loss and gradients.
func TestAdapters(t *testing.T) {
	found := 0
	families(t, func(t *testing.T, c *device.Client, m *hf.Model, _ []*device.Buffer, g golden) {
		dir := filepath.Join(g.dir, "adapter")
		if _, err := os.Stat(dir); err != nil {
			return
		}
		found++
		adapter, err := hf.ReadAdapter(dir)
		require.NoError(t, err)
		want := tensors(t, dir)
		s, err := train.NewState(c, m)
		require.NoError(t, err)
		defer s.Free()
		require.NoError(t, s.Adapt(c, adapter))
		trainer := train.NewTrainer(c)

		params, err := trainer.Reading(s)
		require.NoError(t, err)
		require.InDeltaSlice(t, want["logits"].Data, logits(t, c, m.Config, params, g.IDs, dtypes.Float32), 1e-4)

		gradient, loss, err := trainer.Gradient(s, train.Settings{Objective: objective.SFT{}}, g.batch(t))
		require.NoError(t, err)
		require.InDelta(t, want["loss"].Data[0], loss, 1e-5)
		requireGradient(t, m.Config.AdapterTensors(adapter), want, gradient)
	})
	require.NotZero(t, found)
}
