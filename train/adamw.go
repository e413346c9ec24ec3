package train

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// Optimizer are the settings of AdamW that are compiled into the step (Loshchilov and Hutter 2017, arXiv 1711.05101); the learning rate
// is an input of each update.
//
//	m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  m̂ = m/(1−β₁ᵗ),  v̂ = v/(1−β₂ᵗ)
//	θ ← θ·(1 − lr·λ) − lr·m̂/(√v̂ + ε)
//
// λ applies to matrices only; norms and biases do not decay. The gradient g is first scaled by min(1, ClipNorm/‖g‖).
type Optimizer struct {
	Beta1, Beta2, Epsilon, WeightDecay float64
	ClipNorm                           float64 // 0: no clipping
}

// adamW returns the next parameters and moments. step counts from 1.
func (o Optimizer) adamW(params, m, v, grads []*Node, step, lr *Node) (p2, m2, v2 []*Node) {
	correct1, correct2 := o.corrections(step)
	for i, p := range params {
		mi := Add(MulScalar(m[i], o.Beta1), MulScalar(grads[i], 1-o.Beta1))
		vi := Add(MulScalar(v[i], o.Beta2), MulScalar(Square(grads[i]), 1-o.Beta2))
		update := Div(Div(mi, correct1), AddScalar(Sqrt(Div(vi, correct2)), o.Epsilon))
		if p.Rank() > 1 && o.WeightDecay != 0 {
			update = Add(update, MulScalar(p, o.WeightDecay))
		}
		p2 = append(p2, Sub(p, Mul(update, lr)))
		m2 = append(m2, mi)
		v2 = append(v2, vi)
	}
	return p2, m2, v2
}

// corrections are 1−β₁ᵗ and 1−β₂ᵗ.
func (o Optimizer) corrections(step *Node) (first, second *Node) {
	g := step.Graph()
	return OneMinus(Pow(Const(g, float32(o.Beta1)), step)), OneMinus(Pow(Const(g, float32(o.Beta2)), step))
}

// settings is what kernel.AdamW reads them from.
func (o Optimizer) settings(step, lr *Node) *Node {
	correct1, correct2 := o.corrections(step)
	fixed := []float32{float32(o.Beta1), float32(1 - o.Beta1), float32(o.Beta2), float32(1 - o.Beta2), float32(o.Epsilon), float32(o.WeightDecay), float32(o.ClipNorm)}
	return Concatenate([]*Node{Const(step.Graph(), fixed), Reshape(lr, 1), Reshape(correct1, 1), Reshape(correct2, 1)}, 0)
}

// clip scales the gradients so that their global norm is at most ClipNorm, and returns the norm before.
func (o Optimizer) clip(grads []*Node) (clipped []*Node, norm *Node) {
	var total *Node
	for _, g := range grads {
		s := ReduceAllSum(Square(g))
		if total == nil {
			total = s
		} else {
			total = Add(total, s)
		}
	}
	norm = Sqrt(total)
	if o.ClipNorm == 0 {
		return grads, norm
	}
	scale := MinScalar(Div(Const(norm.Graph(), float32(o.ClipNorm)), AddScalar(norm, 1e-6)), 1)
	for _, g := range grads {
		clipped = append(clipped, Mul(g, scale))
	}
	return clipped, norm
}

// Schedule gives the learning rate of a step from 0. WSD (warm-up, stable, decay: Hu et al. 2024, MiniCPM, arXiv 2404.06395) stays at the peak
// and falls in a straight line over its last steps.
type Schedule struct {
	Kind       string // constant, cosine, linear or wsd
	Peak       float64
	Warmup     int     // steps of linear warm-up
	Total      int     // steps in all, for all but constant
	Decay      int     // last steps, over which wsd falls
	FinalRatio float64 // of the peak, at the end
}

// At returns the learning rate of a step, counted from 0.
func (s Schedule) At(step int) float64 {
	if step < s.Warmup {
		return s.Peak * float64(step+1) / float64(s.Warmup)
	}
	from := s.Warmup
	if s.Kind == "wsd" {
		from = max(from, s.Total-s.Decay)
	}
	done := math.Max(0, math.Min(1, float64(step-from)/float64(max(1, s.Total-from))))
	switch s.Kind {
	case "cosine":
		return s.Peak * (s.FinalRatio + (1-s.FinalRatio)*(1+math.Cos(math.Pi*done))/2)
	case "linear", "wsd":
		return s.Peak * (1 - (1-s.FinalRatio)*done)
	default:
		return s.Peak
	}
}
