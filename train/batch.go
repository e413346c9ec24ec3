package train

import (
	"fmt"

	"temper/device"
	"temper/objective"
)

// Batch is one micro-batch of packed rows, flat in row-major order [rows·length].
type Batch struct {
	Rows, Length int

	Tokens    []int32 // inputs
	Targets   []int32 // the token that follows each input
	Positions []int32 // from 0 within each sequence
	Segments  []int32 // number of the sequence within its row, from 1; 0 is padding
	Weight    []float32

	Columns map[string][]float32 // what the objective asked for beyond these
}

// NewBatch makes an empty (all padding) batch with the given extra columns.
func NewBatch(rows, length int, columns []string) *Batch {
	n := rows * length
	b := &Batch{Rows: rows, Length: length, Tokens: make([]int32, n), Targets: make([]int32, n), Positions: make([]int32, n),
		Segments: make([]int32, n), Weight: make([]float32, n), Columns: map[string][]float32{}}
	for _, c := range columns {
		b.Columns[c] = make([]float32, n)
	}
	return b
}

// Example is one sequence to train on. Weight, and each column, has one value for each of Tokens: the value at i belongs to the
// prediction of Tokens[i] from what stands before it (so index 0 is never trained).
type Example struct {
	Tokens  []int32
	Weight  []float32
	Columns map[string][]float32
}

// Place writes an example into a row at the given offset as the row's segment. The example takes len(Tokens)−1 positions.
func (b *Batch) Place(row, offset, segment int, e Example) error {
	n := len(e.Tokens) - 1
	if n < 1 || offset+n > b.Length {
		return fmt.Errorf("place a sequence of %d tokens at %d: the row holds %d", len(e.Tokens), offset, b.Length)
	}
	at := row*b.Length + offset
	for i := range n {
		b.Tokens[at+i] = e.Tokens[i]
		b.Targets[at+i] = e.Tokens[i+1]
		b.Positions[at+i] = int32(i)
		b.Segments[at+i] = int32(segment)
		b.Weight[at+i] = e.Weight[i+1]
		for name, column := range b.Columns {
			if values := e.Columns[name]; values != nil {
				column[at+i] = values[i+1]
			}
		}
	}
	return nil
}

// Trained counts the target tokens with weight.
func (b *Batch) Trained() int {
	n := 0
	for _, w := range b.Weight {
		if w > 0 {
			n++
		}
	}
	return n
}

// upload sends the batch to the device in the order of the step's inputs.
func (b *Batch) upload(c *device.Client, layout device.Layout, o objective.Objective) ([]*device.Buffer, error) {
	var out []*device.Buffer
	for _, ints := range [][]int32{b.Tokens, b.Targets, b.Positions, b.Segments} {
		buf, err := device.UploadAs(c, layout, ints, b.Rows, b.Length)
		if err != nil {
			return nil, err
		}
		out = append(out, buf)
	}
	floats := [][]float32{b.Weight}
	for _, name := range o.Columns() {
		column, ok := b.Columns[name]
		if !ok {
			return nil, fmt.Errorf("batch lacks the column %s", name)
		}
		floats = append(floats, column)
	}
	for _, f := range floats {
		buf, err := device.UploadAs(c, layout, f, b.Rows, b.Length)
		if err != nil {
			return nil, err
		}
		out = append(out, buf)
	}
	return out, nil
}

// Sequences are the tokens of each sequence in the batch, the last target included.
func (b *Batch) Sequences() [][]int32 {
	var out [][]int32
	for i, segment := range b.Segments {
		if segment == 0 {
			continue
		}
		if b.Positions[i] == 0 {
			out = append(out, []int32{b.Tokens[i]})
		}
		out[len(out)-1] = append(out[len(out)-1], b.Targets[i])
	}
	return out
}

// Span is a range of positions [From, To) in a batch's arrays.
type Span struct{ From, To int }

// TrainedSpans are, for each sequence in the batch, its positions with weight: they follow each other.
func (b *Batch) TrainedSpans() []Span {
	var out []Span
	open := false
	for i, w := range b.Weight {
		switch {
		case w <= 0:
			open = false
		case open && b.Positions[i] > 0 && i%b.Length > 0:
			out[len(out)-1].To = i + 1
		default:
			out = append(out, Span{i, i + 1})
			open = true
		}
	}
	return out
}
