package device_test

import (
	"testing"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
)

// big is a program over rows·1024 numbers between its input and its output; it consumes the first input.
func big(t *testing.T, c *device.Client, rows int, between func(x *graph.Node) *graph.Node) *device.Program {
	t.Helper()
	p, err := c.Compile("big", []shapes.Shape{device.Float32(1024), device.Float32(1024)}, map[int]int{0: 0}, func(in []*graph.Node) []*graph.Node {
		x := between(graph.BroadcastToDims(graph.Reshape(in[1], 1, 1024), rows, 1024))
		return []*graph.Node{graph.Add(in[0], in[1]), x}
	})
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

func TestAProgramThatDoesNotFitSaysSoAndTheDeviceGoesOn(t *testing.T) {
	c := devicetest.Client(t)
	kept, err := device.Upload(c, []float32{1, 2, 3}, 3)
	require.NoError(t, err)
	for name, p := range map[string]*device.Program{
		"an output": big(t, c, 1<<33, func(x *graph.Node) *graph.Node { return x }),
		"a product": big(t, c, 1<<24, func(x *graph.Node) *graph.Node { return graph.ReduceSum(graph.MatMul(x, graph.Transpose(x, 0, 1)), 0) }),
	} {
		a, err := device.Upload(c, make([]float32, 1024), 1024)
		require.NoError(t, err)
		b, err := device.Upload(c, make([]float32, 1024), 1024)
		require.NoError(t, err)
		_, err = p.Run(a, b)
		require.ErrorIs(t, err, device.ErrOutOfMemory, name)
		_, err = device.Download[float32](b)
		require.NoError(t, err, name)
	}
	back, err := device.Download[float32](kept)
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2, 3}, back)
}
