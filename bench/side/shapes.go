package side

import (
	"fmt"

	"temper/lm/hf"
)

// Shape returns one of the decoder shapes that the benches use, A (0.9M parameters) or B (25.7M), both tied.
func Shape(name string) (hf.Config, error) {
	c := hf.Config{Architecture: hf.Llama, ModelType: "llama", NormEps: 1e-6, RopeTheta: 10000, TieEmbeddings: true, MaxPositions: 2048,
		BOS: -1, PAD: -1, Dtype: "float32", InitializerRange: 0.02}
	switch name {
	case "A":
		c.VocabSize, c.Hidden, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.FFN = 512, 128, 4, 4, 2, 32, 384
	case "B":
		c.VocabSize, c.Hidden, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.FFN = 4096, 512, 8, 8, 4, 64, 1408
	default:
		return c, fmt.Errorf("no shape %q: there are A and B", name)
	}
	return c, c.Validate()
}
