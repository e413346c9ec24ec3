package kernel

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"temper/device/workaround"
)

// Attention is causal grouped-query attention over packed rows, with its gradient. q [batch, time, heads, head], k and v [batch, time, kv, head];
// segments [batch, time] int32 are contiguous: a token attends to those of its own segment at or before it, and with window > 0 to the last
// window of them. It returns [batch, time, heads, head].
func Attention(q, k, v, segments *graph.Node, window int) *graph.Node {
	attributes := map[string]int64{"window": int64(window)}
	d := q.Shape().Dimensions
	lse := shapes.Make(q.DType(), d[0], d[2], d[1])
	out := call("attention_forward", attributes, []shapes.Shape{q.Shape(), lse}, q, k, v, segments)
	workaround.CustomGradient(out, func(inputs, adjoints []*graph.Node) []*graph.Node {
		q, k, v, segments := inputs[0], inputs[1], inputs[2], inputs[3]
		gradients := call("attention_backward", attributes, []shapes.Shape{q.Shape(), k.Shape(), v.Shape()},
			q, k, v, segments, out[0], out[1], adjoints[0])
		return append(gradients, graph.ZerosLike(segments))
	})
	return out[0]
}
