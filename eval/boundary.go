package eval

// Boundary is what MATH-Beyond (arXiv 2510.11653) measures: problems that a base model does not solve in k samples, and how many of them another
// model does.
type Boundary struct {
	K        int     `json:"k"`
	N        int     `json:"n"`        // problems beyond the base: judged at least k times, never right
	Expanded int     `json:"expanded"` // of these, solved by the model in k samples
	Rate     float64 `json:"rate"`     // expansion rate: mean pass@k of the model on them; 0 without any
}

// Beyond are the places of the problems that a base does not solve: of its judged samples, at least k a problem, none is right.
func Beyond(base [][]bool, k int) []int {
	var out []int
	for i, p := range PerProblem(base, k) {
		if p == 0 && len(base[i]) >= k && !anyOf(base[i]) {
			out = append(out, i)
		}
	}
	return out
}

// Expansion measures a model on the problems at places.
func Expansion(model [][]bool, places []int, k int) Boundary {
	out := Boundary{K: k, N: len(places)}
	part := make([][]bool, len(places))
	for i, at := range places {
		part[i] = model[at]
		if anyOf(part[i]) {
			out.Expanded++
		}
	}
	if values := drop(PerProblem(part, k)); len(values) > 0 {
		out.Rate = mean(values)
	}
	return out
}

func anyOf(row []bool) bool {
	for _, right := range row {
		if right {
			return true
		}
	}
	return false
}
