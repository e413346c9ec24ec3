package main

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
	"temper/objective"
	"temper/rollout"
	"temper/serve/engine"
	"temper/train"
)

// absent is a client for an H100 that is not there.
func absent(t *testing.T, o device.Options) *device.Client {
	t.Helper()
	path := os.Getenv("TEMPER_CUDA_PLUGIN")
	if path == "" {
		t.Skip("TEMPER_CUDA_PLUGIN names no CUDA plugin: make gpu-compile gets one")
	}
	c, err := device.Ahead(path, "h100.txtpb", o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func small(window int) hf.Config {
	return hf.Config{Architecture: hf.Qwen3, ModelType: "qwen3", QKNorm: true, VocabSize: 256, Hidden: 64, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 16, FFN: 128,
		NormEps: 1e-6, RopeTheta: 1e4, SlidingWindow: window, TieEmbeddings: true, MaxPositions: 256, BOS: -1, EOS: []int{2}, PAD: -1, Dtype: "float32", InitializerRange: 0.02}
}

func state(t *testing.T, c *device.Client, config hf.Config, adapter bool) *train.State {
	t.Helper()
	s, err := train.NewState(c, &hf.Model{Config: config, Tensors: lm.Init(config, 1)})
	require.NoError(t, err)
	t.Cleanup(s.Free)
	if adapter {
		a := hf.Adapter{Rank: 8, Alpha: 16, Targets: hf.Linears}
		a.Tensors = lm.InitAdapter(config, a, 1)
		require.NoError(t, s.Adapt(c, a))
	}
	return s
}

// Every program that training, sampling and serving run compiles for a GPU: each objective, fused and accumulated, in both precisions, with fused
// attention, with an adapter.
func TestTheEngineCompilesForAGPU(t *testing.T) {
	c := absent(t, device.Options{})
	flash, err := c.WithFlash()
	require.NoError(t, err)
	objectives := []objective.Objective{
		objective.SFT{},
		objective.Policy{Ratio: "token", ClipLow: 0.2, ClipHigh: 0.28, KLCoef: 0.1, KLEstimator: "k3", EntropyCoef: 0.01, Temperature: 1},
		objective.Policy{Ratio: "sequence", ClipLow: 0.2, ClipHigh: 0.2, Temperature: 1},
		objective.Distill{Divergence: "jsd", LikelihoodCoef: 0.5},
	}
	for name, client := range map[string]*device.Client{"plain": c, "flash": flash} {
		for _, o := range objectives {
			for _, half := range []bool{false, true} {
				if client == flash && !half {
					continue // fused attention is for half precision
				}
				t.Run(fmt.Sprintf("%s/%s/half=%v", name, o.Key(), half), func(t *testing.T) {
					window := map[bool]int{true: 48}[half]
					settings := train.Settings{Objective: o, Optimizer: train.Optimizer{Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, ClipNorm: 1}, Checkpoint: half, Half: half}
					trainer := train.NewTrainer(client)
					var teacher *train.State
					if _, distils := o.(objective.Distill); distils {
						teacher = state(t, client, small(window), false)
					}
					b := func() *train.Batch { return train.NewBatch(2, 128, o.Columns()) }
					for _, adapter := range []bool{false, true} {
						s := state(t, client, small(window), adapter)
						for _, batches := range [][]*train.Batch{{b()}, {b(), b()}} {
							_, err := trainer.Update(s, settings, 1e-3, teacher, batches...)
							require.NoError(t, err)
						}
						_, err := trainer.Model(s)
						require.NoError(t, err)
					}
				})
			}
		}
	}
	params, err := lm.Upload(c, &hf.Model{Config: small(0), Tensors: lm.Init(small(0), 1)})
	require.NoError(t, err)
	_, err = train.NewTrainer(c).LogProbs(small(0), params, 1, train.NewBatch(2, 128, nil))
	require.NoError(t, err)
	for _, o := range []rollout.Options{{Temperature: 1}, {Temperature: 0.7, TopP: 0.9, TopK: 20}, {Temperature: 1, Half: true}} {
		o.MaxNew, o.Batch, o.Stops = 16, 4, []int32{2}
		_, err = rollout.NewSampler(c).Sample(t.Context(), small(0), params, []rollout.Prompt{{Tokens: []int32{5, 6, 7}}}, o)
		require.NoError(t, err)
	}
	serves(t, c)
	t.Logf("%d programs in %.0f s", c.Compilations().Programs, c.Compilations().Seconds)
}

// serves runs the serving engine, whose programs grow and shrink with what it is asked.
func serves(t *testing.T, c *device.Client) {
	t.Helper()
	e, err := engine.New(c, &hf.Model{Config: small(0), Tensors: lm.Init(small(0), 1)}, []int32{2}, engine.Options{MaxBatch: 4, MaxWaiting: 8, Context: 128, Chunk: 4})
	require.NoError(t, err)
	defer e.Close()
	var asked []*engine.Sequence
	for i := range 3 {
		asked = append(asked, &engine.Sequence{Prompt: []int32{5, 6, 7}, MaxNew: 8, Key: engine.Key(1, i, 0), Temperature: 1, TopP: 0.9, Accept: func(engine.Token) bool { return true }})
	}
	job, err := e.Submit(context.Background(), asked)
	require.NoError(t, err)
	<-job.Done()
	require.NoError(t, job.Err())
	_, err = e.Score(t.Context(), []int32{5, 6, 7, 8}, 2)
	require.NoError(t, err)
}

// Products of float32 arrays keep their precision on a GPU unless asked otherwise, and the description says which.
func TestTF32IsAskedFor(t *testing.T) {
	require.NotContains(t, absent(t, device.Options{}).Description(), "TF32")
	require.Contains(t, absent(t, device.Options{TF32: true}).Description(), "TF32")
}

func TestTheTableOfWhatIsCompiled(t *testing.T) {
	absent(t, device.Options{})
	dir := t.TempDir()
	require.NoError(t, run(t.Context(), options{plugin: os.Getenv("TEMPER_CUDA_PLUGIN"), target: "h100.txtpb", out: dir, shapes: "0.1B"}))
	text, err := os.ReadFile(dir + "/compiled-gpu.md")
	require.NoError(t, err)
	require.Contains(t, string(text), "NVIDIA H100")
	require.Contains(t, string(text), "| SFT step, flash | 0.1B | 8 × 1024 |")
}
