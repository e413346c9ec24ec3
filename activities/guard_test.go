package activities

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/device/devicetest"
	"temper/lm"
	"temper/lm/hf"
	"temper/lm/tokenizer"
	"temper/objective"
	"temper/train"
)

func TestGuardLeavesOutWhatIsNotFinite(t *testing.T) {
	tok := tokenizer.Chars("0123456789")
	config := hf.Config{Architecture: hf.Llama, ModelType: "llama", VocabSize: tok.VocabSize(), Hidden: 16, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 8, FFN: 16,
		NormEps: 1e-6, RopeTheta: 10000, MaxPositions: 64, TieEmbeddings: true, BOS: -1, PAD: -1, InitializerRange: 0.1, Dtype: "float32"}
	c := devicetest.Client(t)
	state, err := train.NewState(c, &hf.Model{Config: config, Tensors: lm.Init(config, 1)})
	require.NoError(t, err)
	defer state.Free()
	g := guard{trainer: train.NewTrainer(c), held: &resident{state: state, text: &text{tokenizer: tok}}}
	settings := train.Settings{Objective: objective.SFT{}, Optimizer: train.Optimizer{Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, ClipNorm: 1}}
	step := func(weight float64) (bool, error) {
		ids := tok.Encode("12345", tokenizer.Options{})
		b := train.NewBatch(1, 8, nil)
		require.NoError(t, b.Place(0, 0, 1, train.Example{Tokens: ids, Weight: []float32{0, 1, 1, 1, float32(weight)}}))
		_, ok, err := g.update("step 7", settings, 0.01, nil, b)
		return ok, err
	}
	before, err := lm.Download(config.Tensors(), state.Params)
	require.NoError(t, err)
	for range 3 { // two in a row, then one that is whole, and again
		for range 2 {
			ok, err := step(math.Inf(1))
			require.NoError(t, err)
			require.False(t, ok)
		}
		after, err := lm.Download(config.Tensors(), state.Params)
		require.NoError(t, err)
		require.Equal(t, before, after, "an update that is left out changes nothing")
		ok, err := step(1)
		require.NoError(t, err)
		require.True(t, ok)
		before, err = lm.Download(config.Tensors(), state.Params)
		require.NoError(t, err)
	}
	require.Len(t, g.leftOut, 6)
	require.Equal(t, "step 7", g.leftOut[0].Update)
	require.Equal(t, []string{"12345"}, g.leftOut[0].Batch)
	require.Equal(t, "+Inf", g.leftOut[0].Loss)
	for i := range 3 {
		_, err = step(math.Inf(1))
		require.Equal(t, i == 2, err != nil)
	}
	require.ErrorIs(t, err, train.ErrNonFinite)
	require.ErrorContains(t, err, "3 updates in a row")
	require.ErrorContains(t, err, "12345")
}
