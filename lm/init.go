package lm

import (
	"math"
	"math/rand/v2"
	"strings"
	"sync"

	"temper/lm/hf"
)

// Init draws the parameters of a new model: matrices from N(0, std²) with std = initializer_range (0.02 when the config leaves it out)
// and the projections that write to the residual stream scaled by 1/sqrt(2·layers), norms one, biases zero. Each tensor has a random stream of
// its own, keyed by the seed and its place, so the result depends on the seed and the config alone.
func Init(c hf.Config, seed uint64) map[string]hf.Tensor {
	std := c.InitializerRange
	if std == 0 {
		std = 0.02
	}
	specs := c.Tensors()
	tensors := make([]hf.Tensor, len(specs))
	draw := func(i int) {
		spec := specs[i]
		size := 1
		for _, d := range spec.Dims {
			size *= d
		}
		data := make([]float32, size)
		switch {
		case strings.HasSuffix(spec.Name, ".bias"):
		case len(spec.Dims) == 1:
			for j := range data {
				data[j] = 1
			}
		default:
			scale := std
			if strings.HasSuffix(spec.Name, "o_proj.weight") || strings.HasSuffix(spec.Name, "down_proj.weight") {
				scale /= math.Sqrt(2 * float64(c.Layers))
			}
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			for j := range data {
				data[j] = float32(r.NormFloat64() * scale)
			}
		}
		tensors[i] = hf.Tensor{Name: spec.Name, Dims: spec.Dims, Data: data}
	}
	var all sync.WaitGroup
	for i := range specs {
		all.Go(func() { draw(i) })
	}
	all.Wait()
	out := make(map[string]hf.Tensor, len(tensors))
	for _, t := range tensors {
		out[t.Name] = t
	}
	return out
}
