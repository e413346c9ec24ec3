package train

import (
	"fmt"

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
)

// State is a model in training on the device: parameters and AdamW's moments, in canonical order, and how many updates it has had.
type State struct {
	Config hf.Config
	Params []*device.Buffer
	M, V   []*device.Buffer
	Step   int

	accumulator []*device.Buffer // zero between updates; made when an update first needs more than one micro-batch
}

// NewState uploads a model and starts its optimizer from zero.
func NewState(c *device.Client, m *hf.Model) (*State, error) {
	params, err := lm.Upload(c, m)
	if err != nil {
		return nil, err
	}
	s := &State{Config: m.Config, Params: params}
	if s.M, err = zeros(c, m.Config); err == nil {
		s.V, err = zeros(c, m.Config)
	}
	if err != nil {
		s.Free()
		return nil, err
	}
	return s, nil
}

func zeros(c *device.Client, config hf.Config) ([]*device.Buffer, error) {
	var out []*device.Buffer
	for _, shape := range lm.Shapes(config) {
		b, err := device.Upload(c, make([]float32, shape.Size()), shape.Dimensions...)
		if err != nil {
			device.FreeAll(out...)
			return nil, fmt.Errorf("allocate optimizer state: %w", err)
		}
		out = append(out, b)
	}
	return out, nil
}

// ResetOptimizer sets the moments and the step count to zero, as at the start of a new stage.
func (s *State) ResetOptimizer(c *device.Client) error {
	device.FreeAll(s.M...)
	device.FreeAll(s.V...)
	var err error
	if s.M, err = zeros(c, s.Config); err != nil {
		return err
	}
	s.V, err = zeros(c, s.Config)
	s.Step = 0
	return err
}

// Free releases the state's device memory.
func (s *State) Free() {
	for _, group := range [][]*device.Buffer{s.Params, s.M, s.V, s.accumulator} {
		device.FreeAll(group...)
	}
}

// Model copies the parameters to the host.
func (s *State) Model() (map[string]hf.Tensor, error) { return lm.Download(s.Config, s.Params) }

// Moments copies AdamW's moments to the host: tensors named like the parameters with the prefix "m." or "v.".
func (s *State) Moments() ([]hf.Tensor, error) {
	var out []hf.Tensor
	for _, group := range []struct {
		prefix  string
		buffers []*device.Buffer
	}{{"m.", s.M}, {"v.", s.V}} {
		byName, err := lm.Download(s.Config, group.buffers)
		if err != nil {
			return nil, err
		}
		for _, spec := range s.Config.Tensors() {
			t := byName[spec.Name]
			t.Name = group.prefix + t.Name
			out = append(out, t)
		}
	}
	return out, nil
}

// SetMoments uploads what Moments returned.
func (s *State) SetMoments(c *device.Client, tensors []hf.Tensor) error {
	byName := make(map[string]hf.Tensor, len(tensors))
	for _, t := range tensors {
		byName[t.Name] = t
	}
	for _, group := range []struct {
		prefix  string
		buffers []*device.Buffer
	}{{"m.", s.M}, {"v.", s.V}} {
		for i, spec := range s.Config.Tensors() {
			t, ok := byName[group.prefix+spec.Name]
			if !ok {
				return fmt.Errorf("optimizer state lacks %s%s", group.prefix, spec.Name)
			}
			b, err := device.Upload(c, t.Data, spec.Dims...)
			if err != nil {
				return fmt.Errorf("optimizer state %s%s: %w", group.prefix, spec.Name, err)
			}
			group.buffers[i].Free()
			group.buffers[i] = b
		}
	}
	return nil
}
