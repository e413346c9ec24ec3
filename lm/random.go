package lm

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// Sampling noise is counter-based: the noise of (sequence key, position, vocabulary entry) is a hash of those three, so it does not
// depend on which other sequences share the batch, nor on the order of work. The hash is the 32-bit finaliser of MurmurHash3
// (Appleby, public domain) applied twice.

const (
	golden  = 0x9E3779B9
	mixMul1 = 0x85EBCA6B
	mixMul2 = 0xC2B2AE35
)

// Mix32 is the plain-Go hash finaliser that mix32 computes on the device.
func Mix32(h uint32) uint32 {
	h ^= h >> 16
	h *= mixMul1
	h ^= h >> 13
	h *= mixMul2
	return h ^ h>>16
}

// Uniform is the plain-Go twin of uniform: a number in (0, 1) for a sequence's key, a position and a vocabulary entry.
func Uniform(key [2]uint32, position, entry uint32) float32 {
	row := Mix32(Mix32(key[0]^position*golden) ^ key[1])
	h := Mix32(Mix32(row+entry*golden) ^ row)
	return unit(h)
}

// unit maps a hash to (0, 1). It takes 23 bits: with one more the half would be rounded away, and the largest be 1, whose Gumbel noise is
// infinite and forces its token.
func unit(h uint32) float32 { return (float32(h>>9) + 0.5) / (1 << 23) }

// SequenceKey derives the key of one sampled sequence from (seed, iteration, prompt ordinal, sample).
func SequenceKey(seed uint64, iteration, ordinal, sample int) [2]uint32 {
	h := splitMix64(seed)
	for _, v := range []int{iteration, ordinal, sample} {
		h = splitMix64(h ^ uint64(v))
	}
	return [2]uint32{uint32(h), uint32(h >> 32)}
}

// splitMix64 is the output function of SplitMix64 (Steele, Lea, Flood 2014).
func splitMix64(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func mix32(h *Node) *Node {
	g := h.Graph()
	h = BitwiseXor(h, BitwiseShiftRightLogicalScalar(h, uint32(16)))
	h = Mul(h, Const(g, uint32(mixMul1)))
	h = BitwiseXor(h, BitwiseShiftRightLogicalScalar(h, uint32(13)))
	h = Mul(h, Const(g, uint32(mixMul2)))
	return BitwiseXor(h, BitwiseShiftRightLogicalScalar(h, uint32(16)))
}

// uniform gives [batch, vocab] numbers in (0, 1) for keys [batch, 2] uint32 at a position, a scalar or [batch].
func uniform(keys, position *Node, vocab int) *Node {
	g := keys.Graph()
	batch := keys.Shape().Dimensions[0]
	column := func(i int) *Node { return Reshape(SliceAxis(keys, 1, AxisElem(i)), batch, 1) }
	p := MulScalar(ConvertDType(position, dtypes.Uint32), uint32(golden))
	row := mix32(BitwiseXor(mix32(BitwiseXor(column(0), eachRow(p, column(0)))), column(1)))
	shape := shapes.Make(dtypes.Uint32, batch, vocab)
	row = BroadcastToShape(row, shape)
	entry := Mul(Iota(g, shape, 1), BroadcastToShape(Const(g, uint32(golden)), shape))
	h := mix32(BitwiseXor(mix32(Add(row, entry)), row))
	return MulScalar(AddScalar(ConvertDType(BitwiseShiftRightLogicalScalar(h, uint32(9)), dtypes.Float32), 0.5), math.Exp2(-23))
}

// gumbel gives standard Gumbel noise: argmax(logits/T + gumbel) samples softmax(logits/T).
func gumbel(keys, position *Node, vocab int) *Node {
	return Neg(Log(Neg(Log(uniform(keys, position, vocab)))))
}
