package train_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"temper/device"
	"temper/device/devicetest"
	"temper/lm"
	"temper/lm/hf"
	"temper/objective"
	"temper/train"
)

func tiny() hf.Config {
	return hf.Config{Architecture: hf.Qwen3, ModelType: "qwen3", QKNorm: true, VocabSize: 32, Hidden: 16, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 8, FFN: 24,
		NormEps: 1e-6, RopeTheta: 10000, MaxPositions: 64, TieEmbeddings: true, BOS: 1, PAD: 0, EOS: []int{2}, InitializerRange: 0.2, Dtype: "float32"}
}

func newState(t *testing.T, c *device.Client, seed uint64) *train.State {
	t.Helper()
	s, err := train.NewState(c, &hf.Model{Config: tiny(), Tensors: lm.Init(tiny(), seed)})
	require.NoError(t, err)
	return s
}

func demos(seed uint64, n int) []train.Demo {
	r := rand.New(rand.NewPCG(seed, 0))
	out := make([]train.Demo, n)
	for i := range out {
		for range 2 + r.IntN(4) {
			out[i].Prompt = append(out[i].Prompt, int32(3+r.IntN(29)))
		}
		for range 1 + r.IntN(8) {
			out[i].Response = append(out[i].Response, int32(3+r.IntN(29)))
		}
		out[i].Response = append(out[i].Response, 2)
	}
	return out
}

var adam = train.Optimizer{Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, WeightDecay: 0.1, ClipNorm: 1}

func flat(t *testing.T, s *train.State) []float32 {
	t.Helper()
	m, err := lm.Download(s.Config.Tensors(), s.Params)
	require.NoError(t, err)
	var out []float32
	for _, spec := range s.Config.Tensors() {
		out = append(out, m[spec.Name].Data...)
	}
	return out
}

// However the examples are laid out (packed or one a row, one micro-batch or many), the update is the same.
func TestUpdateDoesNotDependOnTheLayout(t *testing.T) {
	c := devicetest.Client(t)
	trainer := train.NewTrainer(c)
	examples := train.Demonstrations(demos(1, 13), true)
	// Clipping compares one number; the gradient itself is read off the first moment, for AdamW's first step loses its size.
	update := func(l train.Layout) (train.Result, []float32) {
		s := newState(t, c, 1)
		defer s.Free()
		batches, err := train.Pack(examples, l, nil)
		require.NoError(t, err)
		r, err := trainer.Update(s, train.Settings{Objective: objective.SFT{}, Optimizer: adam}, 1e-3, nil, batches...)
		require.NoError(t, err)
		saved, err := s.SaveOptimizer()
		require.NoError(t, err)
		var grad []float32
		for _, m := range saved.Tensors[:len(saved.Tensors)/2] {
			grad = append(grad, m.Data...)
		}
		return r, grad
	}
	want, grad := update(train.Layout{Rows: 16, Length: 16})
	for _, l := range []train.Layout{{Rows: 4, Length: 16}, {Rows: 0, Length: 32, Packing: true}} {
		r, g := update(l)
		require.InDelta(t, want.Loss, r.Loss, 1e-5, "%+v", l)
		require.InEpsilon(t, want.GradNorm, r.GradNorm, 1e-4, "%+v", l)
		require.Equal(t, want.Tokens, r.Tokens)
		worst, size := 0.0, 0.0
		for i := range grad {
			worst = math.Max(worst, math.Abs(float64(grad[i]-g[i])))
			size = math.Max(size, math.Abs(float64(grad[i])))
		}
		require.Less(t, worst/size, 1e-4, "%+v", l)
	}
}

// Whatever the demonstrations and however they are split into micro-batches and packed into rows, the gradient is the same.
func TestGradientDoesNotDependOnTheSplit(t *testing.T) {
	c := devicetest.Client(t)
	trainer := train.NewTrainer(c)
	s := newState(t, c, 1)
	defer s.Free()
	layouts := []train.Layout{{Rows: 1, Length: 16}, {Rows: 4, Length: 16}, {Rows: 2, Length: 32, Packing: true}, {Rows: 4, Length: 64, Packing: true}}
	rapid.Check(t, func(rt *rapid.T) {
		examples := train.Demonstrations(demos(rapid.Uint64().Draw(rt, "seed"), rapid.IntRange(1, 24).Draw(rt, "demonstrations")), rapid.Bool().Draw(rt, "mask"))
		gradient := func(l train.Layout) (map[string]hf.Tensor, float64) {
			batches, err := train.Pack(examples, l, nil)
			require.NoError(rt, err)
			g, loss, err := trainer.Gradient(s, train.Settings{Objective: objective.SFT{}}, batches...)
			require.NoError(rt, err)
			return g, loss
		}
		want, loss := gradient(layouts[0])
		got, again := gradient(rapid.SampledFrom(layouts[1:]).Draw(rt, "layout"))
		require.InEpsilon(rt, loss, again, 1e-5)
		for name, w := range want {
			var difference, size float64
			for i := range w.Data {
				d := float64(w.Data[i]) - float64(got[name].Data[i])
				difference, size = difference+d*d, size+float64(w.Data[i])*float64(w.Data[i])
			}
			require.LessOrEqual(rt, math.Sqrt(difference), 1e-4*math.Sqrt(size), name)
		}
	})
}

