package lm

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/device"
	"temper/device/kernel"
	"temper/device/workaround"
	"temper/lm/hf"
)

// A generation in chunks is what Generate does with its state outside: Start reads prompts, Extend draws a few tokens more, and between the two
// sequences may come (Join), go, and move to a state of another size (Move). A sequence's tokens do not depend on where the chunks end.
//
// The state of a batch is a list of arrays: the next logits [batch, vocab], then keys and values of each layer [batch, kv, capacity, head], a
// token's at the slot of its position. A row's slots from its position on hold zeros.

// StateShapes are the shapes of a state.
func StateShapes(c hf.Config, batch, capacity int) []shapes.Shape {
	out := []shapes.Shape{device.Float32(batch, c.VocabSize)}
	for range 2 * c.Layers {
		out = append(out, device.Float32(batch, c.KVHeads, capacity, c.HeadDim))
	}
	return out
}

// ChunkShape fixes the shapes of an Extend program.
type ChunkShape struct {
	Batch    int // rows
	Capacity int // tokens a row may have
	New      int // tokens to draw
	Top      int // likeliest tokens to report beside each
	TopP     bool
	Stops    int // number of stop ids
}

// ChunkInputs are the shapes that follow the parameters and the packed weights (see PackedShapes) in an Extend program's inputs: the state, then
// for each row [batch] how many tokens it has (int32), how many of them were drawn (int32), how many it may still draw (int32, 0: the row is
// empty), its key [batch, 2] (uint32), temperature (0 is greedy) and top-p (1 keeps all), and stop ids [stops] int32.
func ChunkInputs(c hf.Config, s ChunkShape) []shapes.Shape {
	return append(StateShapes(c, s.Batch, s.Capacity), device.Int32(s.Batch), device.Int32(s.Batch), device.Int32(s.Batch), device.Uint32(s.Batch, 2),
		device.Float32(s.Batch), device.Float32(s.Batch), device.Int32(s.Stops))
}

// ChunkResults is how many outputs of an Extend program come before the state.
func ChunkResults(s ChunkShape) int {
	if s.Top > 0 {
		return 4
	}
	return 2
}

// ChunkReuse maps the state among an Extend program's inputs to the state among its outputs, which takes over its memory. before is how many
// inputs come before the state.
func ChunkReuse(c hf.Config, s ChunkShape, before int) map[int]int {
	out := map[int]int{}
	for i := range 1 + 2*c.Layers {
		out[before+i] = ChunkResults(s) + i
	}
	return out
}

// Extend draws up to s.New tokens for each row, as Generate would with the same keys: tokens [batch, new] int32 (-1 after a stop id and
// after the last that remained), logProb [batch, new] nats under softmax(logits) whatever the temperature, with s.Top > 0 the likeliest tokens
// [batch, new, top] int32 and their logProb, and the state after them. Every token drawn is in the cache then, but for the last of a row
// that ended: its state is void.
func Extend(c hf.Config, s ChunkShape, params, packed, in []*Node) []*Node {
	w := Bind(c, params)
	layers := 2 * c.Layers
	logits, cache, rest := in[0], in[1:1+layers], in[1+layers:]
	if kernel.Allowed(logits.Graph()) {
		d := kernelDecoder(c, w, s.Capacity, cache, logits)
		d.Keys, d.Temperature, d.TopP, d.Stops = rest[3], rest[4], rest[5], rest[6]
		d.New, d.Nucleus = s.New, s.TopP
		return kernel.Extend(d, kernel.Chunk{Position: rest[0], Drawn: rest[1], Remaining: rest[2], Packed: packed[0], Top: s.Top})
	}
	g := logits.Graph()
	constants := append(append([]*Node{}, params...), rest...)
	state := append([]*Node{Const(g, int32(0)), LessOrEqual(rest[2], ZerosLike(rest[2])), logits}, cache...)
	tokens := shapes.Make(dtypes.Int32, s.Batch, s.New)
	state = append(state, MulScalar(Ones(g, tokens), -1), Zeros(g, device.Float32(tokens.Dimensions...)))
	if s.Top > 0 {
		top := shapes.Make(dtypes.Int32, s.Batch, s.New, s.Top)
		state = append(state, MulScalar(Ones(g, top), -1), Zeros(g, device.Float32(top.Dimensions...)))
	}
	out := workaround.Loop(g, "extend", state, constants,
		func(st, _ []*Node) *Node {
			return LogicalAnd(LessThan(st[0], Const(g, int32(s.New))), LogicalNot(LogicalAll(st[1])))
		},
		func(st, cs []*Node) []*Node {
			rows := rowsOf(cs[len(params):])
			step, done, logits, cache, results := st[0], st[1], st[2], st[3:3+layers], st[3+layers:]
			token, _ := choose(truncation{TopP: s.TopP}, logits, rows.keys, Add(rows.drawn, eachRow(step, rows.drawn)), rows.temperature, rows.topP)
			results = record(results, append([]*Node{token}, described(logits, token, s.Top)...), done, step)
			stopped := LogicalAny(Equal(BroadcastToDims(InsertAxes(token, -1), s.Batch, s.Stops), BroadcastToDims(InsertAxes(rows.stops, 0), s.Batch, s.Stops)), -1)
			done = LogicalOr(done, LogicalOr(stopped, LessOrEqual(rows.remaining, eachRow(AddScalar(step, 1), rows.remaining))))
			logits, cache = feedRows(c, s, Bind(c, cs[:len(params)]), token, Add(rows.position, eachRow(step, rows.position)), cache)
			return append(append([]*Node{AddScalar(step, 1), done, logits}, cache...), results...)
		})
	return append(append([]*Node{}, out[3+layers:]...), out[2:3+layers]...)
}

