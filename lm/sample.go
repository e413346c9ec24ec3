package lm

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// topPWidth bounds the sort that nucleus sampling needs: the nucleus is taken among this many likeliest tokens.
const topPWidth = 64

// truncation is what sampling leaves out.
type truncation struct {
	TopK int // keep the k likeliest tokens; 0 keeps all
	TopP bool
}

// sample draws a token for each row of logits [batch, vocab] and gives its log-probability under the untruncated
// softmax(logits/temperature), which is what the trainer computes again. temperature and topP are scalars or [batch].
func sample(t truncation, logits, keys, step, temperature, topP *Node) (token, logProb *Node) {
	token, scaled := choose(t, logits, keys, step, temperature, topP)
	return token, logProbOf(scaled, token)
}

// choose draws as sample does, and gives the logits over the temperature.
func choose(t truncation, logits, keys, step, temperature, topP *Node) (token, scaled *Node) {
	g := logits.Graph()
	vocab := logits.Shape().Dimensions[1]
	one := Scalar(g, dtypes.Float32, 1)
	if !temperature.IsScalar() {
		one = OnesLike(temperature)
	}
	greedy := LessOrEqual(temperature, ZerosLike(one))
	scaled = Div(logits, eachRow(Where(greedy, one, temperature), logits))
	noise := Mul(gumbel(keys, step, vocab), eachRow(Where(greedy, ZerosLike(one), one), logits))
	return ArgMax(Add(truncate(t, scaled, topP), noise), -1, dtypes.Int32), scaled
}

// eachRow spreads a scalar or [batch] over the rows of an array [batch, …].
func eachRow(x, like *Node) *Node {
	if !x.IsScalar() {
		x = InsertAxes(x, -1)
	}
	return BroadcastToShape(x, shapes.Make(x.DType(), like.Shape().Dimensions...))
}

// logProbOf is log softmax(logits)[token] in nats: [..., vocab] and [...] int32 → [...].
func logProbOf(logits, token *Node) *Node { return described(logits, token, 0)[0] }

// described is logProbOf and, with k > 0, the k likeliest tokens, the first of equals first, and their log-probabilities [..., k]: to the bit the
// same as the token's, where it is one of them.
func described(logits, token *Node, k int) []*Node {
	top := ReduceAndKeep(logits, ReduceMax, -1)
	logSum := Log(ReduceSum(Exp(Sub(logits, top)), -1))
	ids := Iota(logits.Graph(), shapes.Make(dtypes.Int32, logits.Shape().Dimensions...), -1)
	chosen := Equal(ids, BroadcastToShape(InsertAxes(token, -1), ids.Shape()))
	picked := ReduceSum(Where(chosen, Sub(logits, top), ZerosLike(logits)), -1)
	out := []*Node{Sub(picked, logSum)}
	if k == 0 {
		return out
	}
	left, logProbs, best := logits, []*Node{}, []*Node{}
	for range k { // k passes cost less than sorting a vocabulary
		id := InsertAxes(ArgMax(left, -1, dtypes.Int32), -1)
		best = append(best, id)
		logProbs = append(logProbs, Sub(Sub(ReduceAndKeep(left, ReduceMax, -1), top), InsertAxes(logSum, -1)))
		left = Where(Equal(ids, BroadcastToShape(id, ids.Shape())), MulScalar(OnesLike(left), masked), left)
	}
	return append(out, Concatenate(best, -1), Concatenate(logProbs, -1))
}

// truncate removes tokens outside the top k and outside the nucleus: the smallest set of likeliest tokens whose mass reaches p
// (Holtzman et al. 2019, arXiv 1904.09751), looked for among the topPWidth likeliest.
func truncate(s truncation, logits, topP *Node) *Node {
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
		keep := LessThan(before, eachRow(topP, before))
		top := SliceAxis(sorted, -1, AxisElem(0))
		nucleus := ReduceAndKeep(Where(keep, sorted, BroadcastToShape(top, sorted.Shape())), ReduceMin, -1)
		if !topP.IsScalar() { // a row may keep all
			all := GreaterOrEqual(topP, OnesLike(topP))
			nucleus = Where(InsertAxes(all, -1), MulScalar(OnesLike(nucleus), masked), nucleus)
		}
		threshold = Max(threshold, nucleus)
		if s.TopK == 0 {
			threshold = nucleus
		}
	}
	low := LessThan(logits, BroadcastToShape(threshold, logits.Shape()))
	return Where(low, BroadcastToShape(Scalar(logits.Graph(), logits.DType(), masked), logits.Shape()), logits)
}
