package lm_test

import (
	"bufio"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/lm"
	"temper/lm/hf"
	"temper/rollout"
)

const shared = "../../shared/data"

// logits runs the decoder over one unpadded row.
func logits(t *testing.T, c *device.Client, config hf.Config, params []*device.Buffer, ids []int32) [][]float32 {
	t.Helper()
	return logitsIn(t, c, config, params, ids, dtypes.Float32)
}

func logitsIn(t *testing.T, c *device.Client, config hf.Config, params []*device.Buffer, ids []int32, dtype dtypes.DType) [][]float32 {
	t.Helper()
	n, time := len(params), len(ids)
	in := append(lm.Shapes(config), device.Int32(1, time), device.Int32(1, time), device.Int32(1, time))
	p, err := c.Compile("logits", in, nil, func(x []*graph.Node) []*graph.Node {
		w := lm.Bind(config, x[:n]).In(dtype)
		return []*graph.Node{lm.Logits(w, lm.Hidden(config, w, x[n], x[n+1], x[n+2], false))}
	})
	require.NoError(t, err)
	defer p.Close()
	positions, segments := make([]int32, time), make([]int32, time)
	for i := range positions {
		positions[i], segments[i] = int32(i), 1
	}
	rows := slices.Clone(params)
	for _, x := range [][]int32{ids, positions, segments} {
		b, err := device.Upload(c, x, 1, time)
		require.NoError(t, err)
		rows = append(rows, b)
	}
	out, err := p.Run(rows...)
	require.NoError(t, err)
	flat, err := device.Download[float32](out[0])
	require.NoError(t, err)
	var result [][]float32
	for i := range time {
		result = append(result, flat[i*config.VocabSize:(i+1)*config.VocabSize])
	}
	return result
}

// The real stories260K checkpoint: logits, log-probabilities and greedy text against a float64 reference.
func TestRealCheckpointAgreesWithFloat64Reference(t *testing.T) {
	dir := filepath.Join(shared, "model_stories260K_hf")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real checkpoint is not on this machine: %v", err)
	}
	model, err := hf.Load(dir)
	require.NoError(t, err)
	c := devicetest.Client(t)
	params, err := lm.Upload(c, model)
	require.NoError(t, err)
	sampler := rollout.NewSampler(c)

	f, err := os.Open(filepath.Join(shared, "model_stories260K", "reference_float64.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var ref struct {
			Prompt         string
			IDs            []int32   `json:"ids"`
			Last           []float64 `json:"last_logits"`
			GreedyIDs      []int32   `json:"greedy_ids"`
			GreedyLogProbs []float64 `json:"greedy_logprobs"`
		}
		require.NoError(t, json.Unmarshal(scan.Bytes(), &ref))
		got := logits(t, c, model.Config, params, ref.IDs)
		for v, want := range ref.Last {
			require.InDelta(t, want, got[len(got)-1][v], 1e-4, "prompt %q, logit %d", ref.Prompt, v)
		}
		greedy := ref.GreedyIDs[len(ref.IDs):]
		out, err := sampler.Sample(context.Background(), model.Config, params, []rollout.Prompt{{Tokens: ref.IDs}},
			rollout.Options{MaxNew: len(greedy), Batch: 1, Stops: []int32{-1}})
		require.NoError(t, err)
		require.Equal(t, greedy, out[0].Tokens, "greedy text of %q", ref.Prompt)
		for i, want := range ref.GreedyLogProbs {
			require.InDelta(t, want, out[0].LogProbs[i], 1e-4)
		}
	}
	require.NoError(t, scan.Err())
}

// tiny is a small random decoder of an architecture, with every option of it switched on.
func tiny(arch string) hf.Config {
	c := hf.Config{Architecture: arch, VocabSize: 64, Hidden: 32, Layers: 1, Heads: 4, KVHeads: 2, HeadDim: 8, FFN: 48,
		NormEps: 1e-6, RopeTheta: 10000, MaxPositions: 128, TieEmbeddings: true, BOS: 1, PAD: 0, EOS: []int{2}, InitializerRange: 0.3, Dtype: "float32"}
	switch arch {
	case hf.Qwen3:
		c.ModelType, c.QKNorm = "qwen3", true
	case hf.Qwen2:
		c.ModelType, c.QKVBias, c.TieEmbeddings = "qwen2", true, false
	case hf.Mistral:
		c.ModelType, c.SlidingWindow = "mistral", 8
	default:
		c.ModelType = "llama"
	}
	return c
}

// promptsOf are n prompts, the first of 1+first tokens, each step tokens longer than the one before, each with a key of its own.
func promptsOf(n, first, step int) []rollout.Prompt {
	out := make([]rollout.Prompt, n)
	for i := range out {
		out[i] = rollout.Prompt{Tokens: []int32{1}, Key: lm.SequenceKey(9, 0, i, 0)}
		for j := range first + step*i {
			out[i].Tokens = append(out[i].Tokens, int32(3+(7*i+5*j)%60))
		}
	}
	return out
}

