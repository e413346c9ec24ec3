package engine

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
)

// programs are a model's compiled programs and its parameters on the device. Shapes come in buckets, so there are few of them.
type programs struct {
	client   *device.Client
	config   hf.Config
	params   []*device.Buffer
	packed   []*device.Buffer // the weights as Extend reads them
	compiled map[string]*device.Program
}

func newPrograms(c *device.Client, model *hf.Model, stops int) (*programs, error) {
	params, err := lm.Upload(c, model)
	if err != nil {
		return nil, err
	}
	p := &programs{client: c, config: model.Config, params: params, compiled: map[string]*device.Program{}}
	if c.Kernels() {
		program, err := p.program("pack", lm.Shapes(p.config), nil, func(in []*graph.Node) []*graph.Node { return lm.Pack(p.config, in) })
		if err == nil {
			p.packed, err = program.Run(params...)
		}
		if err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

func (p *programs) close() {
	device.FreeAll(p.params...)
	device.FreeAll(p.packed...)
	for _, c := range p.compiled {
		c.Close()
	}
}

// program compiles, or finds what was compiled under the name, which tells the shapes apart.
func (p *programs) program(name string, in []shapes.Shape, reuse map[int]int, f func(in []*graph.Node) []*graph.Node) (*device.Program, error) {
	if c, ok := p.compiled[name]; ok {
		return c, nil
	}
	c, err := p.client.Compile(name, in, reuse, f)
	if err == nil {
		p.compiled[name] = c
	}
	return c, err
}

// inputs collects uploads for one run.
type inputs struct {
	client  *device.Client
	buffers []*device.Buffer
	err     error
}

func add[T device.Element](in *inputs, values []T, dims ...int) {
	b, err := device.Upload(in.client, values, dims...)
	in.buffers = append(in.buffers, b)
	if in.err == nil {
		in.err = err
	}
}

// run gives a program the arrays before and the uploads, which it frees.
func (in *inputs) run(c *device.Program, before ...*device.Buffer) ([]*device.Buffer, error) {
	defer device.FreeAll(in.buffers...)
	if in.err != nil {
		return nil, in.err
	}
	return c.Run(append(before, in.buffers...)...)
}

// start reads a prompt into a state of one row.
func (p *programs) start(prompt []int32) ([]*device.Buffer, error) {
	width, n := bucket(len(prompt), p.config.MaxPositions), len(p.params)
	c, err := p.program(fmt.Sprintf("start w%d", width), append(lm.Shapes(p.config), device.Int32(1, width), device.Int32(1)), nil, func(in []*graph.Node) []*graph.Node {
		return lm.Start(p.config, in[:n], in[n], in[n+1])
	})
	if err != nil {
		return nil, err
	}
	in := &inputs{client: p.client}
	add(in, padded(prompt, width), 1, width)
	add(in, []int32{int32(len(prompt))}, 1)
	return in.run(c, slices.Clone(p.params)...)
}

func padded(tokens []int32, width int) []int32 {
	return append(slices.Clone(tokens), make([]int32, width-len(tokens))...)
}

// sizes of a state: rows and capacity.
func sizes(state []*device.Buffer) (rows, capacity int) {
	d := state[1].Shape.Dimensions
	return d[0], d[2]
}

// join puts the row of one in place of row at of the state, which is consumed also when it fails.
func (p *programs) join(state, one []*device.Buffer, at int) ([]*device.Buffer, error) {
	rows, capacity := sizes(state)
	_, width := sizes(one)
	n := len(state)
	reuse := map[int]int{}
	for i := range n {
		reuse[i] = i
	}
	shapes := slices.Concat(lm.StateShapes(p.config, rows, capacity), lm.StateShapes(p.config, 1, width), []shapes.Shape{device.Int32()})
	c, err := p.program(fmt.Sprintf("join b%d c%d w%d", rows, capacity, width), shapes, reuse, func(in []*graph.Node) []*graph.Node {
		return lm.Join(in[:n], in[n:2*n], in[2*n])
	})
	if err != nil {
		return nil, err
	}
	in := &inputs{client: p.client}
	add(in, []int32{int32(at)})
	return in.run(c, slices.Concat(state, one)...)
}

// move makes a state of some rows of another, which stays.
func (p *programs) move(state []*device.Buffer, rows []int32, capacity int) ([]*device.Buffer, error) {
	from, had := sizes(state)
	n := len(state)
	c, err := p.program(fmt.Sprintf("move b%d c%d to b%d c%d", from, had, len(rows), capacity), append(lm.StateShapes(p.config, from, had), device.Int32(len(rows))), nil,
		func(in []*graph.Node) []*graph.Node { return lm.Move(in[:n], in[n], capacity) })
	if err != nil {
		return nil, err
	}
	in := &inputs{client: p.client}
	add(in, rows, len(rows))
	return in.run(c, slices.Clone(state)...)
}

// rows are the inputs of a chunk beside the state, see lm.ChunkInputs.
type rows struct {
	position, drawn, remaining []int32
	keys                       []uint32
	temperature, topP          []float32
}

func newRows(n int) rows {
	r := rows{position: make([]int32, n), drawn: make([]int32, n), remaining: make([]int32, n), keys: make([]uint32, 2*n), temperature: make([]float32, n), topP: make([]float32, n)}
	for i := range r.topP {
		r.topP[i] = 1
	}
	return r
}

func (r rows) set(i int, x *row) {
	q := x.work.sequence
	r.position[i], r.drawn[i], r.remaining[i] = int32(x.position), int32(x.drawn), int32(x.remaining)
	r.keys[2*i], r.keys[2*i+1] = q.Key[0], q.Key[1]
	r.temperature[i], r.topP[i] = float32(q.Temperature), float32(q.TopP)
}

// drawn is what a chunk drew: [rows][new], [rows][new][top].
type drawn struct {
	new, top    int
	ids, topIDs []int32
	logProbs    []float32
	topLogProbs []float32
}

// token is what row i drew at step t with top alternatives; there is none after the row's end.
func (d drawn) token(i, t, top int) (Token, bool) {
	at := i*d.new + t
	if d.ids[at] < 0 {
		return Token{}, false
	}
	out := Token{Choice: Choice{d.ids[at], d.logProbs[at]}}
	for k := range min(top, d.top) {
		out.Top = append(out.Top, Choice{d.topIDs[at*d.top+k], d.topLogProbs[at*d.top+k]})
	}
	return out, true
}

// extend runs a chunk. The state is consumed also when it fails.
func (p *programs) extend(s lm.ChunkShape, state []*device.Buffer, r rows, stops []int32) ([]*device.Buffer, drawn, error) {
	n, before := len(p.params), len(p.params)+len(p.packed)
	shapes := slices.Concat(lm.Shapes(p.config), lm.PackedShapes(p.config, p.client.Kernels()), lm.ChunkInputs(p.config, s))
	c, err := p.program(fmt.Sprintf("extend b%d c%d n%d t%d p%t", s.Batch, s.Capacity, s.New, s.Top, s.TopP), shapes, lm.ChunkReuse(p.config, s, before),
		func(in []*graph.Node) []*graph.Node { return lm.Extend(p.config, s, in[:n], in[n:before], in[before:]) })
	if err != nil {
		return state, drawn{}, err
	}
	in := &inputs{client: p.client}
	add(in, r.position, s.Batch)
	add(in, r.drawn, s.Batch)
	add(in, r.remaining, s.Batch)
	add(in, r.keys, s.Batch, 2)
	add(in, r.temperature, s.Batch)
	add(in, r.topP, s.Batch)
	add(in, stops, s.Stops)
	out, err := in.run(c, slices.Concat(p.params, p.packed, state)...)
	if err != nil {
		return nil, drawn{}, err
	}
	results, next := out[:lm.ChunkResults(s)], out[lm.ChunkResults(s):]
	defer device.FreeAll(results...)
	d := drawn{new: s.New, top: s.Top}
	read(&err, &d.ids, results[0])
	read(&err, &d.logProbs, results[1])
	if s.Top > 0 {
		read(&err, &d.topIDs, results[2])
		read(&err, &d.topLogProbs, results[3])
	}
	return next, d, err
}

// read downloads unless something failed before.
func read[T device.Element](err *error, to *[]T, b *device.Buffer) {
	if *err == nil {
		*to, *err = device.Download[T](b)
	}
}

// tops are the numbers of alternatives that programs are compiled for.
var tops = []int{1, 5, MaxTop}

// score does a scoring.
func (p *programs) score(w *work) error {
	width, n, top := bucket(len(w.tokens), p.config.MaxPositions), len(p.params), p.config.VocabSize
	for _, t := range slices.Backward(tops) {
		if t >= w.top {
			top = min(t, p.config.VocabSize)
		}
	}
	c, err := p.program(fmt.Sprintf("score w%d t%d", width, top), append(lm.Shapes(p.config), device.Int32(1, width)), nil, func(in []*graph.Node) []*graph.Node {
		return lm.Score(p.config, in[:n], in[n], top)
	})
	if err != nil {
		return err
	}
	in := &inputs{client: p.client}
	add(in, padded(w.tokens, width), 1, width)
	out, err := in.run(c, slices.Clone(p.params)...)
	if err != nil {
		return err
	}
	defer device.FreeAll(out...)
	d := drawn{new: width, top: top, ids: w.tokens}
	read(&err, &d.logProbs, out[0])
	read(&err, &d.topIDs, out[1])
	read(&err, &d.topLogProbs, out[2])
	if err != nil {
		return err
	}
	for t := range len(w.tokens) - 1 {
		token, _ := d.token(0, t, w.top)
		w.score.LogProbs, w.score.Top = append(w.score.LogProbs, token.LogProb), append(w.score.Top, token.Top)
	}
	return nil
}
