package objective

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/device/workaround"
)

// chunked applies f to tokens in a loop over chunks. Its inputs are the hidden states [lanes, padded, hidden], the head, the targets
// [lanes, padded] and, with a teacher, its hidden states and head; padded is tokens rounded up to whole chunks. Each lane is a device's share of
// the rows, so that a chunk lies on all devices.
type chunked struct {
	f            tokenwise
	n            int // arrays that f gives
	lanes        int
	size, tokens int // of a lane
}

func (c chunked) chunks() int { return (c.tokens + c.size - 1) / c.size }

// flat makes [rows, time, …] into [lanes, padded, …].
func (c chunked) flat(x *Node) *Node {
	dims := append([]int{c.lanes, c.tokens}, x.Shape().Dimensions[2:]...)
	axes := make([]PadAxis, len(dims))
	axes[1].End = c.chunks()*c.size - c.tokens
	return Pad(Reshape(x, dims...), Scalar(x.Graph(), x.DType(), 0), axes...)
}

// forward computes f chunk by chunk: arrays [lanes, padded].
func (c chunked) forward(in []*Node) []*Node {
	state := []*Node{Const(in[0].Graph(), int32(0))}
	for range c.n {
		state = append(state, Zeros(in[0].Graph(), shapes.Make(dtypes.Float32, c.lanes, c.chunks()*c.size)))
	}
	out := workaround.Loop(in[0].Graph(), "logits", state, in, c.more, func(st, in []*Node) []*Node {
		next := []*Node{AddScalar(st[0], 1)}
		_, values := c.chunk(st[0], in)
		for k, x := range values {
			next = append(next, c.store(st[1+k], st[0], x))
		}
		return next
	})
	workaround.CustomGradient(out, func(inputs, adjoints []*Node) []*Node {
		gradients := make([]*Node, len(inputs))
		first := len(state) // where the constants begin
		gradients[first], gradients[first+1] = c.backward(inputs[first:], adjoints[1:len(state)])
		return gradients
	})
	return out[1:]
}

// backward computes each chunk again and gives the gradients of the hidden states and of the head. An array that the loss does not use has no adjoint.
func (c chunked) backward(in, adjoints []*Node) (hidden, head *Node) {
	g := in[0].Graph()
	var used []int
	constants := append([]*Node{}, in...)
	for k, a := range adjoints {
		if a != nil {
			used, constants = append(used, k), append(constants, a)
		}
	}
	// The head's gradient is a sum over chunks, in float32 whatever the head's precision.
	state := []*Node{Const(g, int32(0)), ZerosLike(in[0]), Zeros(g, shapes.Make(dtypes.Float32, in[1].Shape().Dimensions...))}
	out := workaround.Loop(g, "logits_gradient", state, constants, c.more, func(st, all []*Node) []*Node {
		hidden, values := c.chunk(st[0], all[:len(in)])
		total := Scalar(g, dtypes.Float32, 0)
		for i, k := range used {
			total = Add(total, ReduceAllSum(Mul(values[k], c.slice(all[len(in)+i], st[0]))))
		}
		gradients := Gradient(total, hidden, all[1])
		return []*Node{AddScalar(st[0], 1), c.store(st[1], st[0], gradients[0]), Add(st[2], ConvertDType(gradients[1], dtypes.Float32))}
	})
	return out[1], ConvertDType(out[2], in[1].DType())
}

// chunk cuts chunk i out of the inputs; it gives its hidden states and what f makes of them.
func (c chunked) chunk(i *Node, in []*Node) (hidden *Node, values []*Node) {
	hidden = c.slice(in[0], i)
	var teacher *Node
	if len(in) > 3 {
		teacher = Projection{c.slice(in[3], i), in[4]}.logits()
	}
	return hidden, c.f(Projection{hidden, in[1]}.logits(), teacher, c.slice(in[2], i))
}

func (c chunked) more(st, _ []*Node) *Node {
	return LessThan(st[0], Const(st[0].Graph(), int32(c.chunks())))
}

func (c chunked) slice(x, i *Node) *Node {
	sizes := x.Shape().Clone().Dimensions
	sizes[1] = c.size
	return DynamicSlice(x, c.starts(x, i), sizes)
}

func (c chunked) store(x, i, values *Node) *Node {
	return DynamicUpdateSlice(x, values, c.starts(x, i))
}

func (c chunked) starts(x, i *Node) []*Node {
	starts := make([]*Node, x.Rank())
	for axis := range starts {
		starts[axis] = Const(x.Graph(), int32(0))
	}
	starts[1] = MulScalar(i, c.size)
	return starts
}
