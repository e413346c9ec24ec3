package workaround

import (
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
