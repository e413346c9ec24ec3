package lm_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/lm"
	"temper/lm/hf"
	"temper/rollout"
)

// chunked runs generations in chunks, as a server would.
type chunked struct {
	t              *testing.T
	c              *device.Client
	config         hf.Config
	params, packed []*device.Buffer
	programs       map[string]*device.Program
}

func newChunked(t *testing.T, c *device.Client, model *hf.Model) *chunked {
	params, err := lm.Upload(c, model)
	require.NoError(t, err)
	x := &chunked{t: t, c: c, config: model.Config, params: params, programs: map[string]*device.Program{}}
	if c.Kernels() {
		p := x.compile("pack", lm.Shapes(x.config), nil, func(in []*graph.Node) []*graph.Node { return lm.Pack(x.config, in) })
		x.packed = x.run(p, params...)
	}
	return x
}

func (x *chunked) compile(name string, in []shape, reuse map[int]int, f func([]*graph.Node) []*graph.Node) *device.Program {
	x.t.Helper()
	key := fmt.Sprint(name, in)
	if p, ok := x.programs[key]; ok {
		return p
	}
	p, err := x.c.Compile(name, in, reuse, f)
	require.NoError(x.t, err)
	x.t.Cleanup(p.Close)
	x.programs[key] = p
	return p
}

func (x *chunked) run(p *device.Program, in ...*device.Buffer) []*device.Buffer {
	x.t.Helper()
	out, err := p.Run(in...)
	require.NoError(x.t, err)
	return out
}

func ints(t *testing.T, c *device.Client, values []int32, dims ...int) *device.Buffer {
	t.Helper()
	b, err := device.Upload(c, values, dims...)
	require.NoError(t, err)
	return b
}

// logits are those of a forward pass.
func (x *chunked) logits(ids []int32) [][]float32 {
	const width = 64
	n, row := len(x.params), device.Int32(1, width)
	p := x.compile("logits", append(lm.Shapes(x.config), row, row, row), nil, func(in []*graph.Node) []*graph.Node {
		w := lm.Bind(x.config, in[:n])
		return []*graph.Node{lm.Logits(w, lm.Hidden(x.config, w, in[n], in[n+1], in[n+2], false))}
	})
	tokens, positions, segments := make([]int32, width), make([]int32, width), make([]int32, width)
	copy(tokens, ids)
	for i := range ids {
		positions[i], segments[i] = int32(i), 1
	}
	out := x.run(p, append(slices.Clone(x.params), ints(x.t, x.c, tokens, 1, width), ints(x.t, x.c, positions, 1, width), ints(x.t, x.c, segments, 1, width))...)
	flat, err := device.Download[float32](out[0])
	require.NoError(x.t, err)
	return slices.Collect(slices.Chunk(flat[:len(ids)*x.config.VocabSize], x.config.VocabSize))
}

// start reads a prompt into a state of capacity width.
func (x *chunked) start(prompt []int32, width int) []*device.Buffer {
	n := len(x.params)
	p := x.compile("start", append(lm.Shapes(x.config), device.Int32(1, width), device.Int32(1)), nil, func(in []*graph.Node) []*graph.Node {
		return lm.Start(x.config, in[:n], in[n], in[n+1])
	})
	padded := append(slices.Clone(prompt), make([]int32, width-len(prompt))...)
	return x.run(p, append(slices.Clone(x.params), ints(x.t, x.c, padded, 1, width), ints(x.t, x.c, []int32{int32(len(prompt))}, 1))...)
}

// state gathers the prompts' states into one, prompt by prompt.
func (x *chunked) state(prompts []rollout.Prompt, width, capacity int) []*device.Buffer {
	batch := len(prompts)
	one := lm.StateShapes(x.config, 1, width)
	move := x.compile(fmt.Sprint("move ", capacity), append(slices.Clone(one), device.Int32(batch)), nil, func(in []*graph.Node) []*graph.Node {
		return lm.Move(in[:len(one)], in[len(one)], capacity)
	})
	join := x.compile("join", slices.Concat(lm.StateShapes(x.config, batch, capacity), one, []shape{device.Int32()}), nil, func(in []*graph.Node) []*graph.Node {
		return lm.Join(in[:len(one)], in[len(one):2*len(one)], in[2*len(one)])
	})
	var state []*device.Buffer
	for i, p := range prompts {
		started := x.start(p.Tokens, width)
		if state == nil {
			state = x.run(move, append(started, ints(x.t, x.c, make([]int32, batch), batch))...)
			continue
		}
		state = x.run(join, slices.Concat(state, started, []*device.Buffer{ints(x.t, x.c, []int32{int32(i)})})...)
	}
	return state
}

