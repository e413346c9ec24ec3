package lm

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/device"
	"temper/lm/hf"
)

// Score is what a model makes of a text.
type Score struct {
	LogProbs   []float32 // of each token after the first, given those before it, in nats: one less than there are tokens
	LastLogits []float32 // [vocab], of the token to come
}

// scoredAtOnce is how many tokens' logits exist at a time while a text is scored.
const scoredAtOnce = 256

// ScoreTokens runs the model over ids, which are at least one.
func ScoreTokens(c *device.Client, m *hf.Model, ids []int32) (Score, error) {
	if len(ids) == 0 {
		return Score{}, fmt.Errorf("score: no tokens")
	}
	for i, id := range ids {
		if id < 0 || int(id) >= m.Config.VocabSize {
			return Score{}, fmt.Errorf("score: token %d is %d, the vocabulary has %d", i, id, m.Config.VocabSize)
		}
	}
	params, err := Upload(c, m)
	if err != nil {
		return Score{}, err
	}
	defer device.FreeAll(params...)
	n := len(params)
	row := device.Int32(1, len(ids))
	p, err := c.Compile(fmt.Sprintf("score_%d", len(ids)), append(Shapes(m.Config), row, row, row), nil, func(x []*Node) []*Node {
		w := Bind(m.Config, x[:n])
		return scores(w, Hidden(m.Config, w, x[n], x[n+1], x[n+2], false), x[n])
	})
	if err != nil {
		return Score{}, err
	}
	defer p.Close()
	in := append([]*device.Buffer{}, params...)
	positions, segments := make([]int32, len(ids)), make([]int32, len(ids))
	for i := range ids {
		positions[i], segments[i] = int32(i), 1
	}
	for _, column := range [][]int32{ids, positions, segments} {
		b, err := device.Upload(c, column, 1, len(ids))
		if err != nil {
			return Score{}, err
		}
		defer b.Free()
		in = append(in, b)
	}
	out, err := p.Run(in...)
	if err != nil {
		return Score{}, err
	}
	defer device.FreeAll(out...)
	var s Score
	if s.LastLogits, err = device.Download[float32](out[0]); err != nil {
		return Score{}, err
	}
	if len(out) > 1 {
		s.LogProbs, err = device.Download[float32](out[1])
	}
	return s, err
}

// scores are the logits after the last token [vocab] and, where there is more than one, the log-probability of each token after the first.
func scores(w *Weights, hidden, tokens *Node) []*Node {
	time, vocab := tokens.Shape().Dimensions[1], Head(w).Shape().Dimensions[0]
	out := []*Node{Reshape(Logits(w, SliceAxis(hidden, 1, AxisRange(time-1))), vocab)}
	var logProbs []*Node
	for from := 0; from < time-1; from += scoredAtOnce {
		to := min(from+scoredAtOnce, time-1)
		all := LogSoftmax(Reshape(Logits(w, SliceAxis(hidden, 1, AxisRange(from, to))), to-from, vocab), -1)
		targets := Reshape(SliceAxis(tokens, 1, AxisRange(from+1, to+1)), to-from, 1)
		at := Concatenate([]*Node{Iota(tokens.Graph(), targets.Shape(), 0), targets}, -1)
		logProbs = append(logProbs, Gather(all, at))
	}
	if len(logProbs) > 0 {
		out = append(out, Concatenate(logProbs, 0))
	}
	return out
}
