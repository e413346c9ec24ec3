package objective

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// Policy is the clipped policy-gradient family around GRPO (Shao et al. 2024, DeepSeekMath, arXiv 2402.03300, equation 3):
//
//	ρ_t = exp(log π(y_t) − log π_old(y_t))
//	L_t = −min(ρ_t·A, clip(ρ_t, 1−ε_low, 1+ε_high)·A) + β·KL_t − η·H_t
//
// Its relatives are settings: separate ε_high (DAPO, arXiv 2503.14476), a sequence-level ratio exp(mean_t log ρ_t) (GSPO, arXiv
// 2507.18071), no ratio at all (REINFORCE: L_t = −A·log π(y_t)). How tokens are averaged is in the weights.
//
// KL_t against the reference policy is estimated from the sampled token (Schulman 2020, "Approximating KL divergence"): with
// d = log π_ref − log π, k1 = −d, k2 = d²/2, k3 = exp(d) − d − 1.
//
// Deviations: log ρ is clamped to ±20 before the exponential, as verl does.
type Policy struct {
	Ratio             string  // token, sequence or none
	ClipLow, ClipHigh float64 // 0: open on that side
	KLCoef            float64
	KLEstimator       string // k1, k2 or k3
	EntropyCoef       float64
	Temperature       float64 // of the sampling policy; log-probabilities are those of softmax(logits/T)
}

// Key implements Objective.
func (p Policy) Key() string { return fmt.Sprintf("policy%+v", p) }

// Columns implements Objective.
func (p Policy) Columns() []string {
	columns := []string{Advantage, OldLogProb}
	if p.KLCoef != 0 {
		columns = append(columns, RefLogProb)
	}
	return columns
}

// Metrics implements Objective. sampler_log_prob_gap is the mean |log π − log π_old|: on the first update after sampling, how far the
// sampler's arithmetic is from the trainer's.
func (p Policy) Metrics() []string {
	names := []string{"entropy", "clip_fraction", "sampler_log_prob_gap"}
	if p.KLCoef != 0 {
		names = append(names, "kl")
	}
	return names
}

const maxLogRatio = 20

// Loss implements Objective.
func (p Policy) Loss(b Batch) (*Node, []*Node) {
	token := b.perToken(2, func(logits, _, targets *Node) []*Node {
		if p.Temperature != 1 {
			logits = DivScalar(logits, p.Temperature)
		}
		logp, parts := logProbAndSum(logits, targets)
		return []*Node{logp, entropy(parts)}
	})
	logp, h := token[0], token[1]
	trained := b.trained()
	advantage, old := b.Columns[Advantage], b.Columns[OldLogProb]
	difference := Sub(logp, old)

	var loss, clipped *Node
	if p.Ratio == "none" {
		loss, clipped = Neg(Mul(advantage, logp)), ZerosLike(logp)
	} else {
		logRatio := difference
		if p.Ratio == "sequence" {
			logRatio = segmentMean(difference, trained, b.Segments)
		}
		ratio := Exp(ClipScalar(logRatio, -maxLogRatio, maxLogRatio))
		inside := p.clip(ratio)
		loss = Neg(Min(Mul(ratio, advantage), Mul(inside, advantage)))
		clipped = Where(LessThan(Mul(inside, advantage), Mul(ratio, advantage)), OnesLike(ratio), ZerosLike(ratio))
	}
	if p.EntropyCoef != 0 {
		loss = Sub(loss, MulScalar(h, p.EntropyCoef))
	}
	sums := []*Node{sum(Mul(trained, h)), sum(Mul(trained, clipped)), sum(Mul(trained, Abs(difference)))}
	if p.KLCoef != 0 {
		kl := p.divergence(Sub(b.Columns[RefLogProb], logp))
		loss = Add(loss, MulScalar(kl, p.KLCoef))
		sums = append(sums, sum(Mul(trained, kl)))
	}
	return sum(Mul(b.Weight, loss)), sums
}

// clip bounds the ratio to [1−ε_low, 1+ε_high]; a bound of 0 is open.
func (p Policy) clip(ratio *Node) *Node {
	if p.ClipLow > 0 {
		ratio = MaxScalar(ratio, 1-p.ClipLow)
	}
	if p.ClipHigh > 0 {
		ratio = MinScalar(ratio, 1+p.ClipHigh)
	}
	return ratio
}

// divergence estimates KL(π‖π_ref) from d = log π_ref − log π.
func (p Policy) divergence(d *Node) *Node {
	switch p.KLEstimator {
	case "k1":
		return Neg(d)
	case "k2":
		return MulScalar(Square(d), 0.5)
	default:
		return AddScalar(Sub(Exp(ClipScalar(d, -maxLogRatio, maxLogRatio)), d), -1)
	}
}

// segmentMean replaces each token's value by the mean over the trained tokens of its segment.
func segmentMean(x, trained, segments *Node) *Node {
	rows, time := x.Shape().Dimensions[0], x.Shape().Dimensions[1]
	a := BroadcastToDims(InsertAxes(segments, -1), rows, time, time)
	b := BroadcastToDims(InsertAxes(segments, 1), rows, time, time)
	same := Mul(ConvertDType(Equal(a, b), x.DType()), InsertAxes(trained, 1)) // [rows, time, time of the segment]
	total := ReduceSum(Mul(same, InsertAxes(x, 1)), -1)
	return Div(total, MaxScalar(ReduceSum(same, -1), 1))
}

// Reference is the plain-Go twin for one token: its loss given the log-probabilities. sequenceLogRatio is used when Ratio is "sequence".
func (p Policy) Reference(logp, old, ref, advantage, entropyNats, sequenceLogRatio float64) float64 {
	var loss float64
	switch p.Ratio {
	case "none":
		loss = -advantage * logp
	default:
		logRatio := logp - old
		if p.Ratio == "sequence" {
			logRatio = sequenceLogRatio
		}
		ratio := math.Exp(math.Max(-maxLogRatio, math.Min(maxLogRatio, logRatio)))
		inside := ratio
		if p.ClipLow > 0 {
			inside = math.Max(1-p.ClipLow, inside)
		}
		if p.ClipHigh > 0 {
			inside = math.Min(1+p.ClipHigh, inside)
		}
		loss = -math.Min(ratio*advantage, inside*advantage)
	}
	loss -= p.EntropyCoef * entropyNats
	if p.KLCoef != 0 {
		d := ref - logp
		switch p.KLEstimator {
		case "k1":
			loss += p.KLCoef * -d
		case "k2":
			loss += p.KLCoef * d * d / 2
		default:
			loss += p.KLCoef * (math.Exp(d) - d - 1)
		}
	}
	return loss
}
