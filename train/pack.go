package train

import "fmt"

// Layout says how examples are laid into micro-batches.
type Layout struct {
	Rows    int  // of a micro-batch; 0: one micro-batch holds everything, its rows rounded up to a power of two
	Length  int  // tokens a row
	Packing bool // several examples a row; otherwise one
	Parts   int  // into which a micro-batch is cut where memory is short: the same rows, fewer at a time; 0: 1
}

// Pack lays examples into micro-batches. The layout depends on the examples' lengths and order alone. An example that no row can hold is an
// error.
func Pack(examples []Example, l Layout, columns []string) ([]*Batch, error) {
	lengths := make([]int, len(examples))
	for i, e := range examples {
		lengths[i] = len(e.Tokens) - 1
		if lengths[i] > l.Length {
			return nil, fmt.Errorf("pack: an example of %d tokens does not fit a row of %d", len(e.Tokens), l.Length)
		}
		if lengths[i] < 1 {
			return nil, fmt.Errorf("pack: example %d has %d tokens, there is nothing to predict", i, len(e.Tokens))
		}
	}
	var rows [][]int
	if l.Packing {
		rows, _ = packRows(lengths, l.Length)
	} else {
		for i := range examples {
			rows = append(rows, []int{i})
		}
	}
	height := l.Rows
	if height == 0 {
		height = 1
		for height < len(rows) {
			height *= 2
		}
	}
	if l.Parts > 1 {
		height = (height + l.Parts - 1) / l.Parts
	}
	var out []*Batch
	for r, members := range rows {
		if r%height == 0 {
			out = append(out, NewBatch(height, l.Length, columns))
		}
		offset := 0
		for segment, i := range members {
			if err := out[len(out)-1].Place(r%height, offset, segment+1, examples[i]); err != nil {
				return nil, fmt.Errorf("pack example %d: %w", i, err)
			}
			offset += lengths[i]
		}
	}
	return out, nil
}
