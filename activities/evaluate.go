package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"temper/activities/contract"
	"temper/artifact"
	"temper/eval"
	"temper/eval/report"
	"temper/pipelines"
	"temper/reward"
	"temper/tasks"
)

const (
	resultFile = "result.json"
)

// evaluateModel measures one model on a task set. Every model of the stage gets the same problems and the same noise. The responses are drawn and
// kept a shard at a time, so memory does not grow with the samples, and an attempt that is cut off loses a shard.
func (a *Activities) evaluateModel(ctx context.Context, e *engine, in contract.EvaluateInput) (contract.EvaluateOutput, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Evaluate)
	problems, err := a.dataset(ctx, in.Stage.Data[s.Tasks])
	if err != nil {
		return contract.EvaluateOutput{}, err
	}
	scorer, err := reward.New(s.Reward)
	if err != nil {
		return contract.EvaluateOutput{}, err
	}
	m, err := a.model(ctx, e, in.Model)
	if err != nil {
		return contract.EvaluateOutput{}, err
	}
	x := examination{in: in, settings: s, problems: problems, scorer: scorer}
	p, tally := policy{m.config, m.params, m.text}, newTally(problems)
	if err := p.fit(problems, s.MaxTokens); err != nil {
		return contract.EvaluateOutput{}, fmt.Errorf("task set %s: %w", s.Tasks, err)
	}
	parents := []artifact.Parent{{Role: "model", Ref: in.Model}, {Role: "tasks/" + s.Tasks, Ref: in.Stage.Data[s.Tasks]}}
	for _, part := range x.shards() {
		responses, ref, err := a.responses(ctx, e, &x, p, part)
		if err != nil {
			return contract.EvaluateOutput{}, err
		}
		tally.add(responses)
		parents = append(parents, artifact.Parent{Role: fmt.Sprintf("responses/%d", part.From), Ref: ref})
	}
	result, details, err := tally.summarise(s, in.Stage.Seed)
	if err != nil {
		return contract.EvaluateOutput{}, err
	}
	result.Model, result.Params = in.Name, m.config.Params()
	if result.Contamination, err = a.contamination(ctx, in.Model, problems); err != nil {
		return contract.EvaluateOutput{}, err
	}
	files, err := evaluationFiles(result, details, problems)
	if err != nil {
		return contract.EvaluateOutput{}, err
	}
	ref, err := a.commit(ctx, in.Stage, kindEvaluation, fmt.Sprintf("%s on %s", in.Name, s.Tasks), nil, files, parents...)
	return contract.EvaluateOutput{Ref: ref, Result: result}, err
}

// evaluationNoise keeps an evaluation's noise apart from training's.
const evaluationNoise = 1 << 32

// unsolvedFile has the problems that no sample solved, as a task set: what lies beyond the model at that many samples.
const unsolvedFile = "unsolved.jsonl"

func evaluationFiles(result eval.Result, details []report.ProblemDetail, problems []tasks.Problem) (map[string][]byte, error) {
	var unsolved []tasks.Problem
	for i, d := range details {
		if d.Judged > 0 && d.Correct == 0 {
			unsolved = append(unsolved, problems[i])
		}
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, d := range details {
		if err := enc.Encode(d); err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(result)
	return map[string][]byte{resultFile: body, report.DetailsFile: lines.Bytes(), unsolvedFile: tasks.WriteJSONL(unsolved)}, err
}

// details reads the per-problem lines of an evaluation.
func (a *Activities) details(ctx context.Context, ref artifact.Ref) ([]report.ProblemDetail, error) {
	body, err := a.store.Read(ctx, ref, report.DetailsFile)
	if err != nil {
		return nil, err
	}
	out, err := report.ReadDetails(body)
	if err != nil {
		return nil, fmt.Errorf("%s/%w", ref.Short(), err)
	}
	return out, nil
}
