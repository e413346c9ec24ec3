package parity

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

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

	tensors map[string]hf.Tensor
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
		tensors, err := hf.ReadSafetensors(filepath.Join(dir, "golden.safetensors"))
		require.NoError(t, err)
		g.tensors = map[string]hf.Tensor{}
		for _, tensor := range tensors {
			g.tensors[tensor.Name] = tensor
		}
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
		rows, time := len(g.IDs), len(g.IDs[0])
		ints := device.Int32(rows, time)
		p, err := c.Compile("logits", append(lm.Shapes(m.Config), ints, ints, ints), nil, func(x []*graph.Node) []*graph.Node {
			n := len(x) - 3
			w := lm.Bind(m.Config, x[:n])
			return []*graph.Node{lm.Logits(w, lm.Hidden(m.Config, w, x[n], x[n+1], x[n+2], false))}
		})
		require.NoError(t, err)
		defer p.Close()
		var ids, positions, segments []int32
		for _, row := range g.IDs {
			for i, id := range row {
				ids, positions, segments = append(ids, id), append(positions, int32(i)), append(segments, 1)
			}
		}
		in := append([]*device.Buffer{}, params...)
		for _, column := range [][]int32{ids, positions, segments} {
			b, err := device.Upload(c, column, rows, time)
			require.NoError(t, err)
			in = append(in, b)
		}
		out, err := p.Run(in...)
		require.NoError(t, err)
		got, err := device.Download[float32](out[0])
		require.NoError(t, err)
		require.InDeltaSlice(t, g.tensors["logits"].Data, got, 1e-4)
	})
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
	families(t, func(t *testing.T, c *device.Client, m *hf.Model, params []*device.Buffer, g golden) {
		for _, checkpoint := range []bool{false, true} {
			if checkpoint && m.Config.Architecture != hf.Qwen3 {
				continue // the same recomputation for every family
			}
			set := train.Settings{Objective: objective.SFT{}, Checkpoint: checkpoint}
			gradient, loss, err := train.NewTrainer(c).Gradient(m.Config, params, set, g.batch(t))
			require.NoError(t, err)
			require.InDelta(t, g.Loss, loss, 1e-5)
			for _, spec := range m.Config.Tensors() {
				want, ok := g.tensors["grad."+spec.Name]
				require.True(t, ok, spec.Name)
				require.Less(t, distance(want.Data, gradient[spec.Name].Data), 1e-4, "%s, checkpoint %t", spec.Name, checkpoint)
			}
		}
	})
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
