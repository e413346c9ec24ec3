package train

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/device"
	"temper/device/kernel"
	"temper/lm"
	"temper/lm/hf"
	"temper/objective"
)

// programKey names one compiled step; programs with equal keys are the same.
type programKey struct {
	kind         string // fused, accumulate or apply
	config       string
	adapter      string
	teacher      string
	rows, length int
	objective    string
	optimizer    Optimizer
	checkpoint   bool
	half         bool
}

// graphs builds the step's programs for one setting.
type graphs struct {
	config       hf.Config
	adapter      *hf.Adapter // in training in place of the parameters, or nil
	teacher      *hf.Config  // of a distilling objective, or nil
	rows, length int
	devices      int
	objective    objective.Objective
	optimizer    Optimizer
	checkpoint   bool
	half         bool // compute in bfloat16
}

// trainedShapes are the tensors in training, frozenShapes the parameters beside them.
func (s graphs) trainedShapes() []shapes.Shape {
	if s.adapter != nil {
		return lm.ShapesOf(s.config.AdapterTensors(*s.adapter))
	}
	return lm.Shapes(s.config)
}

func (s graphs) frozenShapes() []shapes.Shape {
	if s.adapter != nil {
		return lm.Shapes(s.config)
	}
	return nil
}

// weights binds the tensors in training and the frozen ones.
func (s graphs) weights(trained, frozen []*Node) *lm.Weights {
	if s.adapter == nil {
		return s.precise(lm.Bind(s.config, trained))
	}
	w := lm.Bind(s.config, frozen)
	w.Adapt(*s.adapter, trained)
	return s.precise(w)
}

// precise gives weights the precision that the step computes in.
func (s graphs) precise(w *lm.Weights) *lm.Weights {
	if s.half {
		return w.In(dtypes.BFloat16)
	}
	return w
}

// batchShapes are tokens, targets, positions, segments, weight and the objective's columns.
func (s graphs) batchShapes() []shapes.Shape {
	ints, floats := device.Int32(s.rows, s.length), device.Float32(s.rows, s.length)
	out := []shapes.Shape{ints, ints, ints, ints, floats}
	for range s.objective.Columns() {
		out = append(out, floats)
	}
	return out
}

func (s graphs) teacherShapes() []shapes.Shape {
	if s.teacher == nil {
		return nil
	}
	return lm.Shapes(*s.teacher)
}

// gradients builds forward and backward: the gradient of each tensor in training and the sums that are reported [metrics]. inputs are the
// frozen tensors, the teacher's and the batch.
func (s graphs) gradients(trained, inputs []*Node) (grads []*Node, report *Node) {
	frozen, teacher, batch := cut(inputs, len(s.frozenShapes()), len(s.teacherShapes()))
	tokens, targets, positions, segments, weight := batch[0], batch[1], batch[2], batch[3], batch[4]
	columns := map[string]*Node{}
	for i, name := range s.objective.Columns() {
		columns[name] = batch[5+i]
	}
	w := s.weights(trained, frozen)
	b := objective.Batch{Student: objective.Projection{Hidden: lm.Hidden(s.config, w, tokens, positions, segments, s.checkpoint), Head: lm.Head(w)},
		Targets: targets, Segments: segments, Weight: weight, Columns: columns, Lanes: s.devices,
		Chunk: objective.ChunkTokens(s.rows*s.length, s.config.VocabSize)}
	if s.teacher != nil {
		tw := s.precise(lm.Bind(*s.teacher, teacher))
		b.Teacher = objective.Projection{Hidden: lm.Hidden(*s.teacher, tw, tokens, positions, segments, false), Head: lm.Head(tw)}
	}
	loss, metrics := s.objective.Loss(b)
	sums := []*Node{loss}
	sums = append(sums, metrics...)
	for i := range sums {
		sums[i] = Reshape(sums[i], 1)
	}
	return Gradient(loss, trained...), StopGradient(Concatenate(sums, 0))
}

// update applies clipped AdamW, unless the gradient is not finite: then the state stays as it is and the reported norm tells.
func (s graphs) update(params, m, v, grads []*Node, step, lr *Node) (state []*Node, norm *Node) {
	if kernel.Allowed(step.Graph()) {
		return kernel.AdamW(params, m, v, grads, s.optimizer.settings(step, lr))
	}
	clipped, norm := s.optimizer.clip(grads)
	p2, m2, v2 := s.optimizer.adamW(params, m, v, clipped, step, lr)
	finite := IsFinite(norm)
	old := append(append(append([]*Node{}, params...), m...), v...)
	for i, next := range append(append(p2, m2...), v2...) {
		state = append(state, Where(BroadcastToShape(finite, next.Shape()), next, old[i]))
	}
	return state, norm
}

// fused: trained…, m…, v…, step, lr, frozen…, teacher…, batch… → trained…, m…, v…, norm, report.
func (s graphs) fused(c *device.Client) (*device.Program, error) {
	p := s.trainedShapes()
	n := len(p)
	m := moments(c, p)
	in := concat(whole(p...), m, m, whole(device.Float32(), device.Float32()), whole(s.frozenShapes()...), whole(s.teacherShapes()...), rows(s.batchShapes()))
	return c.CompileAcross("train_"+s.objective.Key(), in, identity(3*n), func(x []*Node) []*Node {
		grads, report := s.gradients(x[:n], x[3*n+2:])
		state, norm := s.update(x[:n], x[n:2*n], x[2*n:3*n], grads, x[3*n], x[3*n+1])
		return append(state, norm, report)
	})
}

// accumulate: accumulator…, trained…, frozen…, teacher…, batch… → accumulator + gradient…, report.
func (s graphs) accumulate(c *device.Client) (*device.Program, error) {
	p := s.trainedShapes()
	n := len(p)
	in := concat(moments(c, p), whole(p...), whole(s.frozenShapes()...), whole(s.teacherShapes()...), rows(s.batchShapes()))
	return c.CompileAcross("accumulate_"+s.objective.Key(), in, identity(n), func(x []*Node) []*Node {
		grads, report := s.gradients(x[n:2*n], x[2*n:])
		out := make([]*Node, n)
		for i, g := range grads {
			out[i] = Add(x[i], g)
		}
		return append(out, report)
	})
}

// apply: trained…, m…, v…, accumulator…, step, lr → trained…, m…, v…, zeroed accumulator…, norm.
func (s graphs) apply(c *device.Client) (*device.Program, error) {
	p := s.trainedShapes()
	n := len(p)
	m := moments(c, p)
	in := concat(whole(p...), m, m, m, whole(device.Float32(), device.Float32()))
	return c.CompileAcross("apply", in, identity(4*n), func(x []*Node) []*Node {
		state, norm := s.update(x[:n], x[n:2*n], x[2*n:3*n], x[3*n:4*n], x[4*n], x[4*n+1])
		for _, a := range x[3*n : 4*n] {
			state = append(state, ZerosLike(a))
		}
		return append(state, norm)
	})
}

// identity reuses each of the first n inputs for the output of the same place.
func identity(n int) map[int]int {
	out := make(map[int]int, n)
	for i := range n {
		out[i] = i
	}
	return out
}

// cut splits a list after the first a and the next b.
func cut(x []*Node, a, b int) (first, second, rest []*Node) { return x[:a], x[a : a+b], x[a+b:] }

func concat[T any](groups ...[]T) []T {
	var out []T
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}
