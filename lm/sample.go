package lm

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// topPWidth bounds the sort that nucleus sampling needs: the nucleus is taken among this many likeliest tokens.
const topPWidth = 64

// sample draws a token for each row of logits [batch, vocab] and gives its log-probability under the untruncated
// softmax(logits/temperature), which is what the trainer computes again.
func sample(s GenerateShape, logits, keys, step, temperature, topP *Node) (token, logProb *Node) {
	g := logits.Graph()
	vocab := logits.Shape().Dimensions[1]
	one := Const(g, float32(1))
	greedy := LessOrEqual(temperature, Const(g, float32(0)))
	scaled := Div(logits, BroadcastToShape(Where(greedy, one, temperature), logits.Shape()))
	noise := Mul(gumbel(keys, step, vocab), BroadcastToShape(Where(greedy, ZerosLike(one), one), logits.Shape()))
	token = ArgMax(Add(truncate(s, scaled, topP), noise), -1, dtypes.Int32)

	top := ReduceAndKeep(scaled, ReduceMax, -1)
	logSum := Log(ReduceSum(Exp(Sub(scaled, top)), -1))
	ids := Iota(g, shapes.Make(dtypes.Int32, logits.Shape().Dimensions...), 1)
	chosen := Equal(ids, BroadcastToShape(InsertAxes(token, -1), ids.Shape()))
	picked := ReduceSum(Where(chosen, Sub(scaled, top), ZerosLike(scaled)), -1)
	return token, Sub(picked, logSum)
}

// truncate removes tokens outside the top k and outside the nucleus: the smallest set of likeliest tokens whose mass reaches p
// (Holtzman et al. 2019, arXiv 1904.09751), looked for among the topPWidth likeliest.
func truncate(s GenerateShape, logits, topP *Node) *Node {
	vocab := logits.Shape().Dimensions[1]
	if (s.TopK == 0 || s.TopK >= vocab) && !s.TopP {
		return logits
	}
	width := s.TopK
	if width == 0 || width > vocab {
		width = min(topPWidth, vocab)
	}
	sorted, _ := TopK(logits, width, -1)
	threshold := SliceAxis(sorted, -1, AxisElem(width-1))
	if s.TopP {
		all := ReduceAndKeep(logits, ReduceMax, -1)
		mass := ReduceAndKeep(Exp(Sub(logits, all)), ReduceSum, -1)
		p := Div(Exp(Sub(sorted, all)), mass)
		before := Sub(CumSum(p, -1), p)
		keep := LessThan(before, BroadcastToShape(topP, before.Shape()))
		top := SliceAxis(sorted, -1, AxisElem(0))
		nucleus := ReduceAndKeep(Where(keep, sorted, BroadcastToShape(top, sorted.Shape())), ReduceMin, -1)
		threshold = Max(threshold, nucleus)
		if s.TopK == 0 {
			threshold = nucleus
		}
	}
	low := LessThan(logits, BroadcastToShape(threshold, logits.Shape()))
	return Where(low, BroadcastToShape(Scalar(logits.Graph(), logits.DType(), masked), logits.Shape()), logits)
}
