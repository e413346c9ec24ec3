package lm

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/lm/hf"
)

// Start reads prompts [batch, width] int32, padded on the right, of lengths [batch] int32 > 0: the state that Extend goes on from, of capacity width.
func Start(c hf.Config, params []*Node, tokens, lengths *Node) []*Node {
	w := Bind(c, params)
	g := tokens.Graph()
	batch, width := tokens.Shape().Dimensions[0], tokens.Shape().Dimensions[1]
	shape := shapes.Make(dtypes.Int32, batch, width)
	kv, x := read(c, w, tokens, Iota(g, shape, 1), Ones(g, shape))
	real := ConvertDType(LessThan(Iota(g, shape, 1), eachRow(lengths, tokens)), dtypes.Float32)

	at := Concatenate([]*Node{Iota(g, shapes.Make(dtypes.Int32, batch, 1), 0), InsertAxes(AddScalar(lengths, -1), -1)}, -1)
	last := Gather(x, at) // [batch, hidden]
	out := []*Node{Logits(w, rmsNorm(last, w.get("model.norm.weight"), c.NormEps))}
	for _, k := range kv {
		k = TransposeAllDims(k, 0, 2, 1, 3)
		out = append(out, Mul(k, BroadcastToShape(Reshape(real, batch, 1, width, 1), k.Shape())))
	}
	return out
}

// Join puts the only row of a state in the place of a row of another, whose capacity is enough for its tokens.
func Join(state, one []*Node, row *Node) []*Node {
	out := make([]*Node, len(state))
	for i, x := range state {
		out[i] = DynamicUpdateSlice(x, resized(one[i], x.Shape().Dimensions), place(row, x.Rank()))
	}
	return out
}

// place is the start of a row in an array.
func place(row *Node, rank int) []*Node {
	at := []*Node{row}
	for len(at) < rank {
		at = append(at, Const(row.Graph(), int32(0)))
	}
	return at
}

// Move makes a state of the rows [batch] int32 of another, in their order, with another capacity that is enough for them.
func Move(state []*Node, rows *Node, capacity int) []*Node {
	out := make([]*Node, len(state))
	for i, x := range state {
		dims := append([]int{}, x.Shape().Dimensions...)
		if len(dims) == 4 {
			dims[2] = capacity
		}
		out[i] = Gather(resized(x, dims), InsertAxes(rows, -1))
	}
	return out
}

// resized cuts or fills the slots of a state's array to those of dims; its rows stay.
func resized(x *Node, dims []int) *Node {
	if x.Rank() < 4 || x.Shape().Dimensions[2] == dims[2] {
		return x
	}
	if have := x.Shape().Dimensions[2]; have < dims[2] {
		return Pad(x, Scalar(x.Graph(), x.DType(), 0.0), PadAxis{}, PadAxis{}, PadAxis{End: dims[2] - have}, PadAxis{})
	}
	return SliceAxis(x, 2, AxisRange(0, dims[2]))
}
