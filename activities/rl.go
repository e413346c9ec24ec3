package activities

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"temper/activities/contract"
	"temper/artifact"
	"temper/lm/hf"
	"temper/objective"
	"temper/pipelines"
	"temper/reward"
	"temper/train"
)

// practice is the problems of an RL stage, each with the demonstration that interleaving would train on: that of the stage's demos for the
// same prompt, or its own.
func (a *Activities) practice(ctx context.Context, stage contract.Stage, s *pipelines.RL) (*pool, error) {
	p, err := a.pooled(ctx, stage, s.Tasks)
	if err != nil || s.Demos == "" {
		return p, err
	}
	demos, err := a.dataset(ctx, stage.Data[s.Demos])
	if err != nil {
		return nil, fmt.Errorf("demonstrations of %s: %w", s.Demos, err)
	}
	byPrompt := map[string]string{}
	for _, d := range demos {
		byPrompt[d.Prompt] = d.Solution
	}
	for i := range p.problems { // the pool's own copies
		if text, ok := byPrompt[p.problems[i].Prompt]; ok {
			p.problems[i].Solution = text
		}
	}
	return p, nil
}

// updatePolicy does one round's update.
func (a *Activities) updatePolicy(ctx context.Context, e *engine, in contract.PolicyInput) (contract.PolicyOutput, error) {
	start := time.Now()
	e.room.atLeast(in.State.Parts)
	held, err := a.restore(ctx, e, in.Stage, in.State)
	if err != nil {
		return contract.PolicyOutput{}, err
	}
	out, err := a.policyStep(ctx, e, in.Stage, held, in.Step)
	if err != nil {
		held.state.Free()
		return out, err
	}
	out.State, err = a.advance(e, held, in.State, contract.Update{Policy: &in.Step})
	if err == nil && in.Publish {
		out.State.Policy, err = a.publish(ctx, e, in.Stage, held)
	}
	out.Seconds = time.Since(start).Seconds()
	return out, err
}

// publish writes a state's parameters for workers that only sample with them: all bits of them, whatever the precision of the stage's models.
func (a *Activities) publish(ctx context.Context, e *engine, stage contract.Stage, held *resident) (artifact.Ref, error) {
	model, err := e.hostModel(held)
	if err != nil {
		return artifact.Ref{}, err
	}
	model.Config.Dtype = "float32"
	files, err := hf.ToFiles(model)
	if err != nil {
		return artifact.Ref{}, err
	}
	return a.commit(ctx, stage, kindPolicy, fmt.Sprintf("policy of %s after step %d", stage.Stage.ID, held.state.Main.Step), nil, files)
}

// policyStep changes a state by one round: a pure function of the state, the rollouts, the demonstrations and the settings.
func (a *Activities) policyStep(ctx context.Context, e *engine, stage contract.Stage, held *resident, step contract.PolicyStep) (contract.PolicyOutput, error) {
	stage, err := tuned(stage, step.Tuning)
	if err != nil {
		return contract.PolicyOutput{}, err
	}
	s := stage.Stage.Settings.(*pipelines.RL)
	recipe := s.RecipeSettings
	pool, err := a.pooled(ctx, stage, s.Tasks)
	if err != nil {
		return contract.PolicyOutput{}, err
	}
	var record rollouts
	if err := a.readGzip(ctx, step.Rollouts, rolloutsFile, &record); err != nil {
		return contract.PolicyOutput{}, err
	}
	loss := policyObjective(recipe)
	examples, longest, err := policyExamples(record, recipe, s.MaxTokens)
	if err != nil {
		return contract.PolicyOutput{}, err
	}
	layout := train.Layout{Rows: s.Rows, Length: s.Length, Packing: s.Packing}
	if layout.Length == 0 {
		layout.Length = (longest + s.MaxTokens + rowBucket - 1) / rowBucket * rowBucket
	}
	settings := settingsOf(s.Optim, loss)
	schedule := scheduleOf(s.Optim, s.RoundsFor(len(pool.problems))*recipe.OffPolicy.Updates)
	var out contract.PolicyOutput
	g := guard{trainer: e.trainer, held: held}
	if len(examples) > 0 {
		batches, err := e.pack(examples, layout, loss.Columns())
		if err != nil {
			return out, err
		}
		if err := a.referenceColumn(ctx, e, stage, loss, batches); err != nil {
			return out, err
		}
		corrected, err := e.correct(held, recipe, batches)
		if err != nil {
			return out, err
		}
		for i := range recipe.OffPolicy.Updates {
			r, ok, err := g.update(fmt.Sprintf("round %d", step.Round+1), settings, schedule.At(step.Round*recipe.OffPolicy.Updates+i), nil, batches...)
			if err != nil {
				return out, err
			}
			if i == 0 && ok {
				out.Loss, out.Norm, out.Metrics = r.Loss, r.GradNorm, r.Metrics
				maps.Copy(out.Metrics, corrected)
			}
		}
	}
	if len(step.Interleave) > 0 {
		if out.SFTLoss, err = a.interleave(ctx, e, &g, stage, layout, step); err != nil {
			return out, fmt.Errorf("interleaved SFT: %w", err)
		}
	}
	out.LeftOut = g.leftOut
	return out, nil
}

