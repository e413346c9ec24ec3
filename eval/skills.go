package eval

import (
	"math"
	"slices"
	"strings"

	"temper/tasks"
)

// Skills rolls scores up a tree: a concept "algebra/linear" belongs to "algebra" too, and everything to "" (all). The score of a node is the mean over
// its problems, each counted once; values has pass@1 of each problem, NaN where it was not judged.
func Skills(problems []tasks.Problem, values []float64) []Skill {
	at := map[string]*Skill{}
	for i, p := range problems {
		if math.IsNaN(values[i]) {
			continue
		}
		seen := map[string]bool{}
		for _, c := range append([]string{""}, p.Concepts...) {
			for path := c; !seen[path]; path = above(path) {
				seen[path] = true
				s := at[path]
				if s == nil {
					s = &Skill{Path: path}
					at[path] = s
				}
				s.N++
				s.Score += values[i]
			}
		}
	}
	var out []Skill
	for _, s := range at {
		s.Score /= float64(s.N)
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Skill) int { return strings.Compare(order(a.Path), order(b.Path)) })
	return out
}

// Skill is a node of the tree; they are listed from the root down.
type Skill struct {
	Path  string  `json:"path"` // "": all
	N     int     `json:"n"`    // problems
	Score float64 `json:"score"`
}

// Depth is 0 for the root.
func (s Skill) Depth() int {
	if s.Path == "" {
		return 0
	}
	return strings.Count(s.Path, "/") + 1
}

func above(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return ""
}

// order lets a node come right before those below it.
func order(path string) string { return strings.ReplaceAll(path, "/", "\x00") }

// Correlation is how two skills go together over models: Pearson's r of their scores.
type Correlation struct {
	A string  `json:"a"`
	B string  `json:"b"`
	R float64 `json:"r"`
}

// Correlations are those of all pairs of skills that every model has, in the order of the first model's list, none of which is the other's part. Fewer
// than three models, or a skill in which all are alike, give none.
func Correlations(models [][]Skill) []Correlation {
	if len(models) < 3 {
		return nil
	}
	scores := map[string][]float64{}
	for _, skills := range models {
		for _, s := range skills {
			scores[s.Path] = append(scores[s.Path], s.Score)
		}
	}
	var out []Correlation
	for i, a := range models[0] {
		for _, b := range models[0][i+1:] {
			if a.Path == "" || strings.HasPrefix(b.Path, a.Path+"/") || len(scores[a.Path]) < len(models) || len(scores[b.Path]) < len(models) {
				continue
			}
			if r := pearson(scores[a.Path], scores[b.Path]); !math.IsNaN(r) {
				out = append(out, Correlation{a.Path, b.Path, r})
			}
		}
	}
	return out
}

// pearson is NaN where one side does not vary.
func pearson(x, y []float64) float64 {
	mx, my := mean(x), mean(y)
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	if xx == 0 || yy == 0 {
		return math.NaN()
	}
	return xy / math.Sqrt(xx*yy)
}
