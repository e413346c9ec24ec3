package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"temper/activities/contract"
	"temper/artifact"
	"temper/data"
	"temper/tasks"
)

// Kinds of artifacts beside models and snapshots.
const (
	kindProblems   = "problems"
	kindRollouts   = "rollouts"
	kindShard      = "shard"  // of a round's rollouts
	kindPolicy     = "policy" // parameters of a model in training, to sample with
	kindLog        = "log"
	kindDemos      = "demonstrations"
	kindEvaluation = "evaluation"
	kindStage      = "stage"
	kindReport     = "report"
	kindPromotion  = "promotion"

	problemsFile = "problems.jsonl"
	cleanedFile  = "cleaned.json" // what of the rows was left out, and why
)

// prepareTasks writes every task set as a data set, so that what a run trains on has a name of its own.
func (a *Activities) prepareTasks(ctx context.Context, in contract.PrepareInput) (map[string]contract.Dataset, error) {
	sets, cleaned, err := tasks.LoadSets(ctx, in.Tasks)
	if err != nil {
		return nil, err
	}
	out := map[string]contract.Dataset{}
	for name, problems := range sets {
		m := artifact.Manifest{Kind: kindProblems, Code: a.code, Metrics: map[string]float64{"problems": float64(len(problems))},
			Summary: fmt.Sprintf("task set: %d problems of %s", len(problems), in.Tasks[name])}
		files := map[string][]byte{problemsFile: tasks.WriteJSONL(problems)}
		if c := cleaned[name]; c != nil {
			m.Metrics["duplicates"], m.Metrics["contaminated"], m.Metrics["long"] = float64(c.Duplicates), float64(c.Contaminated), float64(c.Long)
			m.Summary += "; " + c.String()
			if files[cleanedFile], err = json.MarshalIndent(c, "", "  "); err != nil {
				return nil, err
			}
		}
		ref, err := a.store.Commit(ctx, m, files)
		if err != nil {
			return nil, fmt.Errorf("task set %s: %w", name, err)
		}
		out[name] = contract.Dataset{Ref: ref, Count: len(problems)}
	}
	return out, nil
}

// dataset reads a data set of problems.
func (a *Activities) dataset(ctx context.Context, ref artifact.Ref) ([]tasks.Problem, error) {
	return a.problems.get(ref.String(), func() ([]tasks.Problem, error) {
		body, err := a.store.Read(ctx, ref, problemsFile)
		if err != nil {
			return nil, err
		}
		problems, err := tasks.ReadJSONL(body)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", ref.Short(), problemsFile, err)
		}
		return problems, nil
	})
}

// pool is the problems of several names in order; an ordinal counts through all of them.
type pool struct {
	problems []tasks.Problem
	names    []string // of each part
	sizes    []int
}

// pooled joins the data sets that a stage's settings name.
func (a *Activities) pooled(ctx context.Context, stage contract.Stage, names []string) (*pool, error) {
	p := &pool{names: names}
	for _, name := range names {
		part, err := a.dataset(ctx, stage.Data[name])
		if err != nil {
			return nil, fmt.Errorf("problems of %s: %w", name, err)
		}
		p.problems = append(p.problems, part...)
		p.sizes = append(p.sizes, len(part))
	}
	if len(p.problems) == 0 {
		return nil, fmt.Errorf("stage %s: no problems in %s", stage.Stage.ID, strings.Join(names, ", "))
	}
	return p, nil
}

// name is the data set that an ordinal comes from.
func (p *pool) name(ordinal int) string {
	for i, n := range p.sizes {
		if ordinal < n {
			return p.names[i]
		}
		ordinal -= n
	}
	return ""
}

// draw gives the ordinals of a round: round·n to (round+1)·n of the endless shuffled order.
func (p *pool) draw(seed uint64, weights map[string]float64, round, n int) []int {
	m := data.Mixture{Sizes: p.sizes, Seed: seed}
	if len(weights) > 0 {
		for _, name := range p.names {
			m.Weights = append(m.Weights, weights[name])
		}
	}
	return m.Draw(round*n, n)
}
