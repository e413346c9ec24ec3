package objective

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// Distill is the token-level divergence between a teacher and a student over the whole vocabulary (generalised knowledge
// distillation, Agarwal et al. 2023, arXiv 2306.13649):
//
//	forward  KL(teacher ‖ student) = Σ_v p(v)·(log p(v) − log q(v))
//	reverse  KL(student ‖ teacher) = Σ_v q(v)·(log q(v) − log p(v))
//	jsd      β·KL(p‖m) + (1−β)·KL(q‖m), m = β·p + (1−β)·q, β = 1/2
//
// On the teacher's samples it is off-policy distillation, on the student's own it is on-policy distillation.
// LikelihoodCoef adds that multiple of the negative log-likelihood of the target token.
type Distill struct {
	Divergence     string // forward, reverse or jsd
	LikelihoodCoef float64
}

// Key implements Objective.
func (d Distill) Key() string { return fmt.Sprintf("distill%+v", d) }

// Columns implements Objective.
func (Distill) Columns() []string { return nil }

// Metrics implements Objective.
func (Distill) Metrics() []string { return []string{"divergence"} }

// Loss implements Objective.
func (d Distill) Loss(b Batch) (*Node, []*Node) {
	token := b.perToken(2, func(logits, teacher, targets *Node) []*Node {
		divergence := d.divergence(LogSoftmax(logits, -1), StopGradient(LogSoftmax(teacher, -1)))
		if d.LikelihoodCoef == 0 {
			return []*Node{divergence, divergence}
		}
		return []*Node{divergence, Sub(divergence, MulScalar(logProb(logits, targets), d.LikelihoodCoef))}
	})
	divergence, loss := token[0], token[1]
	return sum(Mul(b.Weight, loss)), []*Node{sum(Mul(b.trained(), divergence))}
}

// divergence of the student's log-probabilities q and the teacher's p, [..., vocab] → [...].
func (d Distill) divergence(logQ, logP *Node) *Node {
	switch d.Divergence {
	case "reverse":
		return ReduceSum(Mul(Exp(logQ), Sub(logQ, logP)), -1)
	case "jsd":
		p, q := Exp(logP), Exp(logQ)
		logM := Log(MaxScalar(MulScalar(Add(p, q), 0.5), 1e-30))
		return MulScalar(ReduceSum(Add(Mul(p, Sub(logP, logM)), Mul(q, Sub(logQ, logM))), -1), 0.5)
	default:
		return ReduceSum(Mul(Exp(logP), Sub(logP, logQ)), -1)
	}
}
