package train

import (
	"fmt"
	"maps"
	"slices"

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
)

// State is a model in training on the device: its parameters and the moments of its optimizers. Main is the stage's own; Side belongs to
// updates of another kind that are interleaved (ReLIFT's SFT steps), whose gradients are of another size. It is made when first used.
type State struct {
	Config  hf.Config
	Params  []*device.Buffer // of the model; with an adapter they never change
	Adapter *Adapter         // nil: the parameters themselves are trained
	Main    *Moments
	Side    *Moments

	accumulator []*device.Buffer // zero between updates; made when an update first needs more than one micro-batch
}

// Moments are AdamW's running means of the gradient and its square, in the order of the tensors in training, and how many updates they have had.
// Before the first they are zero, and not allocated.
type Moments struct {
	M, V []*device.Buffer
	Step int
}

// NewState uploads a model and starts its optimizer from zero.
func NewState(c *device.Client, m *hf.Model) (*State, error) {
	params, err := lm.UploadTensors(c, device.Whole, m.Config.Tensors(), m.Tensors)
	if err != nil {
		return nil, err
	}
	return &State{Config: m.Config, Params: params, Main: &Moments{}}, nil
}

// specs are the tensors in training.
func (s *State) specs() []hf.TensorSpec {
	if s.Adapter != nil {
		return s.Config.AdapterTensors(s.Adapter.Adapter)
	}
	return s.Config.Tensors()
}

// trained are the buffers in training, in the order of specs; frozen are the others.
func (s *State) trained() *[]*device.Buffer {
	if s.Adapter != nil {
		return &s.Adapter.Params
	}
	return &s.Params
}

func (s *State) frozen() []*device.Buffer {
	if s.Adapter != nil {
		return s.Params
	}
	return nil
}

// allocate puts zero moments on the device, unless there are some.
func (m *Moments) allocate(c *device.Client, specs []hf.TensorSpec) (err error) {
	if m.M != nil {
		return nil
	}
	first, err := zeros(c, specs)
	if err != nil {
		return err
	}
	second, err := zeros(c, specs)
	if err != nil {
		device.FreeAll(first...)
		return err
	}
	m.M, m.V = first, second
	return nil
}

func zeros(c *device.Client, specs []hf.TensorSpec) ([]*device.Buffer, error) {
	var out []*device.Buffer
	for _, shape := range lm.ShapesOf(specs) {
		b, err := device.UploadAs(c, momentLayout(c, shape), make([]float32, shape.Size()), shape.Dimensions...)
		if err != nil {
			device.FreeAll(out...)
			return nil, fmt.Errorf("allocate optimizer state: %w", err)
		}
		out = append(out, b)
	}
	return out, nil
}

// Free releases the state's device memory.
func (s *State) Free() {
	device.FreeAll(s.Params...)
	device.FreeAll(s.accumulator...)
	s.Adapter.free()
	for _, m := range []*Moments{s.Main, s.Side} {
		if m != nil {
			device.FreeAll(m.M...)
			device.FreeAll(m.V...)
		}
	}
}

// optimizers lists the state's moments with the prefix that their saved tensors have.
func (s *State) optimizers() map[string]*Moments {
	out := map[string]*Moments{"main.": s.Main}
	if s.Side != nil {
		out["side."] = s.Side
	}
	return out
}

// SavedOptimizer is the optimizers' part of a snapshot: tensors named "main.m.<parameter>", "main.v.…", "side.m.…", "side.v.…", and the
// step counts by the same prefix.
type SavedOptimizer struct {
	Tensors []hf.Tensor
	Steps   map[string]int
}

// SaveOptimizer copies the optimizers' state to the host.
func (s *State) SaveOptimizer() (SavedOptimizer, error) {
	out := SavedOptimizer{Steps: map[string]int{}}
	all := s.optimizers()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out.Steps[name] = all[name].Step
		for _, part := range []struct {
			prefix  string
			buffers []*device.Buffer
		}{{"m.", all[name].M}, {"v.", all[name].V}} {
			for i, spec := range s.specs() {
				t := hf.Tensor{Name: name + part.prefix + spec.Name, Dims: spec.Dims}
				var err error
				if part.buffers == nil {
					t.Data = make([]float32, device.Float32(spec.Dims...).Size())
				} else if t.Data, err = device.Download[float32](part.buffers[i]); err != nil {
					return out, fmt.Errorf("download the optimizer's %s: %w", t.Name, err)
				}
				out.Tensors = append(out.Tensors, t)
			}
		}
	}
	return out, nil
}

// LoadOptimizer puts back what SaveOptimizer gave.
func (s *State) LoadOptimizer(c *device.Client, saved SavedOptimizer) error {
	byName := make(map[string]hf.Tensor, len(saved.Tensors))
	for _, t := range saved.Tensors {
		byName[t.Name] = t
	}
	if _, ok := saved.Steps["side."]; ok && s.Side == nil {
		s.Side = &Moments{}
	}
	for name, m := range s.optimizers() {
		if err := m.allocate(c, s.specs()); err != nil {
			return err
		}
		m.Step = saved.Steps[name]
		for _, part := range []struct {
			prefix  string
			buffers []*device.Buffer
		}{{"m.", m.M}, {"v.", m.V}} {
			for i, spec := range s.specs() {
				key := name + part.prefix + spec.Name
				t, ok := byName[key]
				if !ok {
					return fmt.Errorf("optimizer state lacks %s", key)
				}
				b, err := device.UploadAs(c, momentLayout(c, device.Float32(spec.Dims...)), t.Data, spec.Dims...)
				if err != nil {
					return fmt.Errorf("optimizer state %s: %w", key, err)
				}
				part.buffers[i].Free()
				part.buffers[i] = b
			}
		}
	}
	return nil
}
