// Package side is temper's side of the benchmarks: each function does one piece of work and says how long it took.
package side

import (
	"math/rand/v2"
	"sync"
	"time"

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
	"temper/objective"
	"temper/train"
)

// Times are the seconds of each repetition, the first (which compiles) left out.
type Times struct {
	Compile float64   `json:"compile_seconds"`
	Seconds []float64 `json:"seconds"`
}

// Train times optimizer steps (AdamW, no clipping) on random tokens, in float32.
func Train(c *device.Client, config hf.Config, rows, length, steps int) (Times, error) {
	return trainSteps(c, config, rows, length, steps, train.Settings{})
}

// TrainHalf is Train in bfloat16, with activations recomputed in the backward pass.
func TrainHalf(c *device.Client, config hf.Config, rows, length, steps int) (Times, error) {
	return trainSteps(c, config, rows, length, steps, train.Settings{Half: true, Checkpoint: true})
}

func trainSteps(c *device.Client, config hf.Config, rows, length, steps int, settings train.Settings) (Times, error) {
	state, err := train.NewState(c, &hf.Model{Config: config, Tensors: weights(c, config)})
	if err != nil {
		return Times{}, err
	}
	defer state.Free()
	r := rand.New(rand.NewPCG(7, 7))
	b := train.NewBatch(rows, length, nil)
	for i := range b.Tokens {
		b.Tokens[i], b.Targets[i] = int32(r.IntN(config.VocabSize)), int32(r.IntN(config.VocabSize))
		b.Positions[i], b.Segments[i], b.Weight[i] = int32(i%length), 1, 1/float32(rows*length)
	}
	settings.Objective, settings.Optimizer = objective.SFT{}, train.Optimizer{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01}
	trainer := train.NewTrainer(c)
	return timed(steps, func() error {
		_, err := trainer.Update(state, settings, 1e-3, nil, b)
		return err
	})
}

// drawn are the last random weights: drawing those of a large model takes longer than its steps.
var drawn struct {
	sync.Mutex
	config  string
	tensors map[string]hf.Tensor
}

// weights are random ones, or zeros that nobody reads where the device is not there.
func weights(c *device.Client, config hf.Config) map[string]hf.Tensor {
	drawn.Lock()
	defer drawn.Unlock()
	if !c.Absent() && drawn.config != lm.ConfigKey(config) {
		drawn.config, drawn.tensors = lm.ConfigKey(config), lm.Init(config, 1)
	}
	if !c.Absent() {
		return drawn.tensors
	}
	out := map[string]hf.Tensor{}
	for _, spec := range config.Tensors() {
		out[spec.Name] = hf.Tensor{Name: spec.Name, Dims: spec.Dims, Data: make([]float32, device.Float32(spec.Dims...).Size())}
	}
	return out
}

func timed(n int, work func() error) (Times, error) {
	var t Times
	for i := range n + 1 {
		start := time.Now()
		if err := work(); err != nil {
			return t, err
		}
		if s := time.Since(start).Seconds(); i == 0 {
			t.Compile = s
		} else {
			t.Seconds = append(t.Seconds, s)
		}
	}
	return t, nil
}
