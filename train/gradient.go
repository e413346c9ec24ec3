package train

import (
	"errors"

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
)

// Gradient gives the gradient of the micro-batches' summed loss by tensor in training, and the loss. It changes nothing.
func (t *Trainer) Gradient(s *State, set Settings, batches ...*Batch) (map[string]hf.Tensor, float64, error) {
	if len(batches) == 0 {
		return nil, 0, errors.New("gradient: no batch")
	}
	batches = padded(batches, t.client.Devices())
	g := graphs{config: s.Config, devices: t.client.Devices(), rows: batches[0].Rows, length: batches[0].Length, objective: set.Objective, checkpoint: set.Checkpoint, half: set.Half}
	if s.Adapter != nil {
		g.adapter = &s.Adapter.Adapter
	}
	accumulate, err := t.program("accumulate", g, func() (*device.Program, error) { return g.accumulate(t.client) })
	if err != nil {
		return nil, 0, err
	}
	total, err := zeros(t.client, s.specs())
	if err != nil {
		return nil, 0, err
	}
	defer func() { device.FreeAll(total...) }()
	loss := 0.0
	for _, b := range batches {
		out, sums, err := t.accumulate(accumulate, total, *s.trained(), s.frozen(), b, set.Objective)
		if err != nil {
			return nil, 0, err
		}
		total = out
		loss += float64(sums[0])
	}
	gradient, err := lm.Download(s.specs(), total)
	return gradient, loss, err
}