// reported is what a chunked generation says of a sequence.
type reported struct {
	rollout.Sequence
	topIDs      [][]int32
	topLogProbs [][]float32
}

// generate draws new tokens for each prompt in chunks of n.
func (x *chunked) generate(prompts []rollout.Prompt, o rollout.Options, n, top, capacity int) []reported {
	batch, before := len(prompts), len(x.params)+len(x.packed)
	s := lm.ChunkShape{Batch: batch, Capacity: capacity, New: n, Top: top, TopP: o.TopP > 0 && o.TopP < 1, Stops: len(o.Stops)}
	in := slices.Concat(lm.Shapes(x.config), lm.PackedShapes(x.config, x.c.Kernels()), lm.ChunkInputs(x.config, s))
	p := x.compile(fmt.Sprintf("extend %+v", s), in, lm.ChunkReuse(x.config, s, before), func(in []*graph.Node) []*graph.Node {
		return lm.Extend(x.config, s, in[:len(x.params)], in[len(x.params):before], in[before:])
	})
	state := x.state(prompts, 32, capacity)
	out := make([]reported, batch)
	position, drawn, remaining := make([]int32, batch), make([]int32, batch), make([]int32, batch)
	keys, temperature, topP := make([]uint32, 2*batch), make([]float32, batch), make([]float32, batch)
	for i, p := range prompts {
		position[i], remaining[i] = int32(len(p.Tokens)), int32(o.MaxNew)
		keys[2*i], keys[2*i+1] = p.Key[0], p.Key[1]
		temperature[i], topP[i] = float32(o.Temperature), 1
		if s.TopP {
			topP[i] = float32(o.TopP)
		}
	}
	floats := func(v []float32) *device.Buffer {
		b, err := device.Upload(x.c, v, batch)
		require.NoError(x.t, err)
		return b
	}
	for slices.Max(remaining) > 0 {
		noise, err := device.Upload(x.c, keys, batch, 2)
		require.NoError(x.t, err)
		args := slices.Concat(x.params, x.packed, state, []*device.Buffer{ints(x.t, x.c, position, batch), ints(x.t, x.c, drawn, batch),
			ints(x.t, x.c, remaining, batch), noise, floats(temperature), floats(topP), ints(x.t, x.c, o.Stops, s.Stops)})
		got := x.run(p, args...)
		state = got[lm.ChunkResults(s):]
		tokens, err := device.Download[int32](got[0])
		require.NoError(x.t, err)
		logProbs, err := device.Download[float32](got[1])
		require.NoError(x.t, err)
		var topIDs []int32
		var topLogProbs []float32
		if top > 0 {
			topIDs, err = device.Download[int32](got[2])
			require.NoError(x.t, err)
			topLogProbs, err = device.Download[float32](got[3])
			require.NoError(x.t, err)
		}
		for i := range out {
			for j := i * n; j < (i+1)*n; j++ {
				if remaining[i] == 0 {
					require.EqualValues(x.t, -1, tokens[j], "row %d ended", i)
					continue
				}
				out[i].Tokens, out[i].LogProbs = append(out[i].Tokens, tokens[j]), append(out[i].LogProbs, logProbs[j])
				if top > 0 {
					out[i].topIDs, out[i].topLogProbs = append(out[i].topIDs, topIDs[j*top:(j+1)*top]), append(out[i].topLogProbs, topLogProbs[j*top:(j+1)*top])
				}
				position[i], drawn[i], remaining[i] = position[i]+1, drawn[i]+1, remaining[i]-1
				if slices.Contains(o.Stops, tokens[j]) {
					out[i].Finished, remaining[i] = true, 0
				}
			}
		}
	}
	return out
}

// noisy is a model whose biases and norms do something.
func noisy(config hf.Config, seed uint64) *hf.Model {
	model := &hf.Model{Config: config, Tensors: lm.Init(config, seed)}
	r := rand.New(rand.NewPCG(3, 4))
	for _, spec := range config.Tensors() {
		if len(spec.Dims) == 1 {
			for i := range model.Tensors[spec.Name].Data {
				model.Tensors[spec.Name].Data[i] += float32(r.NormFloat64()) * 0.2
			}
		}
	}
	return model
}

