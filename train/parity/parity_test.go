package parity

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/lm"
	"temper/lm/hf"
	"temper/objective"
	"temper/rollout"
	"temper/train"
)

// golden is what testdata/reference.py wrote about a checkpoint.
type golden struct {
	IDs      [][]int32   `json:"ids"`
	Trained  [][]float32 `json:"trained"` // 1: the token counts in the loss
	Loss     float64     `json:"loss"`    // mean over the tokens that count, nats
	Prompt   int         `json:"prompt"`  // how many ids of a row the greedy text continues
	Greedy   [][]int32   `json:"greedy"`
	LogProbs [][]float64 `json:"log_probs"`
	Half     struct {
		Logits   float64 `json:"logits"`   // root mean square of the difference
		Gradient float64 `json:"gradient"` // ‖difference‖ / ‖gradient‖ over all parameters
	} `json:"bfloat16"` // how far transformers in bfloat16 is from float64

	dir     string
	tensors map[string]hf.Tensor
}

// tensors reads a directory's golden.safetensors.
func tensors(t *testing.T, dir string) map[string]hf.Tensor {
	t.Helper()
	list, err := hf.ReadSafetensors(filepath.Join(dir, "golden.safetensors"))
	require.NoError(t, err)
	out := map[string]hf.Tensor{}
	for _, x := range list {
		out[x.Name] = x
	}
	return out
}

// families are the checkpoints; each runs with the kernels and with XLA's operations alone.
func families(t *testing.T, check func(t *testing.T, c *device.Client, m *hf.Model, params []*device.Buffer, g golden)) {
	paths, err := filepath.Glob("testdata/*/golden.json")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		dir := filepath.Dir(path)
		m, err := hf.Load(dir)
		require.NoError(t, err)
		var g golden
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &g))
		g.dir, g.tensors = dir, tensors(t, dir)
		for name, c := range map[string]*device.Client{"kernels": devicetest.Client(t), "graph": devicetest.Client(t).WithoutKernels()} {
			t.Run(filepath.Base(dir)+"/"+name, func(t *testing.T) {
				params, err := lm.Upload(c, m)
				require.NoError(t, err)
				defer device.FreeAll(params...)
				check(t, c, m, params, g)
			})
		}
	}
}

// batch is the golden's rows as examples whose loss is the mean over the tokens that count.
func (g golden) batch(t *testing.T) *train.Batch {
	total := float32(0)
	for _, row := range g.Trained {
		for _, w := range row {
			total += w
		}
	}
	b := train.NewBatch(len(g.IDs), len(g.IDs[0])-1, nil)
	for i, ids := range g.IDs {
		e := train.Example{Tokens: ids}
		for _, w := range g.Trained[i] {
			e.Weight = append(e.Weight, w/total)
		}
		require.NoError(t, b.Place(i, 0, 1, e))
	}
	return b
}

func TestLogits(t *testing.T) {
	families(t, func(t *testing.T, c *device.Client, m *hf.Model, params []*device.Buffer, g golden) {
		require.InDeltaSlice(t, g.tensors["logits"].Data, logits(t, c, m.Config, params, g.IDs, dtypes.Float32), 1e-4)
	})
}

// logits runs the decoder on rows of tokens.
func logits(t *testing.T, c *device.Client, config hf.Config, params []*device.Buffer, ids [][]int32, precision dtypes.DType) []float32 {
	t.Helper()
	rows, time := len(ids), len(ids[0])
	ints := device.Int32(rows, time)
	p, err := c.Compile("logits", append(lm.Shapes(config), ints, ints, ints), nil, func(x []*graph.Node) []*graph.Node {
		n := len(x) - 3
		w := lm.Bind(config, x[:n]).In(precision)
		return []*graph.Node{lm.Logits(w, lm.Hidden(config, w, x[n], x[n+1], x[n+2], false))}
	})
	require.NoError(t, err)
	defer p.Close()
	var tokens, positions, segments []int32
	for _, row := range ids {
		for i, id := range row {
			tokens, positions, segments = append(tokens, id), append(positions, int32(i)), append(segments, 1)
		}
	}
	in := append([]*device.Buffer{}, params...)
	for _, column := range [][]int32{tokens, positions, segments} {
		b, err := device.Upload(c, column, rows, time)
		require.NoError(t, err)
		in = append(in, b)
	}
	out, err := p.Run(in...)
	require.NoError(t, err)
	got, err := device.Download[float32](out[0])
	require.NoError(t, err)
	return got
}

func TestLogProbs(t *testing.T) {
	families(t, func(t *testing.T, c *device.Client, m *hf.Model, params []*device.Buffer, g golden) {
		b := g.batch(t)
		got, err := train.NewTrainer(c).LogProbs(m.Config, params, 1, b)
		require.NoError(t, err)
		for r, row := range g.LogProbs {
			for i, want := range row {
				require.InDelta(t, want, got[r*b.Length+i], 1e-4, "row %d, token %d", r, i+1)
			}
		}
	})
}

func TestGreedyText(t *testing.T) {
	families(t, func(t *testing.T, c *device.Client, m *hf.Model, params []*device.Buffer, g golden) {
		var prompts []rollout.Prompt
		for _, ids := range g.IDs {
			prompts = append(prompts, rollout.Prompt{Tokens: ids[:g.Prompt]})
		}
		got, err := rollout.NewSampler(c).Sample(t.Context(), m.Config, params, prompts, rollout.Options{MaxNew: len(g.Greedy[0]), Batch: 8, Stops: []int32{int32(m.Config.VocabSize)}})
		require.NoError(t, err)
		for i, want := range g.Greedy {
			require.Equal(t, want, got[i].Tokens, "row %d", i)
		}
	})
}

func TestGradients(t *testing.T) {
	families(t, func(t *testing.T, c *device.Client, m *hf.Model, _ []*device.Buffer, g golden) {
		s, err := train.NewState(c, m)
		require.NoError(t, err)
		defer s.Free()
		for _, checkpoint := range []bool{false, true} {
			if checkpoint && m.Config.Architecture != hf.Qwen3 {
				continue // the same recomputation for every family
			}
			set := train.Settings{Objective: objective.SFT{}, Checkpoint: checkpoint}
			gradient, loss, err := train.NewTrainer(c).Gradient(s, set, g.batch(t))
			require.NoError(t, err)
			require.InDelta(t, g.Loss, loss, 1e-5)
			requireGradient(t, m.Config.Tensors(), g.tensors, gradient)
		}
	})
}

func requireGradient(t *testing.T, specs []hf.TensorSpec, want, got map[string]hf.Tensor) {
	t.Helper()
	for _, spec := range specs {
		w, ok := want["grad."+spec.Name]
		require.True(t, ok, spec.Name)
		require.Less(t, distance(w.Data, got[spec.Name].Data), 1e-4, spec.Name)
	}
}

// distance is ‖a − b‖ / ‖a‖.
func distance(a, b []float32) float64 {
	var difference, size float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		difference += d * d
		size += float64(a[i]) * float64(a[i])
	}
	return math.Sqrt(difference / size)
}
