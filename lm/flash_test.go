package lm

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/lm/hf"
)

// Fused attention asks for what attend computes, with its gradients: grouped heads, sequences that share a row, a sliding window. Here GoMLX makes it of ordinary
// operations; that a GPU's fused operation agrees is for make bench-gpu.
func TestFlashAsksForAttention(t *testing.T) {
	client := devicetest.Client(t).WithoutKernels()
	c := hf.Config{Heads: 6, KVHeads: 2, HeadDim: 8}
	const batch, time = 2, 12
	inputs := []shapes.Shape{device.Float32(batch, time, c.Heads, c.HeadDim), device.Float32(batch, time, c.KVHeads, c.HeadDim),
		device.Float32(batch, time, c.KVHeads, c.HeadDim), device.Float32(batch, time, c.Heads*c.HeadDim), device.Int32(batch, time)}
	r := rand.New(rand.NewPCG(1, 1))
	var in []*device.Buffer
	for _, s := range inputs[:4] {
		values := make([]float32, s.Size())
		for i := range values {
			values[i] = float32(r.NormFloat64())
		}
		b, err := device.Upload(client, values, s.Dimensions...)
		require.NoError(t, err)
		in = append(in, b)
	}
	segments, err := device.Upload(client, []int32{1, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, batch, time)
	require.NoError(t, err)
	in = append(in, segments)
	defer device.FreeAll(in...)
	results := func(window int, attention func(q, k, v, bias *Node) *Node) (out [][]float32) {
		p, err := client.Compile("attention", inputs, nil, func(x []*Node) []*Node {
			y := attention(x[0], x[1], x[2], causalBias(x[4], window))
			return append([]*Node{y}, Gradient(ReduceAllSum(Mul(y, x[3])), x[0], x[1], x[2])...)
		})
		require.NoError(t, err)
		defer p.Close()
		buffers, err := p.Run(in...)
		require.NoError(t, err)
		defer device.FreeAll(buffers...)
		for _, b := range buffers {
			values, err := device.Download[float32](b)
			require.NoError(t, err)
			out = append(out, values)
		}
		return out
	}
	for _, window := range []int{0, 3} {
		want := results(window, func(q, k, v, bias *Node) *Node {
			return attend(c, q, TransposeAllDims(k, 0, 2, 1, 3), TransposeAllDims(v, 0, 2, 1, 3), bias)
		})
		got := results(window, func(q, k, v, bias *Node) *Node { return flash(c, q, k, v, bias) })
		for i := range want {
			require.InDeltaSlice(t, want[i], got[i], 1e-5, "window %d, output %d", window, i)
		}
	}
}