// A generation in chunks draws the tokens of a whole one for the same keys, wherever the chunks end, with kernels and without; its log-probabilities
// are those of softmax(logits), and the alternatives those of a forward pass.
func TestChunksDrawWhatGenerateDraws(t *testing.T) {
	for _, x := range []struct {
		family string
		change func(*hf.Config)
		o      rollout.Options
	}{
		{hf.Llama, func(*hf.Config) {}, rollout.Options{Temperature: 1}},
		{hf.Llama, func(h *hf.Config) { h.TieEmbeddings = false; h.MLPBias, h.OBias = true, true }, rollout.Options{Temperature: 0}},
		{hf.Qwen2, func(h *hf.Config) { h.HeadDim = 16 }, rollout.Options{Temperature: 0.7}},
		{hf.Qwen3, func(h *hf.Config) { h.HeadDim, h.KVHeads = 32, 1 }, rollout.Options{Temperature: 1.3, TopP: 0.8}},
		{hf.Mistral, func(h *hf.Config) { h.SlidingWindow = 6; h.Layers = 2 }, rollout.Options{Temperature: 1, TopP: 0.9}},
		{hf.Qwen2, func(h *hf.Config) { h.HeadDim = 12 }, rollout.Options{Temperature: 0.9}},
	} {
		for _, kernels := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s kernels=%v", x.family, kernels), func(t *testing.T) {
				c := devicetest.Client(t)
				if !kernels {
					c = c.WithoutKernels()
				}
				config := tiny(x.family)
				x.change(&config)
				require.NoError(t, config.Validate())
				m := newChunked(t, c, noisy(config, 1))
				prompts := promptsOf(4, 1, 4)
				o := x.o
				o.MaxNew, o.Batch, o.Stops = 24, 8, []int32{2, 5, 9, 11}
				want, err := rollout.NewSampler(c).Sample(context.Background(), config, m.params, prompts, o)
				require.NoError(t, err)
				first := m.generate(prompts, o, 24, 0, 64)
				for _, n := range []int{5} {
					require.Equal(t, first, m.generate(prompts, o, n, 0, 64), "chunks of %d give the bits of one chunk", n)
				}
				got := m.generate(prompts, o, 7, 3, 50)
				for i, w := range want {
					require.Equal(t, w.Tokens, first[i].Tokens, "sequence %d", i)
					require.Equal(t, w.Finished, first[i].Finished, "sequence %d", i)
					require.Equal(t, w.Tokens, got[i].Tokens, "sequence %d with alternatives in another capacity", i)
					rows := m.logits(append(slices.Clone(prompts[i].Tokens), w.Tokens...))
					for j, id := range w.Tokens {
						lp := logSoftmax(rows[len(prompts[i].Tokens)+j-1], 1)
						require.InDelta(t, lp[id], first[i].LogProbs[j], 1e-4)
						order := make([]int32, len(lp))
						for v := range order {
							order[v] = int32(v)
						}
						slices.SortStableFunc(order, func(a, b int32) int { return int(math.Copysign(1, lp[b]-lp[a])) })
						require.Equal(t, order[:3], got[i].topIDs[j], "alternatives to token %d of sequence %d", j, i)
						for k, v := range order[:3] {
							require.InDelta(t, lp[v], got[i].topLogProbs[j][k], 1e-4)
							if v == id {
								require.Equal(t, got[i].LogProbs[j], got[i].topLogProbs[j][k], "one token, one number")
							}
						}
					}
				}
			})
		}
	}
}

// Scores are what a forward pass says of each next token.
func TestScoreAgreesWithForwardPass(t *testing.T) {
	c := devicetest.Client(t)
	config := tiny(hf.Qwen3)
	m := newChunked(t, c, noisy(config, 2))
	ids := []int32{1, 9, 4, 33, 12, 60, 2}
	rows := m.logits(ids)
	n := len(m.params)
	for _, top := range []int{1, 4} {
		p := m.compile(fmt.Sprint("score ", top), append(lm.Shapes(config), device.Int32(1, 16)), nil, func(in []*graph.Node) []*graph.Node {
			return lm.Score(config, in[:n], in[n], top)
		})
		out := m.run(p, append(slices.Clone(m.params), ints(t, c, append(slices.Clone(ids), make([]int32, 9)...), 1, 16))...)
		logProb, err := device.Download[float32](out[0])
		require.NoError(t, err)
		best, err := device.Download[int32](out[1])
		require.NoError(t, err)
		bestLogProb, err := device.Download[float32](out[2])
		require.NoError(t, err)
		for i := range len(ids) - 1 {
			lp := logSoftmax(rows[i], 1)
			require.InDelta(t, lp[ids[i+1]], logProb[i], 1e-5)
			for k := range top {
				require.InDelta(t, lp[best[i*top+k]], bestLogProb[i*top+k], 1e-5)
				require.LessOrEqual(t, float64(logProb[i]), float64(bestLogProb[i*top])+1e-9)
			}
			require.InDelta(t, slices.Max(lp), bestLogProb[i*top], 1e-5)
		}
	}
}

type shape = shapes.Shape
