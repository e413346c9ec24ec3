package train

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
	"temper/objective"
)

// programKey names one compiled step; programs with equal keys are the same.
type programKey struct {
	kind         string // fused, accumulate or apply
	config       string
	teacher      string
	rows, length int
	objective    string
	optimizer    Optimizer
	checkpoint   bool
}

// graphs builds the step's programs for one setting.
type graphs struct {
	config       hf.Config
	teacher      *hf.Config // of a distilling objective, or nil
	rows, length int
	objective    objective.Objective
	optimizer    Optimizer
	checkpoint   bool
}

func (s graphs) params() int { return len(s.config.Tensors()) }

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

// gradients builds forward and backward: the gradient of each parameter and the sums that are reported [metrics].
func (s graphs) gradients(params, teacher, batch []*Node) (grads []*Node, report *Node) {
	tokens, targets, positions, segments, weight := batch[0], batch[1], batch[2], batch[3], batch[4]
	columns := map[string]*Node{}
	for i, name := range s.objective.Columns() {
		columns[name] = batch[5+i]
	}
	w := lm.Bind(s.config, params)
	b := objective.Batch{Student: objective.Projection{Hidden: lm.Hidden(s.config, w, tokens, positions, segments, s.checkpoint), Head: lm.Head(w)},
		Targets: targets, Segments: segments, Weight: weight, Columns: columns, Chunk: objective.ChunkTokens(s.rows*s.length, s.config.VocabSize)}
	if s.teacher != nil {
		tw := lm.Bind(*s.teacher, teacher)
		b.Teacher = objective.Projection{Hidden: lm.Hidden(*s.teacher, tw, tokens, positions, segments, false), Head: lm.Head(tw)}
	}
	loss, metrics := s.objective.Loss(b)
	sums := []*Node{loss}
	sums = append(sums, metrics...)
	for i := range sums {
		sums[i] = Reshape(sums[i], 1)
	}
	return Gradient(loss, params...), StopGradient(Concatenate(sums, 0))
}

// update applies clipped AdamW, unless the gradient is not finite: then the state stays as it is and the reported norm tells.
func (s graphs) update(params, m, v, grads []*Node, step, lr *Node) (state []*Node, norm *Node) {
	clipped, norm := s.optimizer.clip(grads)
	p2, m2, v2 := s.optimizer.adamW(params, m, v, clipped, step, lr)
	finite := IsFinite(norm)
	old := append(append(append([]*Node{}, params...), m...), v...)
	for i, next := range append(append(p2, m2...), v2...) {
		state = append(state, Where(BroadcastToShape(finite, next.Shape()), next, old[i]))
	}
	return state, norm
}

// fused: params, m, v, step, lr, teacher…, batch… → params, m, v, norm, report.
func (s graphs) fused(c *device.Client) (*device.Program, error) {
	n := s.params()
	p := lm.Shapes(s.config)
	in := concat(p, p, p, []shapes.Shape{device.Float32(), device.Float32()}, s.teacherShapes(), s.batchShapes())
	return c.Compile("train_"+s.objective.Key(), in, identity(3*n), func(x []*Node) []*Node {
		rest := x[3*n+2:]
		grads, report := s.gradients(x[:n], rest[:len(s.teacherShapes())], rest[len(s.teacherShapes()):])
		state, norm := s.update(x[:n], x[n:2*n], x[2*n:3*n], grads, x[3*n], x[3*n+1])
		return append(state, norm, report)
	})
}

// accumulate: accumulator, params, teacher…, batch… → accumulator + gradient, report.
func (s graphs) accumulate(c *device.Client) (*device.Program, error) {
	n := s.params()
	p := lm.Shapes(s.config)
	in := concat(p, p, s.teacherShapes(), s.batchShapes())
	return c.Compile("accumulate_"+s.objective.Key(), in, identity(n), func(x []*Node) []*Node {
		rest := x[2*n:]
		grads, report := s.gradients(x[n:2*n], rest[:len(s.teacherShapes())], rest[len(s.teacherShapes()):])
		out := make([]*Node, n)
		for i, g := range grads {
			out[i] = Add(x[i], g)
		}
		return append(out, report)
	})
}

// apply: params, m, v, accumulator, step, lr → params, m, v, zeroed accumulator, norm.
func (s graphs) apply(c *device.Client) (*device.Program, error) {
	n := s.params()
	p := lm.Shapes(s.config)
	in := concat(p, p, p, p, []shapes.Shape{device.Float32(), device.Float32()})
	return c.Compile("apply", in, identity(4*n), func(x []*Node) []*Node {
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

func concat(groups ...[]shapes.Shape) []shapes.Shape {
	var out []shapes.Shape
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}
