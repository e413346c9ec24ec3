package lm

import (
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/lm/hf"
)

// Hidden runs the decoder over packed rows and returns the normalised hidden states [batch, time, hidden].
//
// tokens, positions and segments are [batch, time] int32. Tokens of different segments do not see each other, so several sequences
// share a row; positions count from 0 inside each segment. Padding is any segment of its own.
// With checkpoint, layer activations are recomputed in the backward pass instead of kept.
func Hidden(c hf.Config, w *Weights, tokens, positions, segments *Node, checkpoint bool) *Node {
	r := newRotary(c, positions, tokens.Shape().Dimensions[1])
	masks := newCausal(c, segments)
	x := embed(w, tokens)
	for l := range c.Layers {
		if checkpoint {
			x = x.Checkpoint()
		}
		lw := w.layer(l)
		q, k, v := projections(c, lw, x, r)
		x = output(lw, x, masks.attend(c, l, q, k, v))
		x = feedForward(c, lw, x)
	}
	if checkpoint {
		x = x.StopCheckpoint()
	}
	return rmsNorm(x, w.get("model.norm.weight"), c.NormEps)
}
