package train

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/device/devicetest"
	"temper/lm/hf"
	"temper/objective"
)

// A step at a large vocabulary holds no [rows, length, vocab] array, nor does scoring.
func TestLogitsAreNotKept(t *testing.T) {
	config := hf.Config{Architecture: hf.Llama, ModelType: "llama", VocabSize: 32 << 10, Hidden: 32, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 16, FFN: 64,
		NormEps: 1e-6, RopeTheta: 10000, MaxPositions: 2048, TieEmbeddings: true, Dtype: "float32"}
	c := devicetest.Client(t)
	g := graphs{config: config, rows: 4, length: 1024, optimizer: Optimizer{Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8}}
	logits := int64(g.rows*g.length) * int64(config.VocabSize) * 4
	for _, o := range []objective.Objective{objective.SFT{}, objective.Policy{Ratio: "sequence", ClipLow: 0.2, ClipHigh: 0.2, Temperature: 1}} {
		g.objective = o
		p, err := g.fused(c)
		require.NoError(t, err)
		t.Logf("%s: %d MiB beside %d MiB of logits", o.Key(), p.TemporaryBytes>>20, logits>>20)
		require.Less(t, p.TemporaryBytes, 2*logits/3, o.Key())
		p.Close()
	}
}
