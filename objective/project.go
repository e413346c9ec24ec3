package objective

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// Projection is how logits come about: hidden states [rows, time, hidden] times an output head [vocab, hidden].
type Projection struct {
	Hidden, Head *Node
}

// logits are in float32, whatever the precision of the product.
func (p Projection) logits() *Node {
	return ConvertDType(DotGeneral(p.Hidden, []int{p.Hidden.Rank() - 1}, nil, p.Head, []int{1}, nil), dtypes.Float32)
}

const (
	chunkedVocabulary = 32 << 10 // from this size on, the logits of a batch are not kept
	chunkLogits       = 16 << 20 // how many logits exist at a time then
)

// ChunkTokens is how many tokens' logits exist at a time in a step on batches of the given tokens, or 0 for all of them. At the usual
// vocabularies the logits are the largest array of a step; keeping a chunk of them costs one more product with the head, in the backward pass.
func ChunkTokens(tokens, vocab int) int {
	chunk := max(64, chunkLogits/vocab)
	if vocab < chunkedVocabulary || tokens <= chunk {
		return 0
	}
	return chunk
}

// tokenwise is what an objective computes of each token's logits [..., vocab], a teacher's logits or nil, and the target [...]: arrays [...].
type tokenwise func(logits, teacher, targets *Node) []*Node

// perToken applies f, which gives n arrays, to every token of the batch; they come back as [rows, time]. With a chunk set, neither the
// forward nor the backward pass holds more than a chunk's logits. An objective calls it once.
func (b Batch) perToken(n int, f tokenwise) []*Node {
	if b.Chunk == 0 {
		logits, teacher := b.Logits, b.TeacherLogits
		if logits == nil {
			logits = b.Student.logits()
		}
		if teacher == nil && b.Teacher.Hidden != nil {
			teacher = StopGradient(b.Teacher.logits())
		}
		return f(logits, teacher, b.Targets)
	}
	rows, time := b.Targets.Shape().Dimensions[0], b.Targets.Shape().Dimensions[1]
	lanes := max(1, b.Lanes)
	c := chunked{f: f, n: n, lanes: lanes, size: (b.Chunk + lanes - 1) / lanes, tokens: rows * time / lanes}
	in := []*Node{c.flat(b.Student.Hidden), b.Student.Head, c.flat(b.Targets)}
	if b.Teacher.Hidden != nil {
		in = append(in, c.flat(StopGradient(b.Teacher.Hidden)), StopGradient(b.Teacher.Head))
	}
	out := c.forward(in)
	for i := range out {
		out[i] = Reshape(SliceAxis(out[i], 1, AxisRange(0, c.tokens)), rows, time)
	}
	return out
}
