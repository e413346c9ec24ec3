package report

import (
	"maps"
	"math"
	"slices"

	"temper/eval"
)

// Against is how a model did on the problems of another.
type Against struct {
	Model    string      `json:"model"`
	K        int         `json:"k"` // of pass@k; 0: mean reward
	Paired   eval.Paired `json:"paired"`
	Boundary *Boundary   `json:"boundary,omitempty"` // where some problem is beyond the other model
}

// Boundary is what lies beyond a model: the problems that it did not solve in any of at least K samples (MATH-Beyond, arXiv 2510.11653).
type Boundary struct {
	K        int     `json:"k"`
	N        int     `json:"n"`
	Expanded int     `json:"expanded"` // of these, solved by the other model
	Rate     float64 `json:"rate"`     // its mean pass@K on them: the expansion rate
}

// heldAgainst gives the models of an evaluation, each but the first held against the first where the samples are at hand.
func heldAgainst(in Input, evaluation string) ([]Model, error) {
	out := models(in.Results[evaluation])
	details := in.Details[evaluation]
	for i := 1; i < len(out); i++ {
		a, b := details[out[i].Name], details[out[0].Name]
		if len(a) == 0 || len(b) == 0 {
			continue
		}
		rows, err := builder{in}.rows(evaluation, out[i].Name, out[0].Name)
		if err != nil {
			return nil, err
		}
		k := smallestK(out[:1])
		c, ok, err := compare(rows, k, in.Pipeline.Seed)
		if err != nil {
			return nil, err
		}
		if ok {
			out[i].Against = &Against{Model: out[0].Name, K: k, Paired: c.Paired, Boundary: boundary(b, a, largestK(out[:1]))}
		}
	}
	return out, nil
}

func largestK(models []Model) int {
	k := 0
	for _, m := range models {
		k = max(k, slices.Max(append(slices.Collect(maps.Keys(m.PassAt)), 0)))
	}
	return k
}

// boundary measures a model on what lies beyond a base; nil where nothing does.
func boundary(base, model []ProblemDetail, k int) *Boundary {
	unsolved := map[string]bool{}
	for _, d := range base {
		if k > 0 && d.Judged >= k && d.Correct == 0 {
			unsolved[d.ID] = true
		}
	}
	out := &Boundary{K: k}
	var rates []float64
	for _, d := range model {
		if !unsolved[d.ID] {
			continue
		}
		if p := eval.PassAtK(d.Judged, d.Correct, k); !math.IsNaN(p) {
			rates = append(rates, p)
			if d.Correct > 0 {
				out.Expanded++
			}
		}
	}
	if len(rates) == 0 {
		return nil
	}
	out.N, out.Rate = len(rates), mean(rates)
	return out
}
