package train

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
	"temper/objective"
)

// LogProbs gives log softmax(logits/temperature)[target] in nats for every target of a batch, [rows·length], under the given parameters.
func (t *Trainer) LogProbs(c hf.Config, params []*device.Buffer, temperature float64, b *Batch) ([]float32, error) {
	g := graphs{config: c, rows: b.Rows, length: b.Length, objective: objective.SFT{}}
	program, err := t.program(fmt.Sprintf("log_probs@%g", temperature), g, func() (*device.Program, error) {
		n := len(params)
		return t.client.Compile("log_probs", concat(lm.Shapes(c), g.batchShapes()), nil, func(x []*Node) []*Node {
			w := lm.Bind(c, x[:n])
			b := objective.Batch{Student: objective.Projection{Hidden: lm.Hidden(c, w, x[n], x[n+2], x[n+3], false), Head: lm.Head(w)}, Targets: x[n+1],
				Chunk: objective.ChunkTokens(g.rows*g.length, c.VocabSize)}
			return []*Node{objective.LogProb(b, temperature)}
		})
	})
	if err != nil {
		return nil, err
	}
	batch, err := b.upload(t.client, device.One, g.objective)
	if err != nil {
		return nil, err
	}
	defer device.FreeAll(batch...)
	out, err := program.Run(join(params, batch)...)
	if err != nil {
		return nil, err
	}
	defer device.FreeAll(out...)
	return device.Download[float32](out[0])
}
