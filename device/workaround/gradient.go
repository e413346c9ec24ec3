package workaround

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Rsqrt has no gradient in GoMLX v0.28.8: d/dx x^(-1/2) = -1/2 · x^(-1/2) / x.
func init() {
	graph.VJPRegistration[graph.NodeTypeRsqrt] = func(node *graph.Node, v []*graph.Node, _ shapes.Shape) []*graph.Node {
		x := node.Inputs()[0]
		return []*graph.Node{graph.Mul(v[0], graph.MulScalar(graph.Div(node, x), -0.5))}
	}
}

var upstreamProductGradient = graph.VJPRegistration[graph.NodeTypeDotGeneral]

// A product of half-precision arrays accumulates in float32, and GoMLX v0.28.8 takes its gradients in the accumulator's type: it widens both operands,
// which a GPU's tensor cores multiply at a fraction of the rate, or not at all. Here they stay as they are; the sums are in float32 either way.
func init() {
	graph.VJPRegistration[graph.NodeTypeDotGeneral] = func(node *graph.Node, v []*graph.Node, shape shapes.Shape) []*graph.Node {
		if v[0].DType().IsHalfPrecision() && node.Inputs()[0].DType() == v[0].DType() {
			config := field(field(node, "inputs").Interface(), "config").Addr().Interface().(*compute.DotGeneralConfig)
			defer func(was compute.DotGeneralConfig) { *config = was }(*config)
			config.AccumulatorDType = dtypes.InvalidDType
		}
		return upstreamProductGradient(node, v, shape)
	}
}
