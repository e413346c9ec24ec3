package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"temper/activities/contract"
	"temper/artifact"
	"temper/eval/report"
	"temper/pipelines"
)

const promotionFile = "promotion.json"

// resolveAlias says what an alias means now. It must be a model that is there.
func (a *Activities) resolveAlias(ctx context.Context, name string) (contract.NamedModel, error) {
	var alias artifact.Alias
	ref, err := artifact.ParseRef(name)
	if err == nil {
		alias.Ref = ref
	} else if alias, err = a.store.Alias(ctx, name); errors.Is(err, artifact.ErrNotFound) {
		return contract.NamedModel{}, nil
	}
	if err != nil {
		return contract.NamedModel{}, err
	}
	if alias.Ref.Kind != kindModel {
		return contract.NamedModel{}, fmt.Errorf("alias %s names %s, which is no model", name, alias.Ref)
	}
	m, err := a.store.Load(ctx, alias.Ref)
	if err != nil {
		return contract.NamedModel{}, fmt.Errorf("alias %s: %w", name, err)
	}
	alias.Ref.Content = m.Content()
	return contract.NamedModel{Found: true, Ref: alias.Ref, Params: int64(m.Metrics["params"])}, nil
}

// promotion is the record of a comparison: what was compared, how, and what came of it.
type promotion struct {
	Alias    string                  `json:"alias"`
	Gate     pipelines.PromotionGate `json:"gate"`
	Model    artifact.Ref            `json:"model"`
	Champion artifact.Ref            `json:"champion"`
	Result   contract.CompareOut     `json:"result"`
}

// compareModels decides a promotion's gate from the two models' results, problem by problem.
func (a *Activities) compareModels(ctx context.Context, in contract.CompareInput) (contract.CompareOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Promote)
	k, ok := s.Gate.K()
	if !ok {
		return contract.CompareOut{}, fmt.Errorf("stage %s: gate.metric %q is no metric", in.Stage.Stage.ID, s.Gate.Metric)
	}
	ours, err := a.details(ctx, in.Candidate)
	if err != nil {
		return contract.CompareOut{}, err
	}
	theirs, err := a.details(ctx, in.Against)
	if err != nil {
		return contract.CompareOut{}, err
	}
	c, err := report.Compare(ours, theirs, k, in.Stage.Seed)
	if err != nil {
		return contract.CompareOut{}, fmt.Errorf("evaluations %s and %s: %w", in.Candidate.Short(), in.Against.Short(), err)
	}
	out := contract.CompareOut{Model: c.A, Champion: c.B, Paired: c.Paired}
	out.Holds, out.Text = decide(*s.Gate, c)
	body, err := json.MarshalIndent(promotion{Alias: s.Alias, Gate: *s.Gate, Model: in.Model, Champion: in.Champion, Result: out}, "", "  ")
	if err != nil {
		return contract.CompareOut{}, err
	}
	out.Ref, err = a.commit(ctx, in.Stage, kindPromotion, fmt.Sprintf("%s against %s for %s: %s", in.Model.Short(), in.Champion.Short(), s.Alias, out.Text),
		map[string]float64{"model": c.A, "champion": c.B, "difference": c.Paired.Difference, "p": c.Paired.P, "problems": float64(c.Paired.N)},
		map[string][]byte{promotionFile: append(body, '\n')},
		artifact.Parent{Role: "model", Ref: in.Model}, artifact.Parent{Role: "champion", Ref: in.Champion},
		artifact.Parent{Role: "candidate", Ref: in.Candidate}, artifact.Parent{Role: "against", Ref: in.Against})
	return out, err
}

// tolerance keeps a difference that is equal to the margin equal after rounding.
const tolerance = 1e-12

// decide says whether a gate holds, and the numbers for people.
func decide(g pipelines.PromotionGate, c report.Comparison) (holds bool, text string) {
	value := func(v float64) string {
		if k, _ := g.K(); k > 0 {
			return fmt.Sprintf("%.1f%%", 100*v)
		}
		return fmt.Sprintf("%.3f", v)
	}
	text = fmt.Sprintf("%s %s against %s over %d problems", g.Metric, value(c.A), value(c.B), c.Paired.N)
	difference := c.Paired.Difference
	holds = difference > 0 && difference >= g.Margin-tolerance
	if g.Test == "paired" {
		text += fmt.Sprintf(", p %.3g", c.Paired.P)
		holds = holds && c.Paired.P < g.P
	}
	return holds, text
}

// promoteModel makes an alias name a model, unless somebody else has changed the alias since it was looked at.
func (a *Activities) promoteModel(ctx context.Context, in contract.PromoteInput) (contract.PromoteOut, error) {
	err := a.store.SetAlias(ctx, in.Alias, in.Model, &in.Expect, in.Run+"/"+in.Stage, in.Why)
	if errors.Is(err, artifact.ErrPrecondition) {
		return contract.PromoteOut{}, nil
	}
	return contract.PromoteOut{Done: err == nil}, err
}