// AdamW on the device equals AdamW by hand, over several steps with decay and clipping.
func TestAdamWByHand(t *testing.T) {
	c := devicetest.Client(t)
	trainer := train.NewTrainer(c)
	s := newState(t, c, 2)
	batches, err := train.Pack(train.Demonstrations(demos(2, 4), true), train.Layout{Length: 16}, nil)
	require.NoError(t, err)
	config := tiny()
	theta := toFloat64(flat(t, s))
	m, v := make([]float64, len(theta)), make([]float64, len(theta))
	var decays []bool
	for _, spec := range config.Tensors() {
		n := 1
		for _, d := range spec.Dims {
			n *= d
		}
		for range n {
			decays = append(decays, len(spec.Dims) > 1)
		}
	}
	for step := 1; step <= 3; step++ {
		// The gradient by itself: a fresh optimizer's first moment after one step without clipping is (1−β₁)·g.
		probe := newState(t, c, 2)
		replace(t, c, probe, theta)
		r, err := trainer.Update(probe, train.Settings{Objective: objective.SFT{}, Optimizer: train.Optimizer{Beta1: 0.5, Beta2: 0.5, Epsilon: 1}}, 0, nil, batches...)
		require.NoError(t, err)
		saved, err := probe.SaveOptimizer()
		require.NoError(t, err)
		var g []float64
		for _, x := range saved.Tensors[:len(saved.Tensors)/2] {
			for _, y := range x.Data {
				g = append(g, 2*float64(y))
			}
		}
		scale := math.Min(1, adam.ClipNorm/r.GradNorm)
		for i := range theta {
			m[i] = 0.9*m[i] + 0.1*g[i]*scale
			v[i] = 0.95*v[i] + 0.05*g[i]*g[i]*scale*scale
			u := m[i] / (1 - math.Pow(0.9, float64(step))) / (math.Sqrt(v[i]/(1-math.Pow(0.95, float64(step)))) + 1e-8)
			if decays[i] {
				u += 0.1 * theta[i]
			}
			theta[i] -= 1e-2 * u
		}
		_, err = trainer.Update(s, train.Settings{Objective: objective.SFT{}, Optimizer: adam}, 1e-2, nil, batches...)
		require.NoError(t, err)
		probe.Free()
	}
	off := 0
	for i, got := range flat(t, s) {
		// Where a gradient is next to nothing, its sign is noise and AdamW's step is not.
		if math.Abs(theta[i]-float64(got)) > 2e-3 {
			off++
		}
	}
	require.Less(t, off, len(theta)/200)
}

