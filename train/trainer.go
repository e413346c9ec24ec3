package train

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"temper/device"
	"temper/lm"
	"temper/objective"
)

// ErrNonFinite means that an update's gradient was NaN or infinite. The state was left as it was before the update.
var ErrNonFinite = errors.New("gradient is not finite")

// Settings choose the compiled step.
type Settings struct {
	Objective  objective.Objective
	Optimizer  Optimizer
	Side       bool // use the state's side optimizer, for updates interleaved with those of the main one
	Checkpoint bool // recompute activations in the backward pass: less memory, more time
	Half       bool // compute in bfloat16; parameters, gradients and moments stay in float32
}

// Result is what one update reports: means over its trained tokens, in nats where they are log-probabilities.
type Result struct {
	Loss     float64            `json:"loss"`
	GradNorm float64            `json:"grad_norm"`
	Tokens   int                `json:"tokens"`
	Metrics  map[string]float64 `json:"metrics,omitempty"`
}

// Trainer compiles steps and applies updates. It keeps the programs it has compiled; it is safe for concurrent use by different states.
type Trainer struct {
	client   *device.Client
	mu       sync.Mutex
	programs map[programKey]*device.Program
}

// NewTrainer makes a trainer for a device.
func NewTrainer(c *device.Client) *Trainer {
	return &Trainer{client: c, programs: map[programKey]*device.Program{}}
}

// Update applies one optimizer step on the sum of the micro-batches' losses. All micro-batches have one shape. teacher is nil unless the
// objective distils.
func (t *Trainer) Update(s *State, set Settings, lr float64, teacher *State, batches ...*Batch) (Result, error) {
	if len(batches) == 0 {
		return Result{}, errors.New("update: no batch")
	}
	batches = padded(batches, t.client.Devices())
	g := graphs{config: s.Config, devices: t.client.Devices(), rows: batches[0].Rows, length: batches[0].Length, objective: set.Objective, optimizer: set.Optimizer,
		checkpoint: set.Checkpoint, half: set.Half}
	if s.Adapter != nil {
		g.adapter = &s.Adapter.Adapter
	}
	others := s.frozen()
	if teacher != nil {
		params, free, err := spread(t.client, teacher.Params)
		if err != nil {
			return Result{}, err
		}
		defer free()
		g.teacher, others = &teacher.Config, join(others, params)
	}
	sums, result := []float64(nil), Result{}
	for _, b := range batches {
		if b.Rows != g.rows || b.Length != g.length {
			return Result{}, fmt.Errorf("update: micro-batches of different shapes, %d×%d and %d×%d", g.rows, g.length, b.Rows, b.Length)
		}
		result.Tokens += b.Trained()
	}
	moments := s.Main
	if set.Side {
		if s.Side == nil {
			s.Side = &Moments{}
		}
		moments = s.Side
	}
	if err := moments.allocate(t.client, s.specs()); err != nil {
		return Result{}, err
	}
	step, err := device.UploadAs(t.client, device.Whole, []float32{float32(moments.Step + 1)})
	if err != nil {
		return Result{}, err
	}
	defer step.Free()
	rate, err := device.UploadAs(t.client, device.Whole, []float32{float32(lr)})
	if err != nil {
		return Result{}, err
	}
	defer rate.Free()

	var norm float32
	if len(batches) == 1 {
		norm, sums, err = t.fused(s, moments, g, others, step, rate, batches[0])
	} else {
		norm, sums, err = t.accumulated(s, moments, g, others, step, rate, batches)
	}
	if err != nil {
		return Result{}, err
	}
	result.GradNorm, result.Loss = float64(norm), sums[0]
	result.Metrics = map[string]float64{}
	for i, name := range set.Objective.Metrics() {
		result.Metrics[name] = sums[1+i] / float64(max(1, result.Tokens))
	}
	if math.IsNaN(result.GradNorm) || math.IsInf(result.GradNorm, 0) {
		return result, fmt.Errorf("update %d: %w (loss %g): the state is unchanged", moments.Step+1, ErrNonFinite, result.Loss)
	}
	moments.Step++
	s.Adapter.changed()
	return result, nil
}

