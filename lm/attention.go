package lm

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/device/kernel"
	"temper/lm/hf"
)

// masked is added to the attention score of a pair that must not attend.
const masked = -1e30

// projections computes the rotated queries [batch, time, heads, head] and keys, and the values [batch, time, kv, head].
func projections(c hf.Config, w layerWeights, x *Node, r rotary) (q, k, v *Node) {
	batch, time := x.Shape().Dimensions[0], x.Shape().Dimensions[1]
	h := rmsNorm(x, w.get("input_layernorm.weight"), c.NormEps)
	// One product for all three projections: a larger matrix is faster than three small ones, forward and backward.
	widths := []int{c.Heads * c.HeadDim, c.KVHeads * c.HeadDim, c.KVHeads * c.HeadDim}
	parts := joined(w, h, widths, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
	q = Reshape(parts[0], batch, time, c.Heads, c.HeadDim)
	k = Reshape(parts[1], batch, time, c.KVHeads, c.HeadDim)
	v = Reshape(parts[2], batch, time, c.KVHeads, c.HeadDim)
	if c.QKNorm {
		q = rmsNorm(q, w.get("self_attn.q_norm.weight"), c.NormEps)
		k = rmsNorm(k, w.get("self_attn.k_norm.weight"), c.NormEps)
	}
	return r.apply(q), r.apply(k), v
}

// attend is grouped-query attention (Ainslie et al. 2023, arXiv 2305.13245): query head h reads key-value head h / (heads/kv).
// q [batch, time, heads, head]; k, v [batch, kv, keys, head]; bias [batch or 1, 1, 1, time, keys] is added to the scores.
// It returns [batch, time, heads·head].
func attend(c hf.Config, q, k, v, bias *Node) *Node {
	batch, time := q.Shape().Dimensions[0], q.Shape().Dimensions[1]
	keys, group := k.Shape().Dimensions[2], c.Heads/c.KVHeads
	q = MulScalar(q, 1/math.Sqrt(float64(c.HeadDim)))
	q = Reshape(TransposeAllDims(q, 0, 2, 1, 3), batch, c.KVHeads, group*time, c.HeadDim)
	scores := DotGeneral(q, []int{3}, []int{0, 1}, k, []int{3}, []int{0, 1}) // [batch, kv, group·time, keys]
	scores = Reshape(scores, batch, c.KVHeads, group, time, keys)
	scores = Add(ConvertDType(scores, bias.DType()), BroadcastToShape(bias, scores.Shape()))
	weights := Reshape(ConvertDType(Softmax(scores, -1), v.DType()), batch, c.KVHeads, group*time, keys)
	out := DotGeneral(weights, []int{3}, []int{0, 1}, v, []int{2}, []int{0, 1}) // [batch, kv, group·time, head]
	out = TransposeAllDims(Reshape(out, batch, c.Heads, time, c.HeadDim), 0, 2, 1, 3)
	return Reshape(out, batch, time, c.Heads*c.HeadDim)
}

// output projects the attention result back and adds the residual.
func output(w layerWeights, x, attended *Node) *Node {
	return Add(x, w.project(attended, "self_attn.o_proj"))
}

// biases are the score biases of the layers without and with the sliding window; they are one and the same where no window applies.
type biases struct{ full, windowed *Node }

func (b biases) layer(c hf.Config, l int) *Node {
	if c.SlidingWindow > 0 && l >= c.WindowFrom {
		return b.windowed
	}
	return b.full
}

// causal lets a token attend to those of its own segment at or before it, by the kernel where the program may call it.
type causal struct {
	segments *Node // [batch, time]
	biases   biases
}

func newCausal(c hf.Config, segments *Node) causal {
	a := causal{segments: segments}
	if kernel.Allowed(segments.Graph()) {
		return a
	}
	a.biases.full = causalBias(segments, 0)
	if c.SlidingWindow > 0 {
		a.biases.windowed = causalBias(segments, c.SlidingWindow)
	}
	return a
}

// attend is the attention of layer l: q [batch, time, heads, head], k and v [batch, time, kv, head] → [batch, time, heads·head].
func (a causal) attend(c hf.Config, l int, q, k, v *Node) *Node {
	d := q.Shape().Dimensions
	if a.biases.full == nil {
		window := 0
		if l >= c.WindowFrom {
			window = c.SlidingWindow
		}
		dtype := q.DType()
		q, k, v = ConvertDType(q, dtypes.Float32), ConvertDType(k, dtypes.Float32), ConvertDType(v, dtypes.Float32)
		return ConvertDType(Reshape(kernel.Attention(q, k, v, a.segments, window), d[0], d[1], d[2]*d[3]), dtype)
	}
	if flashes(c, q) {
		return flash(c, q, k, v, a.biases.layer(c, l))
	}
	k, v = TransposeAllDims(k, 0, 2, 1, 3), TransposeAllDims(v, 0, 2, 1, 3)
	return attend(c, q, k, v, a.biases.layer(c, l))
}

// causalBias is 0 or masked for each query and key of segments [batch, time] → [batch, 1, 1, time, time].
func causalBias(segments *Node, window int) *Node {
	g := segments.Graph()
	batch, time := segments.Shape().Dimensions[0], segments.Shape().Dimensions[1]
	shape := shapes.Make(dtypes.Int32, batch, 1, 1, time, time)
	query, key := Iota(g, shape, 3), Iota(g, shape, 4)
	allowed := LessOrEqual(key, query)
	if window > 0 {
		allowed = LogicalAnd(allowed, LessThan(Sub(query, key), BroadcastToShape(Const(g, int32(window)), shape)))
	}
	of := func(axis int) *Node {
		if axis == 3 {
			return BroadcastToShape(Reshape(segments, batch, 1, 1, time, 1), shape)
		}
		return BroadcastToShape(Reshape(segments, batch, 1, 1, 1, time), shape)
	}
	allowed = LogicalAnd(allowed, Equal(of(3), of(4)))
	return bias(allowed)
}

// bias turns a mask of allowed pairs into scores to add: 0 or masked.
func bias(allowed *Node) *Node {
	g := allowed.Graph()
	float := shapes.Make(dtypes.Float32, allowed.Shape().Dimensions...)
	return Where(allowed, Zeros(g, float), BroadcastToShape(Scalar(g, dtypes.Float32, masked), float))
}
