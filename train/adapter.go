package train

import (
	"errors"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
	"temper/objective"
)

// Adapter is a low-rank adapter in training (LoRA); its Tensors are empty while it is on the device.
type Adapter struct {
	hf.Adapter
	Params []*device.Buffer // in the order of hf.Config.AdapterTensors

	merged []*device.Buffer // the model's parameters with the adapter added, while nothing has changed since
}

func (a *Adapter) free() {
	if a != nil {
		device.FreeAll(a.Params...)
		a.changed()
	}
}

// changed forgets what depends on the adapter's values.
func (a *Adapter) changed() {
	if a != nil {
		device.FreeAll(a.merged...)
		a.merged = nil
	}
}

// Adapt freezes the parameters of a state that has not been trained yet and trains an adapter in their place, with fresh optimizers.
func (s *State) Adapt(c *device.Client, a hf.Adapter) error {
	if s.Adapter != nil || s.Main.M != nil {
		return errors.New("adapt: the state is in training already")
	}
	if err := a.Validate(); err != nil {
		return err
	}
	params, err := lm.UploadTensors(c, device.Whole, s.Config.AdapterTensors(a), a.Tensors)
	if err != nil {
		return err
	}
	a.Tensors = nil
	s.Adapter = &Adapter{Adapter: a, Params: params}
	return nil
}

// Reading gives the parameters that the model computes with, in canonical order, for programs that know nothing of adapters. They stay
// the state's own and hold until its next update.
func (t *Trainer) Reading(s *State) ([]*device.Buffer, error) {
	a := s.Adapter
	if a == nil {
		return s.Params, nil
	}
	if a.merged != nil {
		return a.merged, nil
	}
	g := graphs{config: s.Config, adapter: &a.Adapter, objective: objective.SFT{}}
	p, err := t.program("merge", g, func() (*device.Program, error) {
		n := len(s.Params)
		return t.client.Compile("merge", concat(lm.Shapes(s.Config), g.trainedShapes()), nil, func(x []*Node) []*Node {
			return lm.Merged(s.Config, a.Adapter, x[:n], x[n:])
		})
	})
	if err != nil {
		return nil, err
	}
	if a.merged, err = p.Run(join(s.Params, a.Params)...); err != nil {
		return nil, fmt.Errorf("merge the adapter: %w", err)
	}
	return a.merged, nil
}

// Model copies the model's parameters to the host, with the adapter added to them.
func (t *Trainer) Model(s *State) (map[string]hf.Tensor, error) {
	params, err := t.Reading(s)
	if err != nil {
		return nil, err
	}
	return lm.Download(s.Config.Tensors(), params)
}

// SavedAdapter copies the adapter to the host.
func (s *State) SavedAdapter() (hf.Adapter, error) {
	a := s.Adapter.Adapter
	var err error
	a.Tensors, err = lm.Download(s.specs(), s.Adapter.Params)
	return a, err
}
