package side

import (
	"fmt"

	"temper/lm/hf"
)

// Shape returns one of the decoder shapes that the benches use: A (0.9M parameters) or B (25.7M), both tied, or a Qwen3 shape.
func Shape(name string) (hf.Config, error) {
	c := hf.Config{Architecture: hf.Llama, ModelType: "llama", NormEps: 1e-6, RopeTheta: 10000, TieEmbeddings: true, MaxPositions: 2048,
		BOS: -1, PAD: -1, Dtype: "float32", InitializerRange: 0.02}
	switch name {
	case "A":
		c.VocabSize, c.Hidden, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.FFN = 512, 128, 4, 4, 2, 32, 384
	case "B":
		c.VocabSize, c.Hidden, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.FFN = 4096, 512, 8, 8, 4, 64, 1408
	case "qwen3-0.1B":
		c = qwen3(768, 12, 12, 4, 64, 2048, 32768)
	case "qwen3-0.6B":
		c = qwen3(1024, 28, 16, 8, 128, 3072, 151936)
	case "qwen3-1.7B":
		c = qwen3(2048, 28, 16, 8, 128, 6144, 151936)
	default:
		return c, fmt.Errorf("no shape %q: there are A, B, qwen3-0.1B, qwen3-0.6B and qwen3-1.7B", name)
	}
	return c, c.Validate()
}

func qwen3(hidden, layers, heads, kv, head, ffn, vocab int) hf.Config {
	return hf.Config{Architecture: hf.Qwen3, ModelType: "qwen3", QKNorm: true, VocabSize: vocab, Hidden: hidden, Layers: layers, Heads: heads, KVHeads: kv, HeadDim: head,
		FFN: ffn, NormEps: 1e-6, RopeTheta: 1e6, TieEmbeddings: true, MaxPositions: 4096, BOS: -1, PAD: -1, Dtype: "bfloat16", InitializerRange: 0.02}
}
