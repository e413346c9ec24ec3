package lm_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/lm"
	"temper/lm/hf"
	"temper/rollout"
)

// gradients returns the hidden states of packed rows and the gradient of their weighted sum for every parameter.
func gradients(t *testing.T, c *device.Client, config hf.Config, checkpoint bool, rows, length int, tokens, positions, segments []int32) [][]float32 {
	t.Helper()
	params, err := lm.Upload(c, &hf.Model{Config: config, Tensors: lm.Init(config, 2)})
	require.NoError(t, err)
	n := len(params)
	in := append(lm.Shapes(config), device.Int32(rows, length), device.Int32(rows, length), device.Int32(rows, length))
	p, err := c.Compile("gradients", in, nil, func(x []*Node) []*Node {
		h := lm.Hidden(config, lm.Bind(config, x[:n]), x[n], x[n+1], x[n+2], checkpoint)
		weight := Sin(Iota(h.Graph(), shapes.Make(h.DType(), h.Shape().Dimensions...), 1))
		return append([]*Node{h}, Gradient(ReduceAllSum(Mul(h, weight)), x[:n]...)...)
	})
	require.NoError(t, err)
	defer p.Close()
	for _, values := range [][]int32{tokens, positions, segments} {
		b, err := device.Upload(c, values, rows, length)
		require.NoError(t, err)
		params = append(params, b)
	}
	out, err := p.Run(params...)
	require.NoError(t, err)
	var all [][]float32
	for _, b := range out {
		values, err := device.Download[float32](b)
		require.NoError(t, err)
		all = append(all, values)
	}
	return all
}

// The attention kernel computes what the graph computes, forward and backward: packed rows, windows, groups, head widths below and above a
// vector, lengths that no block divides, and gradient checkpointing.
func TestAttentionKernelEqualsGraph(t *testing.T) {
	c := devicetest.Client(t)
	for _, x := range []struct {
		heads, kv, dim, window, length int
		checkpoint                     bool
	}{
		{4, 2, 8, 0, 37, false}, {4, 4, 16, 0, 64, false}, {2, 1, 32, 0, 50, true}, {6, 2, 24, 5, 41, false}, {2, 2, 64, 17, 33, false}, {1, 1, 128, 0, 3, false},
	} {
		t.Run(fmt.Sprintf("%+v", x), func(t *testing.T) {
			config := tiny(hf.Llama)
			config.Heads, config.KVHeads, config.HeadDim, config.SlidingWindow = x.heads, x.kv, x.dim, x.window
			const rows = 3
			r := rand.New(rand.NewPCG(1, 2))
			var tokens, positions, segments []int32
			for range rows {
				segment, position := int32(1), int32(0)
				for range x.length {
					if r.IntN(15) == 0 {
						segment, position = segment+1, 0
					}
					tokens, positions, segments = append(tokens, int32(r.IntN(config.VocabSize))), append(positions, position), append(segments, segment)
					position++
				}
			}
			got := gradients(t, c, config, x.checkpoint, rows, x.length, tokens, positions, segments)
			want := gradients(t, c.WithoutKernels(), config, false, rows, x.length, tokens, positions, segments)
			for i := range want {
				scale := 0.0
				for _, v := range want[i] {
					scale = max(scale, math.Abs(float64(v)))
				}
				for j := range want[i] {
					require.InDelta(t, want[i][j], got[i][j], 2e-5*(1+scale), "output %d, value %d", i, j)
				}
			}
			require.Equal(t, got, gradients(t, c, config, x.checkpoint, rows, x.length, tokens, positions, segments), "equal bits every time")
		})
	}
}

// The decoding kernel draws what the graph's loop draws, with the same log-probabilities, for every family, sliding windows, truncation and
// early stops; and a sequence's bits do not depend on the others of its batch.
func TestDecodeKernelEqualsGraph(t *testing.T) {
	c := devicetest.Client(t)
	for _, x := range []struct {
		family string
		change func(*hf.Config)
		o      rollout.Options
	}{
		{hf.Llama, func(*hf.Config) {}, rollout.Options{Temperature: 1}},
		{hf.Llama, func(h *hf.Config) { h.TieEmbeddings = false; h.MLPBias, h.OBias = true, true }, rollout.Options{Temperature: 0}},
		{hf.Qwen2, func(h *hf.Config) { h.HeadDim = 16 }, rollout.Options{Temperature: 0.7, TopK: 9}},
		{hf.Qwen3, func(h *hf.Config) { h.HeadDim, h.KVHeads = 32, 1 }, rollout.Options{Temperature: 1.3, TopP: 0.8}},
		{hf.Mistral, func(h *hf.Config) { h.SlidingWindow = 6 }, rollout.Options{Temperature: 1, TopP: 0.9, TopK: 20}},
	} {
		t.Run(x.family, func(t *testing.T) {
			config := tiny(x.family)
			x.change(&config)
			require.NoError(t, config.Validate())
			params, err := lm.Upload(c, noisy(config, 1))
			require.NoError(t, err)
			prompts := promptsOf(7, 1, 3)
			o := x.o
			o.MaxNew, o.Batch, o.Stops = 24, 8, []int32{2, 5, 9, 11}
			sample := func(c *device.Client, prompts []rollout.Prompt) []rollout.Sequence {
				out, err := rollout.NewSampler(c).Sample(context.Background(), config, params, prompts, o)
				require.NoError(t, err)
				return out
			}
			got, want := sample(c, prompts), sample(c.WithoutKernels(), prompts)
			stopped := 0
			for i := range want {
				require.Equal(t, want[i].Tokens, got[i].Tokens, "sequence %d", i)
				require.InDeltaSlice(t, want[i].LogProbs, got[i].LogProbs, 1e-4, "sequence %d", i)
				if want[i].Finished {
					stopped++
				}
			}
			if o.Temperature > 0 {
				require.Positive(t, stopped, "some sequences stop early")
			}
			for i := range prompts {
				if i != 3 {
					prompts[i].Tokens[0], prompts[i].Key = 7, lm.SequenceKey(8, 0, i, 0)
				}
			}
			again := sample(c, prompts)
			require.Equal(t, got[3], again[3], "equal bits among other sequences")
			o.Seats = 3
			require.Equal(t, again, sample(c, prompts), "equal bits when sequences wait for others")
			for i := range 33 {
				prompts = append(prompts, prompts[i%7])
				prompts[len(prompts)-1].Key = lm.SequenceKey(9, 0, i, 0)
			}
			o.Batch, o.Seats = 40, 3
			few := sample(c, prompts)
			o.Seats = 40
			require.Equal(t, few, sample(c, prompts), "equal bits when each thread has sequences of its own")
			o.Seats = 30
			require.Equal(t, few, sample(c, prompts), "and when others take their seats")
		})
	}
}
