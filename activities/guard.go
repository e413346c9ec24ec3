package activities

import (
	"errors"
	"fmt"
	"strings"

	"temper/activities/contract"
	"temper/train"
)

// maxLeftOut is how many updates in a row may be left out before the stage fails: by then the state itself is suspect, and the snapshot before
// it is the place to go on from.
const maxLeftOut = 3

// guard applies updates. One whose gradient is not finite leaves the state as it was; guard then keeps what is known of its batch for the report
// and lets the stage go on with the next one.
type guard struct {
	trainer *train.Trainer
	held    *resident
	leftOut []contract.LeftOut
	inARow  int
}

// update is Trainer.Update; ok is false for an update that was left out. name says which update of the stage it is.
func (g *guard) update(name string, set train.Settings, lr float64, teacher *train.State, batches ...*train.Batch) (r train.Result, ok bool, err error) {
	r, err = g.trainer.Update(g.held.state, set, lr, teacher, batches...)
	if !errors.Is(err, train.ErrNonFinite) {
		if err == nil {
			g.inARow = 0
		}
		return r, err == nil, err
	}
	g.inARow++
	left := contract.LeftOut{Update: name, Loss: fmt.Sprint(r.Loss), Batch: g.texts(batches)}
	g.leftOut = append(g.leftOut, left)
	if g.inARow == maxLeftOut {
		return r, false, fmt.Errorf("%d updates in a row: %w; the last batch: %s", g.inARow, err, strings.Join(left.Batch, " | "))
	}
	return r, false, nil
}

const (
	reportedTexts = 4
	reportedRunes = 120
)

// texts are the beginnings of the batch's first sequences.
func (g *guard) texts(batches []*train.Batch) []string {
	var out []string
	for _, b := range batches {
		for _, tokens := range b.Sequences() {
			if len(out) == reportedTexts {
				return append(out, "…")
			}
			text := []rune(g.held.text.tokenizer.Decode(tokens, false))
			if len(text) > reportedRunes {
				text = append(text[:reportedRunes], '…')
			}
			out = append(out, string(text))
		}
	}
	return out
}
