package objective_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/objective"
)

// A loss, its metrics and its gradients are the same whether the logits exist at once or chunk by chunk.
func TestChunksChangeNothing(t *testing.T) {
	c := devicetest.Client(t)
	for _, o := range []objective.Objective{
		objective.SFT{},
		objective.Policy{Ratio: "token", ClipLow: 0.2, ClipHigh: 0.3, KLCoef: 0.1, KLEstimator: "k3", EntropyCoef: 0.01, Temperature: 0.7},
		objective.Policy{Ratio: "sequence", ClipLow: 0.1, ClipHigh: 0.1, Temperature: 1},
		objective.Distill{Divergence: "reverse", LikelihoodCoef: 0.3},
		objective.Distill{Divergence: "forward"},
	} {
		want := projected(t, c, o, 0, 1)
		for _, l := range []struct{ chunk, lanes int }{{1, 1}, {4, 1}, {5, 2}, {10, 1}, {64, 2}} {
			got := projected(t, c, o, l.chunk, l.lanes)
			for i := range want {
				require.InDeltaSlice(t, want[i], got[i], 2e-6, "%s, chunks of %d in %d lanes, output %d", o.Key(), l.chunk, l.lanes, i)
			}
		}
	}
}

// projected evaluates an objective on hidden states: loss, metrics, gradients of the hidden states and of the head.
func projected(t *testing.T, c *device.Client, o objective.Objective, chunk, lanes int) [][]float32 {
	t.Helper()
	const hidden, teacherHidden = 6, 4
	in := []shapes.Shape{device.Float32(rows, time, hidden), device.Float32(vocab, hidden), device.Float32(rows, time, teacherHidden), device.Float32(vocab, teacherHidden),
		device.Int32(rows, time), device.Int32(rows, time)}
	for range 4 {
		in = append(in, device.Float32(rows, time))
	}
	p, err := c.Compile(fmt.Sprintf("projected_%d", chunk), in, nil, func(x []*graph.Node) []*graph.Node {
		b := objective.Batch{Student: objective.Projection{Hidden: x[0], Head: x[1]}, Chunk: chunk, Lanes: lanes, Targets: x[4], Segments: x[5], Weight: x[6],
			Columns: map[string]*graph.Node{objective.Advantage: x[7], objective.OldLogProb: x[8], objective.RefLogProb: x[9]}}
		if _, ok := o.(objective.Distill); ok {
			b.Teacher = objective.Projection{Hidden: x[2], Head: x[3]}
		}
		loss, sums := o.Loss(b)
		return append(append([]*graph.Node{loss}, sums...), graph.Gradient(loss, x[0], x[1])...)
	})
	require.NoError(t, err)
	defer p.Close()
	r := rand.New(rand.NewPCG(3, 3))
	b := randomBatch(5)
	var buffers []*device.Buffer
	for i, s := range in {
		var buffer *device.Buffer
		var err error
		switch i {
		case 4:
			buffer, err = device.Upload(c, b.targets, rows, time)
		case 5:
			buffer, err = device.Upload(c, b.segments, rows, time)
		case 6, 7, 8, 9:
			buffer, err = device.Upload(c, [][]float32{b.weight, b.advantage, b.oldLogProb, b.refLogProb}[i-6], rows, time)
		default:
			values := make([]float32, s.Size())
			for k := range values {
				values[k] = float32(r.NormFloat64())
			}
			buffer, err = device.Upload(c, values, s.Dimensions...)
		}
		require.NoError(t, err)
		buffers = append(buffers, buffer)
	}
	out, err := p.Run(buffers...)
	require.NoError(t, err)
	var got [][]float32
	for _, o := range out {
		values, err := device.Download[float32](o)
		require.NoError(t, err)
		got = append(got, values)
	}
	return got
}
