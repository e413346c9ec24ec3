package report

import (
	"fmt"
	"math"

	"temper/eval"
)

// Comparison is how two models did on the same problems.
type Comparison struct {
	A, B   float64 // means
	Paired eval.Paired
}

// Compare compares model a with model b in pass@k, or in mean reward where k is 0, over the problems that both were measured on. Problems
// with too few judged samples of either are left out for both.
func Compare(a, b []ProblemDetail, k int, seed uint64) (Comparison, error) {
	rows, err := builder{Input{Details: map[string]map[string][]ProblemDetail{"": {"a": a, "b": b}}}}.rows("", "a", "b")
	if err != nil {
		return Comparison{}, err
	}
	c, ok, err := compare(rows, k, seed)
	if err == nil && !ok {
		err = fmt.Errorf("compare models: none of the %d and %d problems is measured for both", len(a), len(b))
	}
	return c, err
}

// compare compares the first of each row with the second; ok is false where no row is measured for both.
func compare(rows []row, k int, seed uint64) (c Comparison, ok bool, err error) {
	var as, bs []float64
	for _, r := range rows {
		x, y := r[0].metric(k), r[1].metric(k)
		if !math.IsNaN(x) && !math.IsNaN(y) {
			as, bs = append(as, x), append(bs, y)
		}
	}
	if len(as) == 0 {
		return Comparison{}, false, nil
	}
	paired, err := eval.PairedBootstrap(as, bs, seed)
	return Comparison{A: mean(as), B: mean(bs), Paired: paired}, true, err
}

// metric is pass@k of a problem, or its mean reward where k is 0; NaN where it was not measured.
func (d ProblemDetail) metric(k int) float64 {
	switch {
	case k > 0:
		return eval.PassAtK(d.Judged, d.Correct, k)
	case d.Scored > 0:
		return d.Reward
	}
	return math.NaN()
}
