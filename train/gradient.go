package train

import (
	"temper/device"
	"temper/lm"
	"temper/lm/hf"
)

// Gradient gives the gradient of the micro-batches' summed loss by parameter, in canonical order, and the loss. It changes nothing.
func (t *Trainer) Gradient(c hf.Config, params []*device.Buffer, set Settings, batches ...*Batch) (map[string]hf.Tensor, float64, error) {
	g := graphs{config: c, rows: batches[0].Rows, length: batches[0].Length, objective: set.Objective, checkpoint: set.Checkpoint}
	accumulate, err := t.program("accumulate", g, func() (*device.Program, error) { return g.accumulate(t.client) })
	if err != nil {
		return nil, 0, err
	}
	total, err := zeros(t.client, c)
	if err != nil {
		return nil, 0, err
	}
	defer func() { device.FreeAll(total...) }()
	loss := 0.0
	for _, b := range batches {
		out, sums, err := t.accumulate(accumulate, total, params, nil, b, set.Objective)
		if err != nil {
			return nil, 0, err
		}
		total = out
		loss += float64(sums[0])
	}
	gradient, err := lm.Download(c, total)
	return gradient, loss, err
}
