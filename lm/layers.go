package lm

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/lm/hf"
)

// linear is x·Wᵀ (+ b) with W in the Hugging Face layout [out, in].
func linear(x, w, b *Node) *Node {
	y := DotGeneral(x, []int{-1}, nil, w, []int{1}, nil)
	if b != nil {
		y = Add(y, ExpandLeftToRank(b, y.Rank()))
	}
	return y
}

// project is the linear layer of a name, with its adapter.
func (l layerWeights) project(x *Node, name string) *Node {
	return l.adapted(linear(x, l.get(name+".weight"), l.optional(name+".bias")), x, name)
}

// joined computes several projections of the same input as one product and cuts the result at the given widths. A single token is
// projected one by one instead: there the time goes into reading the weights, and joining them would read and write them once more.
func joined(w layerWeights, h *Node, widths []int, names ...string) []*Node {
	if h.Shape().Dimensions[1] == 1 {
		out := make([]*Node, len(names))
		for i, name := range names {
			out[i] = w.project(h, name)
		}
		return out
	}
	var weights, biases []*Node
	for _, name := range names {
		weights = append(weights, w.get(name+".weight"))
		if b := w.optional(name + ".bias"); b != nil {
			biases = append(biases, b)
		}
	}
	var bias *Node
	if len(biases) > 0 {
		bias = Concatenate(biases, 0)
	}
	all := linear(h, Concatenate(weights, 0), bias)
	out, from := make([]*Node, len(widths)), 0
	for i, n := range widths {
		out[i] = w.adapted(SliceAxis(all, -1, AxisRange(from, from+n)), h, names[i])
		from += n
	}
	return out
}

// rmsNorm is x / sqrt(mean(x²) + ε) · w over the last axis (Zhang and Sennrich 2019, arXiv 1910.07467), computed in w's precision.
func rmsNorm(x, w *Node, eps float64) *Node {
	dtype := x.DType()
	x = ConvertDType(x, w.DType())
	meanSquare := ReduceAndKeep(Square(x), ReduceMean, -1)
	return ConvertDType(Mul(Mul(x, Rsqrt(AddScalar(meanSquare, eps))), ExpandLeftToRank(w, x.Rank())), dtype)
}

// swiGLU is W_down(silu(W_gate·h) ⊙ W_up·h) (Shazeer 2020, arXiv 2002.05202).
func swiGLU(w layerWeights, h *Node) *Node {
	width := w.get("mlp.gate_proj.weight").Shape().Dimensions[0]
	parts := joined(w, h, []int{width, width}, "mlp.gate_proj", "mlp.up_proj")
	gate, up := parts[0], parts[1]
	return w.project(Mul(Mul(gate, Sigmoid(gate)), up), "mlp.down_proj")
}

// feedForward is the second half of a layer: x + swiGLU(norm(x)).
func feedForward(c hf.Config, w layerWeights, x *Node) *Node {
	return Add(x, swiGLU(w, rmsNorm(x, w.get("post_attention_layernorm.weight"), c.NormEps)))
}

// Logits projects hidden states [..., hidden] to the vocabulary [..., vocab], in float32; the head is the embedding when they are tied.
func Logits(w *Weights, hidden *Node) *Node {
	return ConvertDType(linear(hidden, Head(w), nil), dtypes.Float32)
}

// Head is the output projection [vocab, hidden].
func Head(w *Weights) *Node {
	if h := w.optional("lm_head.weight"); h != nil {
		return h
	}
	return w.get("model.embed_tokens.weight")
}

// embed looks tokens [...] up, giving [..., hidden].
func embed(w *Weights, tokens *Node) *Node {
	return Gather(w.get("model.embed_tokens.weight"), InsertAxes(tokens, -1))
}
