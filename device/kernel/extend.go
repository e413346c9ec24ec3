package kernel

// #include "register.h"
import "C"

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"temper/device/workaround"
)

// Chunk is what a chunk of steps has beside a Decoder, whose Padding it does without, whose Temperature and TopP are [batch], and whose layers'
// PromptKeys and PromptValues are the cache [batch, kv, capacity, head].
type Chunk struct {
	Position  *graph.Node // [batch] int32: tokens in the cache
	Drawn     *graph.Node // [batch] int32: tokens drawn before, which count in the noise
	Remaining *graph.Node // [batch] int32: tokens still to draw; 0: the row is empty
	Packed    *graph.Node // what Pack made of the weights
	Top       int         // likeliest tokens to report beside each drawn one
}

// Extend draws d.New tokens for each row that wants as many: tokens [batch, new] int32 (-1 after a stop id, and after the last that remained), logProb
// [batch, new] nats under softmax(logits), with c.Top > 0 the likeliest tokens' ids and logProb [batch, new, top], and last what the next chunk
// needs: logits [batch, vocab] and each layer's keys and values, in the memory of their inputs. The logits of a row that ended are not renewed.
func Extend(d Decoder, c Chunk) []*graph.Node {
	in := append(d.inputs(c.Position), c.Drawn, c.Remaining, c.Packed)
	batch := d.Logits.Shape().Dimensions[0]
	out := []shapes.Shape{shapes.Make(dtypes.Int32, batch, d.New), shapes.Make(dtypes.Float32, batch, d.New)}
	if c.Top > 0 {
		out = append(out, shapes.Make(dtypes.Int32, batch, d.New, c.Top), shapes.Make(dtypes.Float32, batch, d.New, c.Top))
	}
	const logits, firstLayer, layerArguments, cache = 5, 11, 20, 18 // see decode_call.h
	same := map[int]int{len(out): logits}
	out = append(out, d.Logits.Shape())
	for i, l := range d.Layers {
		at := firstLayer + i*layerArguments + cache
		same[len(out)], same[len(out)+1] = at, at+1
		out = append(out, l.PromptKeys.Shape(), l.PromptValues.Shape())
	}
	attributes := d.attributes()
	attributes["top"] = int64(c.Top)
	return workaround.CustomCall("temper_extend", attributes, same, out, in...)
}

// lanes is the width in floats of the vectors that serve heads of a width.
func lanes(head int) int { return int(C.temper_lanes(C.int64_t(head))) }

// PackedSize is how many floats Pack makes of a decoder's weights.
func PackedSize(vocab, hidden, layers, heads, kv, head, ffn int) int {
	panel := 2 * lanes(head) // outputs that stand together, see decode.h
	projection := func(outputs, inputs int) int { return (outputs + panel - 1) / panel * panel * inputs }
	return layers*(projection((heads+2*kv)*head, hidden)+projection(hidden, heads*head)+2*projection(ffn, hidden)+projection(hidden, ffn)) + projection(vocab, hidden)
}

// Pack brings the weights of d.Head and d.Layers into the layout in which Extend multiplies: one array of size floats, see PackedSize. head is the
// width of an attention head.
func Pack(d Decoder, head, size int) *graph.Node {
	in := []*graph.Node{d.Head}
	for _, l := range d.Layers {
		in = append(in, l.Q, l.K, l.V, l.Out, l.Gate, l.Up, l.Down)
	}
	return call("pack", map[string]int64{"head": int64(head)}, []shapes.Shape{shapes.Make(dtypes.Float32, size)}, in...)[0]
}
