package objective_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"temper/device"
	"temper/device/devicetest"
	"temper/objective"
)

const (
	rows, time, vocab = 2, 5, 7
)

// batch is a random batch on the host. Row 0 holds two segments, row 1 one and padding.
type batch struct {
	logits, teacher                           []float32
	targets, segments                         []int32
	weight, advantage, oldLogProb, refLogProb []float32
}

func randomBatch(seed uint64) batch {
	r := rand.New(rand.NewPCG(seed, 1))
	normal := func(n int, scale float64) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(r.NormFloat64() * scale)
		}
		return out
	}
	b := batch{logits: normal(rows*time*vocab, 1.5), teacher: normal(rows*time*vocab, 1.5), advantage: normal(rows*time, 1),
		segments: []int32{1, 1, 2, 2, 2, 1, 1, 1, 0, 0}, weight: []float32{0, .25, 0, .1, .2, 0, .3, .15, 0, 0}}
	for i := range rows * time {
		b.targets = append(b.targets, int32(r.IntN(vocab)))
		lp := float32(b.logp(i, 1))
		b.oldLogProb = append(b.oldLogProb, lp+float32(r.NormFloat64()*0.4))
		b.refLogProb = append(b.refLogProb, lp+float32(r.NormFloat64()*0.4))
	}
	return b
}

// softmaxLog gives the log-probabilities at a place.
func softmaxLog(logits []float32, at int, temperature float64) []float64 {
	out := make([]float64, vocab)
	total := 0.0
	for v := range out {
		out[v] = float64(logits[at*vocab+v]) / temperature
		total += math.Exp(out[v])
	}
	for v := range out {
		out[v] -= math.Log(total)
	}
	return out
}

func (b batch) logp(at int, temperature float64) float64 {
	return softmaxLog(b.logits, at, temperature)[b.targets[at]]
}

func (b batch) entropy(at int, temperature float64) float64 {
	h := 0.0
	for _, l := range softmaxLog(b.logits, at, temperature) {
		h -= math.Exp(l) * l
	}
	return h
}

// evaluate runs an objective on the device.
func evaluate(t require.TestingT, c *device.Client, o objective.Objective, b batch) (loss float64, metrics []float64) {
	in := []shapes.Shape{device.Float32(rows, time, vocab), device.Float32(rows, time, vocab), device.Int32(rows, time), device.Int32(rows, time)}
	for range 4 {
		in = append(in, device.Float32(rows, time))
	}
	p, err := c.Compile("objective", in, nil, func(x []*graph.Node) []*graph.Node {
		loss, sums := o.Loss(objective.Batch{Logits: x[0], TeacherLogits: x[1], Targets: x[2], Segments: x[3], Weight: x[4],
			Columns: map[string]*graph.Node{objective.Advantage: x[5], objective.OldLogProb: x[6], objective.RefLogProb: x[7]}})
		return append([]*graph.Node{loss}, sums...)
	})
	require.NoError(t, err)
	defer p.Close()
	var buffers []*device.Buffer
	add := func(b *device.Buffer, err error) {
		require.NoError(t, err)
		buffers = append(buffers, b)
	}
	add(device.Upload(c, b.logits, rows, time, vocab))
	add(device.Upload(c, b.teacher, rows, time, vocab))
	add(device.Upload(c, b.targets, rows, time))
	add(device.Upload(c, b.segments, rows, time))
	for _, f := range [][]float32{b.weight, b.advantage, b.oldLogProb, b.refLogProb} {
		add(device.Upload(c, f, rows, time))
	}
	out, err := p.Run(buffers...)
	require.NoError(t, err)
	require.Len(t, out, 1+len(o.Metrics()))
	for i, o := range out {
		v, err := device.Download[float32](o)
		require.NoError(t, err)
		if i == 0 {
			loss = float64(v[0])
		} else {
			metrics = append(metrics, float64(v[0]))
		}
	}
	return loss, metrics
}

func TestSFTIsWeightedNegativeLogLikelihood(t *testing.T) {
	b := randomBatch(1)
	want := 0.0
	for i, w := range b.weight {
		want -= float64(w) * b.logp(i, 1)
	}
	got, _ := evaluate(t, devicetest.Client(t), objective.SFT{}, b)
	require.InDelta(t, want, got, 1e-5)
}

