package activities

import (
	"context"
	"fmt"

	"temper/activities/contract"
	"temper/objective"
	"temper/pipelines"
	"temper/reward"
	"temper/tasks"
	"temper/train"
)

// sampleTeacher writes the teacher's responses to the stage's problems as demonstrations; with only_correct, those that are right.
func (a *Activities) sampleTeacher(ctx context.Context, e *engine, stage contract.Stage) (contract.TeacherOut, error) {
	s := stage.Stage.Settings.(*pipelines.Distill)
	pool, err := a.pooled(ctx, stage, s.Tasks)
	if err != nil {
		return contract.TeacherOut{}, err
	}
	teacher, err := a.model(ctx, e, stage.Models[s.Teacher])
	if err != nil {
		return contract.TeacherOut{}, err
	}
	scorer, err := correctness(s.OnlyCorrect)
	if err != nil {
		return contract.TeacherOut{}, err
	}
	answers, err := e.ask(ctx, policy{teacher.config, teacher.params, teacher.text}, pool.problems, scorer,
		request{samples: s.Samples, temperature: s.Temperature, precision: s.SamplingPrecision, maxTokens: s.MaxTokens, seed: stage.Seed, iteration: 1})
	if err != nil {
		return contract.TeacherOut{}, err
	}
	var demos []train.Demo
	correct, total := 0.0, 0.0
	for i, group := range answers {
		prompt := teacher.text.prompt(pool.problems[i].Prompt)
		for _, x := range group {
			total++
			if x.Score.Verdict == reward.Correct {
				correct++
			}
			// A response that was cut at max_tokens is as good a sample of the teacher as its length allows: nothing in it says where to end.
			if !s.OnlyCorrect || x.Score.Verdict == reward.Correct {
				demos = append(demos, train.Demo{Prompt: prompt, Response: x.Tokens})
			}
		}
	}
	if len(demos) == 0 {
		return contract.TeacherOut{}, fmt.Errorf("stage %s: none of the teacher's %d responses can be used (only_correct: %t, max_tokens: %d)", stage.Stage.ID, int(total), s.OnlyCorrect, s.MaxTokens)
	}
	body, err := gzipJSON(demos)
	if err != nil {
		return contract.TeacherOut{}, err
	}
	ref, err := a.commit(ctx, stage, kindDemos, fmt.Sprintf("%d responses of the teacher, %.1f%% of all correct", len(demos), 100*correct/total), nil,
		map[string][]byte{demosFile: body}, inputs(stage)...)
	return contract.TeacherOut{Data: ref, Count: len(demos), Correct: correct / total}, err
}

// correctness judges responses; where nobody asks, problems without a gold answer are not an error.
func correctness(needed bool) (*reward.Scorer, error) {
	if !needed {
		return reward.New([]reward.PartSpec{{Kind: "length", Weight: 0, Options: &reward.LengthOptions{Shape: "linear"}}})
	}
	return reward.New([]reward.PartSpec{{Kind: "correct", Weight: 1}})
}

// distillRound does one round of on-policy distillation.
func (a *Activities) distillRound(ctx context.Context, e *engine, in contract.DistillInput) (contract.DistillOutput, error) {
	e.room.atLeast(in.State.Parts)
	held, err := a.restore(ctx, e, in.Stage, in.State)
	if err != nil {
		return contract.DistillOutput{}, err
	}
	step := contract.DistillStep{Round: in.Round, Tuning: in.Tuning}
	out, err := a.onPolicyStep(ctx, e, in.Stage, held, step)
	if err != nil {
		held.state.Free()
		return contract.DistillOutput{}, err
	}
	out.State, err = a.advance(e, held, in.State, contract.Update{OnPolicy: &step})
	return out, err
}

// onPolicyStep samples from the student and moves it towards the teacher's distribution at each of its own tokens. The samples depend on the
// student's state and the round alone, so a replay draws them again.
func (a *Activities) onPolicyStep(ctx context.Context, e *engine, stage contract.Stage, held *resident, step contract.DistillStep) (contract.DistillOutput, error) {
	stage, err := tuned(stage, step.Tuning)
	if err != nil {
		return contract.DistillOutput{}, err
	}
	s := stage.Stage.Settings.(*pipelines.Distill)
	pool, err := a.pooled(ctx, stage, s.Tasks)
	if err != nil {
		return contract.DistillOutput{}, err
	}
	teacher, err := a.model(ctx, e, stage.Models[s.Teacher])
	if err != nil {
		return contract.DistillOutput{}, err
	}
	scorer, err := correctness(s.OnlyCorrect)
	if err != nil {
		return contract.DistillOutput{}, err
	}
	ordinals := pool.draw(stage.Seed+1, nil, step.Round, s.OnPolicy.Prompts)
	problems := make([]tasks.Problem, len(ordinals))
	for i, o := range ordinals {
		problems[i] = pool.problems[o]
	}
	params, err := e.trainer.Reading(held.state)
	if err != nil {
		return contract.DistillOutput{}, err
	}
	student := policy{held.state.Config, params, held.text}
	if step.Round == 0 {
		if err := student.fit(pool.problems, s.MaxTokens); err != nil {
			return contract.DistillOutput{}, err
		}
	}
	answers, err := e.ask(ctx, student, problems, scorer,
		request{samples: s.OnPolicy.Samples, temperature: s.Temperature, precision: s.SamplingPrecision, maxTokens: s.MaxTokens, seed: stage.Seed + 1, iteration: step.Round})
	if err != nil {
		return contract.DistillOutput{}, err
	}
	var demos []train.Demo
	solved := 0.0
	for i, group := range answers {
		prompt := held.text.prompt(problems[i].Prompt)
		for _, x := range group {
			demos = append(demos, train.Demo{Prompt: prompt, Response: x.Tokens})
			if x.Score.Verdict == reward.Correct {
				solved++
			}
		}
	}
	batches, err := e.pack(train.Demonstrations(demos, true), train.Layout{Rows: s.Rows, Length: s.Length, Packing: true}, nil)
	if err != nil {
		return contract.DistillOutput{}, err
	}
	g := guard{trainer: e.trainer, held: held}
	r, ok, err := g.update(fmt.Sprintf("on-policy round %d", step.Round+1), settingsOf(s.Optim, objective.Distill{Divergence: s.OnPolicy.KL}),
		s.OnPolicy.LR, &train.State{Config: teacher.config, Params: teacher.params}, batches...)
	out := contract.DistillOutput{Solved: solved / float64(len(demos)), LeftOut: g.leftOut}
	if ok {
		out.Divergence, out.Norm = r.Metrics["divergence"], r.GradNorm
	}
	return out, err
}
