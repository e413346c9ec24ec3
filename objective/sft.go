package objective

import (
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
)

// SFT is the negative log-likelihood of the demonstrations: Σ_t w_t · −log π(y_t | y_<t). With w_t = 1/(number of target tokens) it is the
// token mean that transformers' language models report.
type SFT struct{}

// Key implements Objective.
func (SFT) Key() string { return "sft" }

// Columns implements Objective.
func (SFT) Columns() []string { return nil }

// Metrics implements Objective.
func (SFT) Metrics() []string { return []string{"log_prob"} }

// Loss implements Objective.
func (SFT) Loss(b Batch) (*Node, []*Node) {
	logp := LogProb(b, 1)
	return sum(Mul(b.Weight, Neg(logp))), []*Node{sum(Mul(b.trained(), logp))}
}
