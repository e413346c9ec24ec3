package report

import (
	"cmp"
	"slices"
	"strings"

	"temper/eval"
	"temper/pipelines"
)

// SwS: Self-aware Weakness-driven Problem Synthesis in Reinforcement Learning for LLM Reasoning, arXiv 2506.08989. What it claims
// and this part shows: problems written for the concepts that the model fails at raise it on these concepts.
//
// Deviations: the paper reports test sets by subject; this compares the models before and after by concept, and paired over all
// problems with a weak concept.

// SwS is what the written problems did for the weak concepts.
type SwS struct {
	Stage      string    `json:"stage"`
	Before     string    `json:"before"`
	After      string    `json:"after"`
	Control    string    `json:"control,omitempty"`
	Evaluation string    `json:"evaluation"`
	Written    int       `json:"written"`
	Agreed     int       `json:"agreed"` // enough of the answers agreed
	Kept       int       `json:"kept"`
	Concepts   []Concept `json:"concepts"`       // the weak ones, the weakest first
	Weak       *Weak     `json:"weak,omitempty"` // all of them together; absent where the evaluation has no problem with one
}

// Concept is a weak concept. Before and After are pass@1, absent where the evaluation has no problem with it.
type Concept struct {
	Concept string   `json:"concept"`
	Failure float64  `json:"failure"` // share of its problems that training failed at
	N       int      `json:"n"`       // problems of the evaluation
	Before  *float64 `json:"before,omitempty"`
	After   *float64 `json:"after,omitempty"`
}

// Weak is pass@1 over the problems with at least one weak concept, each counted once.
type Weak struct {
	N      int          `json:"n"`
	Before float64      `json:"before"`
	After  float64      `json:"after"`
	Paired *eval.Paired `json:"paired"` // after − before

	Control *float64     `json:"control,omitempty"`
	Against *eval.Paired `json:"against_control,omitempty"` // after − control
}

// weakPrefix begins the numbers of a synthesize stage that are the failure ratios of concepts.
const weakPrefix = "weak/"

func (b builder) sws(spec pipelines.SwSReport) (*SwS, error) {
	info, err := b.info(spec.Stage)
	if err != nil {
		return nil, err
	}
	out := &SwS{Stage: spec.Stage, Before: spec.Before, After: spec.After, Control: spec.Control, Evaluation: spec.Evaluation, Concepts: []Concept{}}
	if out.Written, err = count(info, spec.Stage, "written"); err != nil {
		return nil, err
	}
	if out.Agreed, err = count(info, spec.Stage, "agreed"); err != nil {
		return nil, err
	}
	if out.Kept, err = count(info, spec.Stage, "kept"); err != nil {
		return nil, err
	}
	models := []string{spec.Before, spec.After}
	if spec.Control != "" {
		models = append(models, spec.Control)
	}
	rows, err := b.judged(spec.Evaluation, models...)
	if err != nil {
		return nil, err
	}
	weak := map[string]bool{}
	for key, failure := range info.Numbers {
		name, ok := strings.CutPrefix(key, weakPrefix)
		if !ok {
			continue
		}
		weak[name] = true
		c := Concept{Concept: name, Failure: failure}
		if part := having(rows, map[string]bool{name: true}); len(part) > 0 {
			before, after := mean(rates(part, 0)), mean(rates(part, 1))
			c.N, c.Before, c.After = len(part), &before, &after
		}
		out.Concepts = append(out.Concepts, c)
	}
	slices.SortFunc(out.Concepts, func(x, y Concept) int {
		return cmp.Or(cmp.Compare(y.Failure, x.Failure), cmp.Compare(x.Concept, y.Concept))
	})
	if part := having(rows, weak); len(part) > 0 {
		out.Weak = &Weak{N: len(part), Before: mean(rates(part, 0)), After: mean(rates(part, 1))}
		if out.Weak.Paired, err = b.paired(part, 1, 0); err != nil || spec.Control == "" {
			return out, err
		}
		control := mean(rates(part, 2))
		out.Weak.Control = &control
		out.Weak.Against, err = b.paired(part, 1, 2)
	}
	return out, err
}

// having gives the problems with at least one of the concepts.
func having(rows []row, concepts map[string]bool) []row {
	var out []row
	for _, r := range rows {
		if slices.ContainsFunc(r[0].Concepts, func(c string) bool { return concepts[c] }) {
			out = append(out, r)
		}
	}
	return out
}
