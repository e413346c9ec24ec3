package workaround_test

import (
	"testing"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/device/workaround"
)

// A custom call reaches XLA under its own name, in main and inside a loop: a handler that nobody registered is refused by that name.
func TestCustomCallReachesXLA(t *testing.T) {
	c := devicetest.Client(t)
	call := func(x *graph.Node) *graph.Node {
		return workaround.CustomCall("temper_no_such_kernel", map[string]int64{"window": 3}, nil, []shapes.Shape{x.Shape()}, x)[0]
	}
	_, err := c.Compile("main", shapesOf(4), nil, func(in []*graph.Node) []*graph.Node { return []*graph.Node{call(in[0])} })
	require.ErrorContains(t, err, "temper_no_such_kernel")
	_, err = c.Compile("loop", shapesOf(4), nil, func(in []*graph.Node) []*graph.Node {
		return workaround.Loop(in[0].Graph(), "l", []*graph.Node{in[0]}, nil,
			func(st, _ []*graph.Node) *graph.Node {
				return graph.LessThan(graph.ReduceAllSum(st[0]), graph.Scalar(st[0].Graph(), st[0].DType(), 9.0))
			},
			func(st, _ []*graph.Node) []*graph.Node { return []*graph.Node{call(st[0])} })
	})
	require.ErrorContains(t, err, "temper_no_such_kernel")
}

// Fails once upstream's graph has custom calls of its own (a function whose name says so): then CustomCall goes.
func TestUpstreamStillHasNoCustomCall(t *testing.T) {
	c := devicetest.Client(t)
	p, err := c.Compile("call", []shapes.Shape{device.Float32(2)}, nil, func(in []*graph.Node) []*graph.Node {
		f := graph.NewFunction(in[0].Graph(), "custom_call", func(g *graph.Graph) []*graph.Node {
			return []*graph.Node{graph.AddScalar(graph.Parameter(g, "x", in[0].Shape()), 1)}
		})
		return f.Call(in[0])
	})
	require.NoError(t, err, "a function of this name is an ordinary call")
	require.Equal(t, []float32{2, 3}, run(t, c, p, 0, []float32{1, 2}))
}
