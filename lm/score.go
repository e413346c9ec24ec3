package lm

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/lm/hf"
)

// Score gives for each token of rows [batch, width] int32, padded on the right, the log-probability in nats of the token after it [batch, width] (that
// of the last is void), and the top > 0 likeliest tokens in its place [batch, width, top] int32 with
// theirs.
func Score(c hf.Config, params []*Node, tokens *Node, top int) []*Node {
	w := Bind(c, params)
	return scored(w, hiddenOf(c, w, tokens), tokens, top)
}

// hiddenOf runs the decoder over rows of one sequence each.
func hiddenOf(c hf.Config, w *Weights, tokens *Node) (hidden *Node) {
	shape := shapes.Make(dtypes.Int32, tokens.Shape().Dimensions...)
	return Hidden(c, w, tokens, Iota(tokens.Graph(), shape, 1), Ones(tokens.Graph(), shape), false)
}

// scored is Score of hidden states [batch, width, hidden].
func scored(w *Weights, hidden, tokens *Node, top int) []*Node {
	width := tokens.Shape().Dimensions[1]
	next := Concatenate([]*Node{SliceAxis(tokens, 1, AxisRange(1)), SliceAxis(tokens, 1, AxisRange(0, 1))}, 1)
	var parts [3][]*Node
	for from := 0; from < width; from += scoreBlock { // [batch, width, vocab] would be the largest array by far
		to := min(from+scoreBlock, width)
		logits := Logits(w, SliceAxis(hidden, 1, AxisRange(from, to)))
		for i, x := range described(logits, SliceAxis(next, 1, AxisRange(from, to)), top) {
			parts[i] = append(parts[i], x)
		}
	}
	out := make([]*Node, len(parts))
	for i, p := range parts {
		out[i] = p[0]
		if len(p) > 1 {
			out[i] = Concatenate(p, 1)
		}
	}
	return out
}

// scoreBlock is how many tokens' logits Score has at once.
const scoreBlock = 256
