package lm

import (
	"math"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/lm/hf"
)

// InitAdapter draws a new adapter as PEFT does: A uniform within 1/√in, B zero, so that at first it changes nothing. Each matrix has a random
// stream of its own, keyed by the seed and its place.
func InitAdapter(c hf.Config, a hf.Adapter, seed uint64) map[string]hf.Tensor {
	out := map[string]hf.Tensor{}
	for i, spec := range c.AdapterTensors(a) {
		data := make([]float32, spec.Dims[0]*spec.Dims[1])
		if i%2 == 0 {
			bound := 1 / math.Sqrt(float64(spec.Dims[1]))
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			for j := range data {
				data[j] = float32((2*r.Float64() - 1) * bound)
			}
		}
		out[spec.Name] = hf.Tensor{Name: spec.Name, Dims: spec.Dims, Data: data}
	}
	return out
}

// Adapt adds an adapter, whose matrices come in the order of hf.Config.AdapterTensors, to the linear layers that it targets.
func (w *Weights) Adapt(a hf.Adapter, nodes []*Node) {
	w.scale = a.Scale()
	for i, s := range w.config.AdapterTensors(a) {
		w.byName[s.Name] = nodes[i]
	}
}

// adapted adds scale·B·A·x to the output y of a linear layer, where an adapter targets it. Going through the rank first, the weight's own
// gradient is never computed.
func (l layerWeights) adapted(y, x *Node, name string) *Node {
	down := l.optional(name + ".lora_A.weight")
	if down == nil {
		return y
	}
	return Add(y, MulScalar(linear(linear(x, down, nil), l.get(name+".lora_B.weight"), nil), l.all.scale))
}

// Merged gives the parameters with the adapter added to them, in canonical order.
func Merged(c hf.Config, a hf.Adapter, params, adapter []*Node) []*Node {
	low := map[string]*Node{}
	for i, s := range c.AdapterTensors(a) {
		low[s.Name] = adapter[i]
	}
	out := append([]*Node{}, params...)
	for i, s := range c.Tensors() {
		layer := s.Name[:max(0, len(s.Name)-len(".weight"))]
		if down, ok := low[layer+".lora_A.weight"]; ok {
			out[i] = Add(params[i], MulScalar(Dot(low[layer+".lora_B.weight"], down).Product(), a.Scale()))
		}
	}
	return out
}
