package workaround_test

import (
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"temper/device/devicetest"
	"temper/device/workaround"
)

// halfProducts lists the operand types of the products that make z = x·yᵀ in half precision and the gradients of Σz², with these gradients.
func halfProducts(t *testing.T) (types []dtypes.DType, gradients []float32) {
	t.Helper()
	c := devicetest.Client(t)
	p, err := c.Compile("gradient", shapesOf(18), nil, func(in []*graph.Node) []*graph.Node {
		both := graph.ConvertDType(in[0], dtypes.BFloat16)
		x, y := graph.Reshape(graph.SliceAxis(both, 0, graph.AxisRange(0, 6)), 2, 3), graph.Reshape(graph.SliceAxis(both, 0, graph.AxisRange(6, 18)), 4, 3)
		z := graph.ConvertDType(graph.DotGeneral(x, []int{1}, nil, y, []int{1}, nil), dtypes.Float32)
		out := graph.Gradient(graph.ReduceAllSum(graph.Mul(z, z)), in[0])
		for _, n := range in[0].Graph().Nodes() {
			if n.Type() == graph.NodeTypeDotGeneral {
				types = append(types, n.Inputs()[0].DType(), n.Inputs()[1].DType())
			}
		}
		return out
	})
	require.NoError(t, err)
	return types, run(t, c, p, 0, []float32{1, 2, 3, 4, 5, 6, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1})
}

func TestGradientsOfHalfProductsStayHalf(t *testing.T) {
	types, gradients := halfProducts(t)
	require.Len(t, types, 6)
	for _, d := range types {
		require.Equal(t, dtypes.BFloat16, d)
	}
	// z = [1 2 3 6; 4 5 6 15], so the gradients are 2zy and 2zᵀx.
	require.Equal(t, []float32{14, 16, 18, 38, 40, 42, 34, 44, 54, 44, 58, 72, 54, 72, 90, 132, 174, 216}, gradients)
}

// Fails once upstream takes these gradients in half precision: then the work-around can go.
func TestUpstreamStillWidensGradientsOfHalfProducts(t *testing.T) {
	ours := graph.VJPRegistration[graph.NodeTypeDotGeneral]
	defer func() { graph.VJPRegistration[graph.NodeTypeDotGeneral] = ours }()
	graph.VJPRegistration[graph.NodeTypeDotGeneral] = workaround.UpstreamProductGradient
	types, _ := halfProducts(t)
	require.Contains(t, types, dtypes.Float32, "gradients of half-precision products are in half precision upstream now: delete the work-around")
}
