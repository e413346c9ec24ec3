package lm

import (
	"errors"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/device"
	"temper/lm/hf"
)

// TextScore is what a model makes of a text.
type TextScore struct {
	LogProbs   []float32 // of each token after the first, given those before it, in nats: one less than there are tokens
	LastLogits []float32 // [vocab], of the token to come
}

// ScoreText runs the model over ids, which are at least one.
func ScoreText(c *device.Client, m *hf.Model, ids []int32) (TextScore, error) {
	if len(ids) == 0 {
		return TextScore{}, errors.New("score: no tokens")
	}
	for i, id := range ids {
		if id < 0 || int(id) >= m.Config.VocabSize {
			return TextScore{}, fmt.Errorf("score: token %d is %d, the vocabulary has %d", i, id, m.Config.VocabSize)
		}
	}
	in, err := Upload(c, m)
	if err != nil {
		return TextScore{}, err
	}
	defer func() { device.FreeAll(in...) }()
	p, err := c.Compile(fmt.Sprintf("score_%d", len(ids)), append(Shapes(m.Config), device.Int32(1, len(ids))), nil, func(x []*Node) []*Node {
		tokens := x[len(x)-1]
		w := Bind(m.Config, x[:len(x)-1])
		hidden := hiddenOf(m.Config, w, tokens)
		out := []*Node{Logits(w, SliceAxis(hidden, 1, AxisElem(len(ids)-1)))}
		if len(ids) > 1 {
			out = append(out, scored(w, hidden, tokens, 1)[0])
		}
		return out
	})
	if err != nil {
		return TextScore{}, err
	}
	defer p.Close()
	tokens, err := device.Upload(c, ids, 1, len(ids))
	if err != nil {
		return TextScore{}, err
	}
	in = append(in, tokens)
	out, err := p.Run(in...)
	if err != nil {
		return TextScore{}, err
	}
	defer device.FreeAll(out...)
	var s TextScore
	if s.LastLogits, err = device.Download[float32](out[0]); err != nil || len(ids) == 1 {
		return s, err
	}
	logProbs, err := device.Download[float32](out[1])
	if err != nil {
		return TextScore{}, err
	}
	s.LogProbs = logProbs[:len(ids)-1]
	return s, nil
}
