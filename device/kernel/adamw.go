package kernel

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"temper/device/workaround"
)

// AdamW updates params and their moments m and v in place with the gradients grads, clipped by their global norm: what train.Optimizer says. settings
// [10] are β₁, 1−β₁, β₂, 1−β₂, ε, the decay of matrices, the norm to clip at (0: none), the learning rate, 1−β₁ᵗ and 1−β₂ᵗ. It returns the next params,
// m and v in one list, and the norm before clipping; where that is not finite, the state as it was.
func AdamW(params, m, v, grads []*graph.Node, settings *graph.Node) (state []*graph.Node, norm *graph.Node) {
	n := len(params)
	var inputs []*graph.Node
	for _, list := range [][]*graph.Node{params, m, v, grads, {settings}} {
		inputs = append(inputs, list...)
	}
	same := map[int]int{}
	var outputs []shapes.Shape
	for i, x := range inputs[:3*n] {
		same[i] = i
		outputs = append(outputs, x.Shape())
	}
	out := workaround.CustomCall("temper_adamw", nil, same, append(outputs, shapes.Make(params[0].DType())), inputs...)
	return out[:3*n], out[3*n]
}