// rows are the inputs of Extend that follow the state.
type rows struct{ position, drawn, remaining, keys, temperature, topP, stops *Node }

func rowsOf(in []*Node) rows { return rows{in[0], in[1], in[2], in[3], in[4], in[5], in[6]} }

// record writes what a step found for the rows that are not done, [batch] or [batch, top], at the step's column of the results.
func record(results, found []*Node, done, step *Node) []*Node {
	z := Const(step.Graph(), int32(0))
	out := make([]*Node, len(results))
	for i, x := range found {
		at := []*Node{z, step, z}[:results[i].Rank()]
		dims := append([]int{}, results[i].Shape().Dimensions...)
		dims[1] = 1
		old := DynamicSlice(results[i], at, dims)
		x = Reshape(x, dims...)
		for done.Rank() < len(dims) {
			done = InsertAxes(done, -1)
		}
		out[i] = DynamicUpdateSlice(results[i], Where(BroadcastToDims(done, dims...), old, x), at)
	}
	return out
}

// feedRows feeds one token a row at slots [batch] of the cache. A slot beyond the cache, which only a row that is done has, is not written.
func feedRows(c hf.Config, s ChunkShape, w *Weights, token, slots *Node, cache []*Node) (logits *Node, next []*Node) {
	g := token.Graph()
	r := newRotary(c, InsertAxes(slots, -1), s.Capacity)
	shape := shapes.Make(dtypes.Int32, s.Batch, 1, 1, 1, s.Capacity)
	index := Iota(g, shape, 4)
	here := BroadcastToShape(Reshape(slots, s.Batch, 1, 1, 1, 1), shape)
	allowed := LessOrEqual(index, here)
	masks := biases{full: bias(allowed)}
	if c.SlidingWindow > 0 {
		near := LessThan(Sub(here, index), BroadcastToShape(Const(g, int32(c.SlidingWindow)), shape))
		masks.windowed = bias(LogicalAnd(allowed, near))
	}
	place := shapes.Make(dtypes.Int32, s.Batch, c.KVHeads, 1)
	at := Concatenate([]*Node{Iota(g, place, 0), Iota(g, place, 1), BroadcastToShape(Reshape(slots, s.Batch, 1, 1), place)}, -1)
	return feedToken(c, w, token, r, masks, cache, func(cache, x *Node) *Node {
		return ScatterSum(cache, at, Reshape(x, s.Batch, c.KVHeads, c.HeadDim), true, true) // the slot holds zeros
	})
}

// PackedShapes are the shapes of what Pack makes of the parameters for Extend: where programs call kernels the weights in the decoding kernel's
// layout, elsewhere nothing.
func PackedShapes(c hf.Config, kernels bool) []shapes.Shape {
	if !kernels {
		return nil
	}
	return []shapes.Shape{device.Float32(kernel.PackedSize(c.VocabSize, c.Hidden, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.FFN))}
}

// Pack brings the weights into the layout in which Extend reads them, see PackedShapes.
func Pack(c hf.Config, params []*Node) []*Node {
	w := Bind(c, params)
	d := kernel.Decoder{Head: Head(w)}
	for l := range c.Layers {
		d.Layers = append(d.Layers, kernelLayer(w.layer(l)))
	}
	return []*Node{kernel.Pack(d, c.HeadDim, PackedShapes(c, true)[0].Size())}
}
