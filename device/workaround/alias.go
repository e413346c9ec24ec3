package workaround

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/stablehlo"
	"github.com/gomlx/gomlx/core/graph"
)

// Alias tells XLA that the buffer of each main input is reused for an output (input index → output index), so that a donated buffer
// is updated in place. go-xla donates buffers at execution but never emits the `tf.aliasing_output` attribute without which XLA
// copies. Call it after the outputs are built and before the graph is compiled. On a backend other than XLA it does nothing.
func Alias(g *graph.Graph, outputOf map[int]int) {
	builder, ok := field(g, "builder").Interface().(*xla.Builder)
	if !ok {
		return
	}
	main := field(field(builder, "mainFn").Interface().(*xla.Function), "fn").Interface().(*stablehlo.Function)
	for input, output := range outputOf {
		value := main.Inputs[input]
		if value.Attributes == nil {
			value.Attributes = map[string]any{}
		}
		value.Attributes["tf.aliasing_output"] = int32(output)
	}
}

var _ compute.Builder = (*xla.Builder)(nil)
