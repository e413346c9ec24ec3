package lm

import (
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/layers/attention"

	"temper/device"
	"temper/lm/hf"
)

// flashes says whether a layer's attention is the device's fused one: where the client was opened for it, in half precision, with heads it takes.
func flashes(c hf.Config, q *Node) bool {
	return device.Flashes(q.Graph()) && q.DType().IsHalfPrecision() && c.HeadDim%8 == 0
}

// flash is attend by the device's fused attention (cuDNN's flash attention: Dao 2023, arXiv 2307.08691), which stores the scores of no layer, forward or
// backward. q [batch, time, heads, head]; k, v [batch, time, kv, head]; bias [batch or 1, 1, 1, time, time], which it wants once for each head and all layers
// share. It returns [batch, time, heads·head].
func flash(c hf.Config, q, k, v, bias *Node) *Node {
	batch, time := q.Shape().Dimensions[0], q.Shape().Dimensions[1]
	scores := Reshape(ConvertDType(bias, q.DType()), bias.Shape().Dimensions[0], 1, time, time)
	out, _ := attention.Core(q, k, v, attention.LayoutBSHD, attention.CoreOptions{AttentionBias: BroadcastToDims(scores, batch, c.Heads, time, time)})
	return Reshape(out, batch, time, c.Heads*c.HeadDim)
}
