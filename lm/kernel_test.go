package lm_test

import (
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