func (t *Trainer) fused(s *State, m *Moments, g graphs, others []*device.Buffer, step, rate *device.Buffer, b *Batch) (float32, []float64, error) {
	program, err := t.program("fused", g, func() (*device.Program, error) { return g.fused(t.client) })
	if err != nil {
		return 0, nil, err
	}
	batch, err := b.upload(t.client, device.Rows, g.objective)
	if err != nil {
		return 0, nil, err
	}
	defer device.FreeAll(batch...)
	trained := s.trained()
	n := len(*trained)
	out, err := program.Run(join(*trained, m.M, m.V, []*device.Buffer{step, rate}, others, batch)...)
	if err != nil {
		return 0, nil, err
	}
	*trained, m.M, m.V = out[:n], out[n:2*n], out[2*n:3*n]
	norm, report := out[3*n], out[3*n+1]
	defer device.FreeAll(norm, report)
	return readReport(norm, report, nil)
}

func (t *Trainer) accumulated(s *State, m *Moments, g graphs, others []*device.Buffer, step, rate *device.Buffer, batches []*Batch) (float32, []float64, error) {
	accumulate, err := t.program("accumulate", g, func() (*device.Program, error) { return g.accumulate(t.client) })
	if err != nil {
		return 0, nil, err
	}
	apply, err := t.program("apply", g, func() (*device.Program, error) { return g.apply(t.client) })
	if err != nil {
		return 0, nil, err
	}
	if s.accumulator == nil {
		if s.accumulator, err = zeros(t.client, s.specs()); err != nil {
			return 0, nil, err
		}
	}
	trained := s.trained()
	n := len(*trained)
	var sums []float64
	for _, b := range batches {
		out, values, err := t.accumulate(accumulate, s.accumulator, *trained, others, b, g.objective)
		if err != nil {
			return 0, nil, err
		}
		s.accumulator = out
		sums = addSums(sums, values)
	}
	out, err := apply.Run(join(*trained, m.M, m.V, s.accumulator, []*device.Buffer{step, rate})...)
	if err != nil {
		return 0, nil, err
	}
	*trained, m.M, m.V, s.accumulator = out[:n], out[n:2*n], out[2*n:3*n], out[3*n:4*n]
	defer out[4*n].Free()
	return readReport(out[4*n], nil, sums)
}

// accumulate adds the gradient of one micro-batch to total, which it consumes, and reports the batch's sums.
func (t *Trainer) accumulate(p *device.Program, total, trained, others []*device.Buffer, b *Batch, o objective.Objective) ([]*device.Buffer, []float32, error) {
	batch, err := b.upload(t.client, device.Rows, o)
	if err != nil {
		return nil, nil, err
	}
	defer device.FreeAll(batch...)
	out, err := p.Run(join(total, trained, others, batch)...)
	if err != nil {
		return nil, nil, err
	}
	report := out[len(total)]
	defer report.Free()
	values, err := device.Download[float32](report)
	return out[:len(total)], values, err
}

// readReport downloads the gradient norm, and the report unless its sums are known already.
func readReport(norm, report *device.Buffer, sums []float64) (float32, []float64, error) {
	if report != nil {
		values, err := device.Download[float32](report)
		if err != nil {
			return 0, nil, err
		}
		sums = addSums(nil, values)
	}
	values, err := device.Download[float32](norm)
	if err != nil {
		return 0, nil, err
	}
	return values[0], sums, nil
}

func addSums(sums []float64, values []float32) []float64 {
	if sums == nil {
		sums = make([]float64, len(values))
	}
	for i, v := range values {
		sums[i] += float64(v)
	}
	return sums
}

func (t *Trainer) program(kind string, g graphs, build func() (*device.Program, error)) (*device.Program, error) {
	key := programKey{kind: kind, config: lm.ConfigKey(g.config), rows: g.rows, length: g.length, objective: g.objective.Key(), optimizer: g.optimizer,
		checkpoint: g.checkpoint, half: g.half}
	if g.adapter != nil {
		key.adapter = fmt.Sprintf("%d %g %v", g.adapter.Rank, g.adapter.Scale(), g.adapter.Targets)
	}
	if g.teacher != nil {
		key.teacher = lm.ConfigKey(*g.teacher)
	}
	if kind == "apply" || kind == "merge" {
		key.rows, key.length, key.objective, key.teacher = 0, 0, "", ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p, ok := t.programs[key]; ok {
		return p, nil
	}
	p, err := build()
	if err != nil {
		return nil, err
	}
	t.programs[key] = p
	return p, nil
}

func join(groups ...[]*device.Buffer) []*device.Buffer {
	var out []*device.Buffer
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}
