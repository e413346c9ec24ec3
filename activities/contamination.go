package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"temper/artifact"
	"temper/eval"
	"temper/tasks"
	"temper/tasks/clean"
)

// contamination says how many problems of an evaluation stand, in part or as a whole, in what a model and those that it was made from were trained
// on, as far as the lineage tells: data sets of this bucket. What a model learnt elsewhere is not known, and says nothing.
func (a *Activities) contamination(ctx context.Context, model artifact.Ref, problems []tasks.Problem) (*eval.Contamination, error) {
	sets, err := a.trainedOn(ctx, model)
	if err != nil || len(sets) == 0 {
		return nil, err
	}
	out := &eval.Contamination{Sets: len(sets), Words: clean.DefaultWords}
	asked, whole := clean.NewEvaluation(clean.DefaultWords), map[string][]int{}
	for i, p := range problems {
		asked.Add(p.ID, p.Prompt)
		words := strings.Join(clean.Words(p.Prompt), " ")
		whole[words] = append(whole[words], i)
	}
	inPart, asWhole := make([]bool, len(problems)), make([]bool, len(problems))
	for _, set := range sets {
		training, err := a.dataset(ctx, set)
		if errors.Is(err, artifact.ErrNotFound) {
			out.Gone++ // a collection has removed it
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, p := range training {
			asked.Each(p.Prompt, func(_ string, questions []int32) {
				for _, q := range questions {
					inPart[q] = true
				}
			})
			for _, i := range whole[strings.Join(clean.Words(p.Prompt), " ")] {
				asWhole[i] = true
			}
		}
	}
	for i := range problems {
		if asWhole[i] {
			out.Whole++
		}
		if asWhole[i] || inPart[i] {
			out.Problems++
		}
	}
	return out, nil
}

// trainedOn lists the data sets of a model's lineage: through models, to the problems that each was trained on.
func (a *Activities) trainedOn(ctx context.Context, model artifact.Ref) ([]artifact.Ref, error) {
	var sets []artifact.Ref
	seen := map[string]bool{}
	for models := []artifact.Ref{model}; len(models) > 0; models = models[1:] {
		m, err := a.store.Load(ctx, models[0])
		if errors.Is(err, artifact.ErrNotFound) {
			continue // what was it made from, nobody knows any more
		}
		if err != nil {
			return nil, fmt.Errorf("lineage of %s: %w", model.Short(), err)
		}
		for _, p := range m.Parents {
			if seen[p.Ref.Digest] {
				continue
			}
			seen[p.Ref.Digest] = true
			switch p.Ref.Kind {
			case kindModel:
				models = append(models, p.Ref)
			case kindProblems:
				sets = append(sets, p.Ref)
			}
		}
	}
	slices.SortFunc(sets, func(x, y artifact.Ref) int { return slices.Compare([]byte(x.Digest), []byte(y.Digest)) })
	return sets, nil
}