func toFloat64(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func replace(t *testing.T, c *device.Client, s *train.State, values []float64) {
	t.Helper()
	for i, spec := range s.Config.Tensors() {
		n := s.Params[i].Shape.Size()
		data := make([]float32, n)
		for j := range data {
			data[j] = float32(values[j])
		}
		values = values[n:]
		b, err := device.Upload(c, data, spec.Dims...)
		require.NoError(t, err)
		s.Params[i].Free()
		s.Params[i] = b
	}
}

// A state saved and loaded goes on to the same bits.
func TestOptimizerRoundTrip(t *testing.T) {
	c := devicetest.Client(t)
	trainer := train.NewTrainer(c)
	batches, err := train.Pack(train.Demonstrations(demos(3, 6), false), train.Layout{Length: 16}, nil)
	require.NoError(t, err)
	step := func(s *train.State) {
		for _, side := range []bool{false, true} {
			_, err := trainer.Update(s, train.Settings{Objective: objective.SFT{}, Optimizer: adam, Side: side}, 1e-3, nil, batches...)
			require.NoError(t, err)
		}
	}
	a := newState(t, c, 3)
	step(a)
	step(a)
	model, err := lm.Download(a.Config.Tensors(), a.Params)
	require.NoError(t, err)
	saved, err := a.SaveOptimizer()
	require.NoError(t, err)
	require.Equal(t, map[string]int{"main.": 2, "side.": 2}, saved.Steps)
	b, err := train.NewState(c, &hf.Model{Config: tiny(), Tensors: model})
	require.NoError(t, err)
	require.NoError(t, b.LoadOptimizer(c, saved))
	step(a)
	step(b)
	require.Equal(t, flat(t, a), flat(t, b))
}

// A gradient that is not finite changes nothing and is reported.
func TestNonFiniteGradientLeavesTheState(t *testing.T) {
	c := devicetest.Client(t)
	trainer := train.NewTrainer(c)
	s := newState(t, c, 4)
	before := flat(t, s)
	examples := train.Demonstrations(demos(4, 4), true)
	examples[0].Weight[len(examples[0].Weight)-1] = float32(math.Inf(1))
	for _, rows := range []int{0, 2} {
		batches, err := train.Pack(examples, train.Layout{Rows: rows, Length: 16}, nil)
		require.NoError(t, err)
		_, err = trainer.Update(s, train.Settings{Objective: objective.SFT{}, Optimizer: adam}, 1e-3, nil, batches...)
		require.ErrorIs(t, err, train.ErrNonFinite)
		require.Equal(t, before, flat(t, s))
		require.Zero(t, s.Main.Step)
	}
}

// A student that distils moves towards its teacher.
func TestDistillationReducesDivergence(t *testing.T) {
	c := devicetest.Client(t)
	trainer := train.NewTrainer(c)
	teacher, student := newState(t, c, 5), newState(t, c, 6)
	batches, err := train.Pack(train.Demonstrations(demos(5, 8), true), train.Layout{Length: 16}, nil)
	require.NoError(t, err)
	var first, last float64
	for i := range 30 {
		r, err := trainer.Update(student, train.Settings{Objective: objective.Distill{Divergence: "forward"}, Optimizer: adam}, 1e-2, teacher, batches...)
		require.NoError(t, err)
		if i == 0 {
			first = r.Metrics["divergence"]
		}
		last = r.Metrics["divergence"]
	}
	require.Less(t, last, first/3)
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		s    train.Schedule
		want map[int]float64
	}{
		{train.Schedule{Kind: "constant", Peak: 2, Warmup: 4}, map[int]float64{0: 0.5, 3: 2, 4: 2, 1000: 2}},
		{train.Schedule{Kind: "linear", Peak: 1, Total: 10, FinalRatio: 0.1}, map[int]float64{0: 1, 5: 0.55, 10: 0.1, 20: 0.1}},
		{train.Schedule{Kind: "wsd", Peak: 1, Warmup: 2, Total: 100, Decay: 20, FinalRatio: 0.2}, map[int]float64{0: 0.5, 2: 1, 79: 1, 80: 1, 90: 0.6, 100: 0.2, 200: 0.2}},
		{train.Schedule{Kind: "wsd", Peak: 1, Warmup: 5, Total: 10, Decay: 50}, map[int]float64{4: 1, 5: 1, 10: 0}},
		{train.Schedule{Kind: "cosine", Peak: 1, Warmup: 2, Total: 12}, map[int]float64{0: 0.5, 2: 1, 7: 0.5, 12: 0}},
	} {
		for step, want := range c.want {
			require.InDelta(t, want, c.s.At(step), 1e-12, "%+v at %d", c.s, step)
		}
	}
}

// The weights of a policy update add up to what the aggregation promises.
func TestPolicyWeights(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var groups []train.Group
		samples, tokens := 0, 0
		for range rapid.IntRange(1, 4).Draw(rt, "groups") {
			g := train.Group{Prompt: []int32{1, 5}}
			for i := range rapid.IntRange(2, 5).Draw(rt, "samples") {
				n := rapid.IntRange(1, 9).Draw(rt, "tokens")
				g.Samples = append(g.Samples, train.Scored{Tokens: make([]int32, n), LogProbs: make([]float32, n), Reward: float64(i % 2)})
				samples++
				tokens += n
			}
			groups = append(groups, g)
		}
		for aggregate, want := range map[string]float64{"token": 1, "sequence": 1, "dr": float64(tokens) / float64(samples*10)} {
			examples, err := train.PolicyExamples(groups, train.PolicyRule{Advantage: objective.AdvantageRule{Baseline: "group_mean", Positive: 1, Negative: 1}, Aggregate: aggregate, MaxTokens: 10})
			require.NoError(rt, err)
			require.Len(rt, examples, samples)
			total := 0.0
			for _, e := range examples {
				require.Zero(rt, e.Weight[1], "prompts are not trained")
				for _, w := range e.Weight {
					total += float64(w)
				}
			}
			require.InDelta(rt, want, total, 1e-5, aggregate)
		}
	})
}
