package side

import (
	"context"
	"math/rand/v2"

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
	"temper/rollout"
)

// Decode times the sampling of n tokens after prompts of the given length, at temperature 1 from the whole vocabulary, with no stop.
func Decode(c *device.Client, config hf.Config, batch, prompt, n, times int) (Times, error) {
	return decode(c, config, batch, prompt, n, times, false)
}

// DecodeHalf is Decode in bfloat16.
func DecodeHalf(c *device.Client, config hf.Config, batch, prompt, n, times int) (Times, error) {
	return decode(c, config, batch, prompt, n, times, true)
}

func decode(c *device.Client, config hf.Config, batch, prompt, n, times int, half bool) (Times, error) {
	params, err := lm.Upload(c, &hf.Model{Config: config, Tensors: weights(c, config)})
	if err != nil {
		return Times{}, err
	}
	defer device.FreeAll(params...)
	r := rand.New(rand.NewPCG(7, 7))
	prompts := make([]rollout.Prompt, batch)
	for i := range prompts {
		for range prompt {
			prompts[i].Tokens = append(prompts[i].Tokens, int32(r.IntN(config.VocabSize)))
		}
		prompts[i].Key = lm.SequenceKey(1, 0, i, 0)
	}
	sampler := rollout.NewSampler(c)
	return timed(times, func() error {
		_, err := sampler.Sample(context.Background(), config, params, prompts,
			rollout.Options{MaxNew: n, Batch: batch, Temperature: 1, Stops: []int32{-1}, Half: half})
		return err
	})
}