// What the sampler says it drew with which probability is what a forward pass over the finished text says, whatever the batch and padding.
func TestSamplerAgreesWithForwardPass(t *testing.T) {
	c := devicetest.Client(t)
	for _, arch := range []string{hf.Llama, hf.Qwen2, hf.Qwen3, hf.Mistral} {
		t.Run(arch, func(t *testing.T) {
			config := tiny(arch)
			require.NoError(t, config.Validate())
			params, err := lm.Upload(c, &hf.Model{Config: config, Tensors: lm.Init(config, 1)})
			require.NoError(t, err)
			prompts := promptsOf(5, 3, 4)
			sample := func(prompts []rollout.Prompt) []rollout.Sequence {
				out, err := rollout.NewSampler(c).Sample(context.Background(), config, params, prompts,
					rollout.Options{MaxNew: 24, Batch: 8, Temperature: 0.7, Stops: []int32{2}})
				require.NoError(t, err)
				return out
			}
			all := sample(prompts)
			require.Equal(t, all, sample(prompts), "the same keys give the same bits")
			alone := sample(prompts[3:4])
			require.Equal(t, all[3].Tokens, alone[0].Tokens, "a sequence does not depend on its neighbours")
			for i, s := range all {
				full := append(slices.Clone(prompts[i].Tokens), s.Tokens...)
				rows := logits(t, c, config, params, full)
				for j, id := range s.Tokens {
					require.InDelta(t, logSoftmax(rows[len(prompts[i].Tokens)+j-1], 0.7)[id], s.LogProbs[j], 1e-4)
				}
			}
		})
	}
}

// In bfloat16 the sampler says what a forward pass in bfloat16 says, as far as the rounding of partial sums goes, and not what one in float32 does.
func TestSamplerInHalfPrecisionAgreesWithForwardPass(t *testing.T) {
	c := devicetest.Client(t)
	config := tiny(hf.Qwen3)
	require.NoError(t, config.Validate())
	params, err := lm.Upload(c, &hf.Model{Config: config, Tensors: lm.Init(config, 1)})
	require.NoError(t, err)
	prompts := promptsOf(3, 3, 4)
	out, err := rollout.NewSampler(c).Sample(context.Background(), config, params, prompts, rollout.Options{MaxNew: 24, Batch: 4, Temperature: 1, Stops: []int32{2}, Half: true})
	require.NoError(t, err)
	whole := 0.0
	for i, s := range out {
		full := append(slices.Clone(prompts[i].Tokens), s.Tokens...)
		half, float := logitsIn(t, c, config, params, full, dtypes.BFloat16), logits(t, c, config, params, full)
		for j, id := range s.Tokens {
			at := len(prompts[i].Tokens) + j - 1
			require.InDelta(t, logSoftmax(half[at], 1)[id], s.LogProbs[j], 0.15) // logits near 4 are 1/32 apart
			whole += math.Abs(logSoftmax(float[at], 1)[id] - float64(s.LogProbs[j]))
		}
	}
	require.Greater(t, whole, 1e-3, "it computed in float32")
}

func logSoftmax(x []float32, temperature float64) []float64 {
	top, total := math.Inf(-1), 0.0
	for _, v := range x {
		top = max(top, float64(v)/temperature)
	}
	for _, v := range x {
		total += math.Exp(float64(v)/temperature - top)
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)/temperature - top - math.Log(total)
	}
	return out
}

// Sampled frequencies follow the distribution; nucleus and top-k sampling never leave their set.
func TestSamplingDistribution(t *testing.T) {
	c := devicetest.Client(t)
	config := tiny(hf.Llama)
	params, err := lm.Upload(c, &hf.Model{Config: config, Tensors: lm.Init(config, 3)})
	require.NoError(t, err)
	const n = 4096
	prompts := make([]rollout.Prompt, n)
	for i := range prompts {
		prompts[i] = rollout.Prompt{Tokens: []int32{1, 5, 9}, Key: lm.SequenceKey(4, 1, 0, i)}
	}
	p := logSoftmax(logits(t, c, config, params, []int32{1, 5, 9})[2], 1)
	draw := func(o rollout.Options) []float64 {
		o.MaxNew, o.Batch, o.Temperature, o.Stops = 1, n, 1, []int32{2}
		out, err := rollout.NewSampler(c).Sample(context.Background(), config, params, prompts, o)
		require.NoError(t, err)
		freq := make([]float64, config.VocabSize)
		for _, s := range out {
			freq[s.Tokens[0]] += 1.0 / n
		}
		return freq
	}
	for v, f := range draw(rollout.Options{}) {
		q := math.Exp(p[v])
		require.InDelta(t, q, f, 5*math.Sqrt(q*(1-q)/n)+1e-3, "token %d", v)
	}
	order := make([]int, config.VocabSize)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, p[b]-p[a])) })
	for v, f := range draw(rollout.Options{TopK: 5}) {
		require.Equal(t, slices.Contains(order[:5], v), f > 0, "top-k: token %d drawn with frequency %g", v, f)
	}
	nucleus, mass := 0, 0.0
	for mass < 0.6 {
		mass += math.Exp(p[order[nucleus]])
		nucleus++
	}
	for v, f := range draw(rollout.Options{TopP: 0.6}) {
		if f > 0 {
			require.Contains(t, order[:nucleus], v, "nucleus")
		}
	}
}

// Temperature 0 takes the likeliest token.
func TestGreedyEqualsArgmaxAndLogProbIsAtTemperatureOne(t *testing.T) {
	c := devicetest.Client(t)
	config := tiny(hf.Qwen3)
	params, err := lm.Upload(c, &hf.Model{Config: config, Tensors: lm.Init(config, 5)})
	require.NoError(t, err)
	out, err := rollout.NewSampler(c).Sample(context.Background(), config, params, []rollout.Prompt{{Tokens: []int32{1, 4}}},
		rollout.Options{MaxNew: 1, Batch: 1, Stops: []int32{2}})
	require.NoError(t, err)
	p := logSoftmax(logits(t, c, config, params, []int32{1, 4})[1], 1)
	best := 0
	for v := range p {
		if p[v] > p[best] {
			best = v
		}
	}
	require.EqualValues(t, best, out[0].Tokens[0])
	require.InDelta(t, p[best], out[0].LogProbs[0], 1e-4)
}