// The graph equals its plain-Go twin for every member of the policy family.
func TestPolicyEqualsReference(t *testing.T) {
	c := devicetest.Client(t)
	for _, p := range []objective.Policy{
		{Ratio: "token", Temperature: 1},
		{Ratio: "token", ClipLow: 0.2, ClipHigh: 0.28, Temperature: 1},
		{Ratio: "token", ClipHigh: 0.1, Temperature: 0.7, EntropyCoef: 0.05},
		{Ratio: "sequence", ClipLow: 0.05, ClipHigh: 0.05, Temperature: 1},
		{Ratio: "none", Temperature: 1, KLCoef: 0.3, KLEstimator: "k1"},
		{Ratio: "token", Temperature: 1, KLCoef: 0.3, KLEstimator: "k2"},
		{Ratio: "token", ClipLow: 0.2, ClipHigh: 0.2, Temperature: 1, KLCoef: 0.3, KLEstimator: "k3"},
	} {
		b := randomBatch(2)
		want, entropy, n := 0.0, 0.0, 0.0
		for i, w := range b.weight {
			if w == 0 {
				continue
			}
			sequence, tokens := 0.0, 0.0
			for j, other := range b.weight {
				if other > 0 && i/time == j/time && b.segments[i] == b.segments[j] {
					sequence += b.logp(j, p.Temperature) - float64(b.oldLogProb[j])
					tokens++
				}
			}
			want += float64(w) * p.Reference(b.logp(i, p.Temperature), float64(b.oldLogProb[i]), float64(b.refLogProb[i]), float64(b.advantage[i]),
				b.entropy(i, p.Temperature), sequence/tokens)
			entropy += b.entropy(i, p.Temperature)
			n++
		}
		got, metrics := evaluate(t, c, p, b)
		require.InDelta(t, want, got, 2e-5, "%+v", p)
		require.InDelta(t, entropy, metrics[0], 1e-4, "entropy of %+v", p)
	}
}

func TestDistillEqualsReference(t *testing.T) {
	c := devicetest.Client(t)
	b := randomBatch(3)
	for _, d := range []objective.Distill{{Divergence: "forward"}, {Divergence: "reverse"}, {Divergence: "jsd"}, {Divergence: "forward", LikelihoodCoef: 0.5}} {
		want := 0.0
		for i, w := range b.weight {
			q, p := softmaxLog(b.logits, i, 1), softmaxLog(b.teacher, i, 1)
			value := -d.LikelihoodCoef * q[b.targets[i]]
			for v := range q {
				eq, ep := math.Exp(q[v]), math.Exp(p[v])
				switch d.Divergence {
				case "forward":
					value += ep * (p[v] - q[v])
				case "reverse":
					value += eq * (q[v] - p[v])
				default:
					m := math.Log((eq + ep) / 2)
					value += (ep*(p[v]-m) + eq*(q[v]-m)) / 2
				}
			}
			want += float64(w) * value
		}
		got, _ := evaluate(t, c, d, b)
		require.InDelta(t, want, got, 2e-5, "%+v", d)
	}
}

func TestAdvantagesByHand(t *testing.T) {
	rewards := [][]float64{{1, 0, 0, 1}, {1, 1, 1, 1}, {0, 2}}
	std := math.Sqrt((4 * 0.25) / 3.0)
	for _, c := range []struct {
		rule objective.AdvantageRule
		want [][]float64
	}{
		{objective.AdvantageRule{Baseline: "group_mean", Positive: 1, Negative: 1}, [][]float64{{.5, -.5, -.5, .5}, {0, 0, 0, 0}, {-1, 1}}},
		{objective.AdvantageRule{Baseline: "rloo", Positive: 1, Negative: 1}, [][]float64{{2. / 3, -2. / 3, -2. / 3, 2. / 3}, {0, 0, 0, 0}, {-2, 2}}},
		{objective.AdvantageRule{Baseline: "none", Positive: 1, Negative: 1}, rewards},
		{objective.AdvantageRule{Baseline: "group_mean", Scale: "group_std", Positive: 1, Negative: 1},
			[][]float64{{.5 / (std + 1e-4), -.5 / (std + 1e-4), -.5 / (std + 1e-4), .5 / (std + 1e-4)}, {0, 0, 0, 0}, {-1 / (math.Sqrt2 + 1e-4), 1 / (math.Sqrt2 + 1e-4)}}},
		{objective.AdvantageRule{Baseline: "group_mean", Positive: 0.1, Negative: 1}, [][]float64{{.05, -.5, -.5, .05}, {0, 0, 0, 0}, {-1, .1}}},
	} {
		got := c.rule.Compute(rewards)
		for i := range c.want {
			require.InDeltaSlice(t, c.want[i], got[i], 1e-12, "%+v", c.rule)
		}
	}
}

// A mean baseline makes the advantages of a group add up to zero, and leave-one-out is n/(n−1) of it.
func TestAdvantageProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rewards := [][]float64{rapid.SliceOfN(rapid.Float64Range(-5, 5), 2, 16).Draw(rt, "rewards")}
		n := float64(len(rewards[0]))
		mean := objective.AdvantageRule{Baseline: "group_mean", Positive: 1, Negative: 1}.Compute(rewards)[0]
		rloo := objective.AdvantageRule{Baseline: "rloo", Positive: 1, Negative: 1}.Compute(rewards)[0]
		total := 0.0
		for i, a := range mean {
			total += a
			require.InDelta(rt, a*n/(n-1), rloo[i], 1e-9)
		}
		require.InDelta(rt, 0, total, 1e-9)
	})
}
