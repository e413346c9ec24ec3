// Package objective holds the losses: one idea a file, the paper beside the code, and a plain-Go reference of each formula that tests
// hold equal to the graph. It may import gomlx's graph package, device/workaround and the standard library.
//
// Every loss is a weighted sum over target tokens, Σ weight·loss. The weights carry the aggregation (over the whole update, however it is
// split into micro-batches), so a gradient does not depend on that split.
package objective

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// Batch is what a loss may look at; arrays are [rows, time] unless noted. The logits come from projections, or are given.
type Batch struct {
	Student Projection // the model in training
	Teacher Projection // of a distilling objective
	Chunk   int        // how many tokens' logits exist at a time, see ChunkTokens; 0: all
	Lanes   int        // devices that the rows lie on, evenly; 0: one

	Logits, TeacherLogits *Node // [rows, time, vocab], in place of Student and Teacher

	Targets  *Node            // int32, the next token at each position
	Segments *Node            // int32, which sequence of the row a token belongs to
	Weight   *Node            // weight of each target in the loss; 0 leaves it out
	Columns  map[string]*Node // the further per-token inputs that the objective asked for
}

// Objective builds a scalar loss and its metrics.
type Objective interface {
	// Key names the objective with all its settings; two objectives with equal keys build the same graph.
	Key() string
	// Columns names the per-token float32 inputs it needs beyond targets, segments and weights.
	Columns() []string
	// Metrics names what Loss reports beside the loss, in order.
	Metrics() []string
	// Loss returns Σ weight·loss over the batch, and a sum over the trained tokens for each of Metrics.
	Loss(b Batch) (loss *Node, sums []*Node)
}

// The per-token inputs of the objectives.
const (
	Advantage  = "advantage"
	OldLogProb = "old_log_prob"
	RefLogProb = "ref_log_prob"
)

// trained is 1 where a target counts and 0 elsewhere.
func (b Batch) trained() *Node {
	return Where(GreaterThan(b.Weight, ZerosLike(b.Weight)), OnesLike(b.Weight), ZerosLike(b.Weight))
}

// LogProb gives log softmax(logits/temperature)[target] in nats, [rows, time].
func LogProb(b Batch, temperature float64) *Node {
	return b.perToken(1, func(logits, _, targets *Node) []*Node {
		if temperature != 1 {
			logits = DivScalar(logits, temperature)
		}
		return []*Node{logProb(logits, targets)}
	})[0]
}

// logProb gives log softmax(logits)[target] in nats, [...].
func logProb(logits, targets *Node) *Node {
	logp, _ := logProbAndSum(logits, targets)
	return logp
}

// logProbAndSum also returns z = logits − max and its log-sum-exp, from which entropy follows.
func logProbAndSum(logits, targets *Node) (logp *Node, parts [2]*Node) {
	top := StopGradient(ReduceAndKeep(logits, ReduceMax, -1))
	z := Sub(logits, top)
	logSum := Log(ReduceSum(Exp(z), -1))
	ids := Iota(logits.Graph(), shapes.Make(dtypes.Int32, logits.Shape().Dimensions...), -1)
	chosen := Equal(ids, BroadcastToShape(InsertAxes(targets, -1), ids.Shape()))
	picked := ReduceSum(Where(chosen, z, ZerosLike(z)), -1)
	return Sub(picked, logSum), [2]*Node{z, logSum}
}

// entropy is −Σ p·log p in nats, [...], from the parts of logProbAndSum.
func entropy(parts [2]*Node) *Node {
	z, logSum := parts[0], parts[1]
	p := Exp(Sub(z, InsertAxes(logSum, -1)))
	return Sub(logSum, ReduceSum(Mul(p, z), -1))
}

func sum(x *Node) *Node { return ReduceAllSum(x) }
