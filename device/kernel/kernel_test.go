package kernel_test

import (
	"testing"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/device/kernel"
)

// A graph may call kernels while a client that has them compiles it, and at no other time.
func TestKernelsAreForTheClientThatHasThem(t *testing.T) {
	c := devicetest.Client(t)
	if kernel.ISA() == "" {
		t.Skip("this processor has no AVX2")
	}
	allowed := func(c *device.Client) (yes bool) {
		var g *graph.Graph
		p, err := c.Compile("allowed", []shapes.Shape{device.Float32(1)}, nil, func(in []*graph.Node) []*graph.Node {
			g = in[0].Graph()
			yes = kernel.Allowed(g)
			return []*graph.Node{graph.Neg(in[0])}
		})
		require.NoError(t, err)
		require.False(t, kernel.Allowed(g), "after compiling")
		p.Close()
		return yes
	}
	require.True(t, allowed(c))
	require.Contains(t, c.Description(), kernel.ISA()+" kernels")
	require.False(t, allowed(c.WithoutKernels()))
	require.Contains(t, c.WithoutKernels().Description(), "without kernels (kernels are switched off)")
}

func TestRegisterNamesThePlugin(t *testing.T) {
	require.ErrorContains(t, kernel.Register("/no/such/plugin.so"), "/no/such/plugin.so")
}
