package engine

import (
	"fmt"
	"slices"

	"temper/device"
	"temper/lm"
)

// batch is what runs: a state on the device (see lm.Extend) and whose each of its rows is. Only the engine's loop touches it, but for running.
type batch struct {
	rows     []*row // nil: an empty row; no rows: nothing runs and there is no state
	capacity int
	state    []*device.Buffer
	running  int // rows that are not empty, and sequences about to join; under the engine's lock
}

// row is a sequence that runs.
type row struct {
	work                       *work
	position, drawn, remaining int // tokens in the cache, tokens drawn, tokens that may still be drawn
}

// reach is how many slots a row needs for the next chunk.
func (r *row) reach(chunk int) int { return r.position + min(chunk, r.remaining) }

// join reads the sequences' prompts and gives each a row. Works are ended with an error by clear, which the caller calls when join fails.
func (e *Engine) join(works []*work) error {
	b := &e.batch
	var joining []*row
	for _, w := range works {
		joining = append(joining, &row{work: w, position: len(w.sequence.Prompt), remaining: w.sequence.MaxNew})
	}
	active := slices.DeleteFunc(slices.Clone(b.rows), func(r *row) bool { return r == nil })
	if len(active)+len(joining) == 0 {
		e.reset()
		return nil
	}
	var one []*device.Buffer // the prompt that was read last
	defer func() { device.FreeAll(one...) }()
	for i, r := range joining {
		prompt := r.work.sequence.Prompt
		if i == 0 || !slices.Equal(prompt, joining[i-1].work.sequence.Prompt) {
			device.FreeAll(one...)
			var err error
			if one, err = e.programs.start(prompt); err != nil {
				return e.failed(joining[i:], err)
			}
		}
		if i == 0 {
			if err := e.resize(active, joining, one); err != nil {
				return e.failed(joining, err)
			}
		}
		if err := e.place(r, one); err != nil {
			return e.failed(joining[i:], err)
		}
	}
	if len(joining) == 0 {
		return e.resize(active, nil, nil)
	}
	return nil
}

// failed ends rows that have not joined.
func (e *Engine) failed(rows []*row, err error) error {
	e.add(-len(rows))
	for _, r := range rows {
		r.work.job.ended(err)
	}
	return err
}

// add counts rows that come or go.
func (e *Engine) add(n int) {
	e.mu.Lock()
	e.batch.running += n
	e.mu.Unlock()
}

// place gives a sequence an empty row. When nothing ran, resize has put the first prompt's state there already; to join it again does no harm.
func (e *Engine) place(r *row, one []*device.Buffer) error {
	b := &e.batch
	at := slices.Index(b.rows, nil)
	state, err := e.programs.join(b.state, one, at)
	if err != nil {
		return err
	}
	b.state, b.rows[at] = state, r
	return nil
}

// resize moves the active rows to a state of the size that they and those to come need, unless it has it.
func (e *Engine) resize(active, joining []*row, one []*device.Buffer) error {
	b := &e.batch
	size, reach := 1, 0
	for size < len(active)+len(joining) {
		size *= 2
	}
	for _, r := range slices.Concat(active, joining) {
		reach = max(reach, r.reach(e.options.Chunk))
	}
	capacity := bucket(reach, e.options.Context)
	if 4*capacity > b.capacity { // a smaller one has to be worth the move
		capacity = max(capacity, b.capacity)
	}
	if size == len(b.rows) && capacity == b.capacity {
		return nil
	}
	from, rows := b.state, make([]*row, size)
	index := make([]int32, size)
	if len(active) == 0 { // no row of the old state is wanted
		e.reset()
		from = one
	}
	for i, r := range active {
		index[i], rows[i] = int32(slices.Index(b.rows, r)), r
	}
	state, err := e.programs.move(from, index, capacity)
	if err != nil {
		return fmt.Errorf("resize the batch to %d sequences of %d tokens: %w", size, capacity, err)
	}
	device.FreeAll(b.state...)
	b.state, b.rows, b.capacity = state, rows, capacity
	return nil
}

// reset drops the state.
func (e *Engine) reset() {
	device.FreeAll(e.batch.state...)
	e.batch.state, e.batch.rows, e.batch.capacity = nil, nil, 0
}

// leave takes a row out. Load knows before the job's caller does.
func (e *Engine) leave(i int, err error) {
	w := e.batch.rows[i].work
	e.batch.rows[i] = nil
	e.add(-1)
	w.job.ended(err)
}

// clear ends all that runs.
func (e *Engine) clear(err error) {
	for i, r := range e.batch.rows {
		if r != nil {
			e.leave(i, err)
		}
	}
	e.reset()
}

// smallest capacity and prompt width; both double from there.
const smallest = 16

// bucket is the least of a few sizes that n tokens fit in: powers of two, and the greatest the least multiple of 16 that holds the context.
func bucket(n, context int) int {
	size := smallest
	for size < n {
		size *= 2
	}
	return min(size, (context+15)/16*16)
}

// extend draws a chunk for every row and hands the tokens on.
func (e *Engine) extend() error {
	b := &e.batch
	s := lm.ChunkShape{Batch: len(b.rows), Capacity: b.capacity, New: e.options.Chunk, Stops: len(e.stops)}
	in := newRows(len(b.rows))
	running := false
	for i, r := range b.rows {
		if r == nil {
			continue
		}
		running = true
		q := r.work.sequence
		in.set(i, r)
		if q.TopP < 1 {
			s.TopP = true
		}
		if q.Top > 0 {
			s.Top = min(MaxTop, e.programs.config.VocabSize)
		}
	}
	if !running {
		return nil
	}
	state, out, err := e.programs.extend(s, b.state, in, e.stops)
	b.state = state
	if err != nil {
		return err
	}
	for i, r := range b.rows {
		if r != nil && e.deliver(r, out, i) {
			e.leave(i, nil)
		}
	}
	return nil
}

// deliver hands a row's tokens of a chunk to its sequence; ended says that it wants no more.
func (e *Engine) deliver(r *row, out drawn, i int) (ended bool) {
	for t := range e.options.Chunk {
		token, ok := out.token(i, t, r.work.sequence.Top)
		if !ok {
			return true
		}
		r.position, r.drawn, r.remaining = r.position+1, r.drawn+1, r.remaining-1
		token.Stop = slices.Contains(e.stops, token.ID)
		if !r.work.sequence.Accept(token) || token.Stop || r.remaining == 0 {
			return true
		}
	}
	return false
}
