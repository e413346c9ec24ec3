package lm

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/lm/hf"
)

// inverseFrequencies are θ^(-2i/d) for i in [0, d/2) (Su et al. 2021, arXiv 2104.09864), rescaled as Llama 3 does when the checkpoint
// asks for it: long wavelengths are divided by factor, short ones kept, those between interpolated.
func inverseFrequencies(c hf.Config) []float32 {
	out := make([]float32, c.HeadDim/2)
	for i := range out {
		f := math.Pow(c.RopeTheta, -float64(2*i)/float64(c.HeadDim))
		if s := c.RopeScaling; s != nil {
			wavelength := 2 * math.Pi / f
			original := float64(s.OriginalMaxPositions)
			switch {
			case wavelength > original/s.LowFreqFactor:
				f /= s.Factor
			case wavelength >= original/s.HighFreqFactor:
				smooth := (original/wavelength - s.LowFreqFactor) / (s.HighFreqFactor - s.LowFreqFactor)
				f = (1-smooth)*f/s.Factor + smooth*f
			}
		}
		out[i] = float32(f)
	}
	return out
}

// rotary holds cos and sin of position·frequency, shaped [batch, time, 1, head/2].
type rotary struct{ cos, sin *Node }

// newRotary looks positions [batch, time] up in tables of cos and sin, which are constants of the program: XLA would compute them again for each
// layer and head. Positions are below limit.
func newRotary(c hf.Config, positions *Node, limit int) rotary {
	cos, sin := rotaryTables(c, limit)
	g := positions.Graph()
	at := InsertAxes(positions, -1)
	return rotary{InsertAxes(Gather(Const(g, cos), at), 2), InsertAxes(Gather(Const(g, sin), at), 2)}
}

// rotaryTables are cos and sin for positions below limit, [limit, head/2].
func rotaryTables(c hf.Config, limit int) (cos, sin [][]float32) {
	frequencies := inverseFrequencies(c)
	cos, sin = make([][]float32, limit), make([][]float32, limit)
	for p := range limit {
		cos[p], sin[p] = make([]float32, len(frequencies)), make([]float32, len(frequencies))
		for i, f := range frequencies {
			s, c := math.Sincos(float64(float32(p) * f)) // the angle is rounded to float32, as in transformers
			cos[p][i], sin[p][i] = float32(c), float32(s)
		}
	}
	return cos, sin
}

// apply rotates x [batch, time, heads, head] in the half-split layout of Hugging Face: (x₁, x₂) → (x₁·cos − x₂·sin, x₂·cos + x₁·sin).
func (r rotary) apply(x *Node) *Node {
	r = rotary{ConvertDType(r.cos, x.DType()), ConvertDType(r.sin, x.DType())}
	half := x.Shape().Dimensions[3] / 2
	x1 := SliceAxis(x, -1, AxisRange(0, half))
	x2 := SliceAxis(x, -1, AxisRange(half, 2*half))
	return Concatenate([]*Node{Sub(Mul(x1, r.cos), Mul(x2, r.sin)), Add(Mul(x2, r.cos), Mul(x1, r.sin))}, -1)
}
