package rollout_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/device/devicetest"
	"temper/lm"
	"temper/lm/hf"
	"temper/rollout"
)

// What is sampled agrees with a forward pass: see lm's tests. Here: the plan of batches, and what is refused.

func config() hf.Config {
	return hf.Config{Architecture: hf.Llama, ModelType: "llama", VocabSize: 16, Hidden: 8, Layers: 1, Heads: 1, KVHeads: 1, HeadDim: 8, FFN: 16,
		NormEps: 1e-6, RopeTheta: 10000, MaxPositions: 32, TieEmbeddings: true, BOS: 1, PAD: 0, EOS: []int{2}, InitializerRange: 0.5, Dtype: "float32"}
}

func TestSampleRefusesWhatCannotWork(t *testing.T) {
	c := devicetest.Client(t)
	good := rollout.Options{MaxNew: 4, Batch: 2, Stops: []int32{2}}
	for name, x := range map[string]struct {
		prompts []rollout.Prompt
		options rollout.Options
		want    string
	}{
		"no stop":      {[]rollout.Prompt{{Tokens: []int32{1}}}, rollout.Options{MaxNew: 4, Batch: 2}, "stop token"},
		"empty prompt": {[]rollout.Prompt{{Tokens: []int32{1}}, {}}, good, "prompt 1 is empty"},
		"too long":     {[]rollout.Prompt{{Tokens: make([]int32, 30)}}, good, "32 positions"},
		"no room":      {[]rollout.Prompt{{Tokens: []int32{1}}}, rollout.Options{Batch: 2, Stops: []int32{2}}, "at least 1"},
	} {
		_, err := rollout.NewSampler(c).Sample(context.Background(), config(), nil, x.prompts, x.options)
		require.ErrorContains(t, err, x.want, name)
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := rollout.NewSampler(c).Sample(stopped, config(), nil, []rollout.Prompt{{Tokens: []int32{1}}}, good)
	require.ErrorIs(t, err, context.Canceled)
}

// Batches of any size, full or not, give a result for each prompt in its place, and a sequence ends with its stop id.
func TestEveryPromptHasItsSequence(t *testing.T) {
	c := devicetest.Client(t)
	params, err := lm.Upload(c, &hf.Model{Config: config(), Tensors: lm.Init(config(), 1)})
	require.NoError(t, err)
	sampler := rollout.NewSampler(c)
	var prompts []rollout.Prompt
	for i := range 7 {
		prompts = append(prompts, rollout.Prompt{Tokens: []int32{1, int32(3 + i)}, Key: lm.SequenceKey(1, 2, i, 0)})
	}
	whole, err := sampler.Sample(context.Background(), config(), params, prompts, rollout.Options{MaxNew: 12, Batch: 8, Temperature: 1, Stops: []int32{2, 5}})
	require.NoError(t, err)
	parts, err := sampler.Sample(context.Background(), config(), params, prompts, rollout.Options{MaxNew: 12, Batch: 4, Temperature: 1, Stops: []int32{2, 5}})
	require.NoError(t, err)
	require.Len(t, whole, 7)
	ended := 0
	for i, s := range whole {
		require.Equal(t, s.Tokens, parts[i].Tokens)
		require.Len(t, s.LogProbs, len(s.Tokens))
		for j, id := range s.Tokens {
			stop := id == 2 || id == 5
			require.Equal(t, stop && s.Finished, j == len(s.Tokens)-1 && s.Finished)
			require.Less(t, s.LogProbs[j], float32(0))
		}
		if s.Finished {
			ended++
		} else {
			require.Len(t, s.Tokens, 12)
		}
	}
	require.Positive(t, ended)
}