// rowBucket is the multiple that row lengths are rounded up to.
const rowBucket = 16

// policyObjective is the loss that a recipe names.
func policyObjective(r pipelines.Recipe) objective.Policy {
	loss := objective.Policy{Ratio: r.Loss.Ratio, ClipLow: r.Loss.Clip.Low, ClipHigh: r.Loss.Clip.High, EntropyCoef: r.Loss.Entropy,
		KLEstimator: r.Loss.KL.Estimator, Temperature: r.Sampling.Temperature}
	if r.Loss.KL.To == "reference" {
		loss.KLCoef = r.Loss.KL.Coef
	}
	return loss
}

// policyExamples turns a round's record into examples; samples whose reward failed are left out of their group.
func policyExamples(record rollouts, r pipelines.Recipe, maxTokens int) (examples []train.Example, longest int, err error) {
	var groups []train.Group
	for _, g := range record.Groups {
		group := train.Group{Prompt: g.Prompt}
		longest = max(longest, len(g.Prompt))
		for _, x := range g.Samples {
			if x.Verdict != reward.Error {
				group.Samples = append(group.Samples, train.Scored{Tokens: x.Tokens, LogProbs: x.LogProbs, Reward: x.Reward})
			}
		}
		if r.DropZeroVariance && constant(g.Samples) {
			continue
		}
		groups = append(groups, group)
	}
	// A token whose advantage is zero adds nothing to the gradient unless another term of the loss reads it.
	drop := r.Loss.Entropy == 0 && (r.Loss.KL.To == "none" || r.Loss.KL.Coef == 0)
	examples, err = train.PolicyExamples(groups, train.PolicyRule{
		Advantage: objective.AdvantageRule{Baseline: r.Advantage.Baseline, Scale: r.Advantage.Scale, Positive: r.Advantage.Signs.Positive, Negative: r.Advantage.Signs.Negative},
		Aggregate: r.Loss.Aggregate, MaxTokens: maxTokens, DropConstant: drop})
	return examples, longest, err
}

// referenceColumn fills in the reference policy's log-probabilities where the loss needs them. The reference is the model that the stage
// started from.
func (a *Activities) referenceColumn(ctx context.Context, e *engine, stage contract.Stage, loss objective.Policy, batches []*train.Batch) error {
	if !slices.Contains(loss.Columns(), objective.RefLogProb) {
		return nil
	}
	reference, err := a.model(ctx, e, stage.Models[stage.Stage.Settings.(*pipelines.RL).Model])
	if err != nil {
		return err
	}
	for _, b := range batches {
		if b.Columns[objective.RefLogProb], err = e.trainer.LogProbs(reference.config, reference.params, loss.Temperature, b); err != nil {
			return err
		}
	}
	return nil
}

// interleave trains on the demonstrations of the given problems, with an optimizer of its own as in ReLIFT's published code: the gradient of
// a demonstration is many times larger than the policy's, and shared moments would shrink the policy's steps.
func (a *Activities) interleave(ctx context.Context, e *engine, g *guard, stage contract.Stage, layout train.Layout, step contract.PolicyStep) (float64, error) {
	s := stage.Stage.Settings.(*pipelines.RL)
	pool, err := a.practice(ctx, stage, s)
	if err != nil {
		return 0, err
	}
	var demos []train.Demo
	for _, o := range step.Interleave {
		d, err := solution(g.held.text, pool.problems[o])
		if err != nil {
			return 0, err
		}
		if need := len(d.Prompt) + len(d.Response) - 1; need > layout.Length {
			layout.Length = (need + rowBucket - 1) / rowBucket * rowBucket
		}
		demos = append(demos, d)
	}
	layout.Rows = 0
	batches, err := e.pack(train.Demonstrations(demos, true), layout, nil)
	if err != nil {
		return 0, err
	}
	settings := settingsOf(s.Optim, objective.SFT{})
	settings.Side = true
	loss := 0.0
	for range s.RecipeSettings.Interleave.Steps {
		r, ok, err := g.update(fmt.Sprintf("SFT of round %d", step.Round+1), settings, s.RecipeSettings.Interleave.LR, nil, batches...)
		if err != nil {
			return 0, err
		}
		if ok {
			loss = r.Loss
		}
	}
	return loss, nil
}
