package activities

import (
	"bufio"
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
	detailsFile = "problems.jsonl"
	resultFile  = "result.json"
	// keepResponses is how many responses a problem are kept as text.
	keepResponses = 2
)

// evaluateModel measures one model on a task set. Every model of the stage gets the same problems and the same noise.
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
	answers, err := e.ask(ctx, policy{m.config, m.params, m.text}, problems, scorer, request{samples: s.Samples, temperature: s.Temperature, topP: s.TopP,
		maxTokens: s.MaxTokens, seed: in.Stage.Seed + evaluationNoise})
	if err != nil {
		return contract.EvaluateOutput{}, err
	}
	result, details, err := summarise(problems, answers, s, in.Stage.Seed)
	if err != nil {
		return contract.EvaluateOutput{}, err
	}
	result.Model, result.Params = in.Name, m.config.Params()
	files, err := evaluationFiles(result, details)
	if err != nil {
		return contract.EvaluateOutput{}, err
	}
	ref, err := a.commit(ctx, in.Stage, kindEvaluation, fmt.Sprintf("%s on %s", in.Name, s.Tasks), nil, files,
		artifact.Parent{Role: "model", Ref: in.Model}, artifact.Parent{Role: "tasks/" + s.Tasks, Ref: in.Stage.Data[s.Tasks]})
	return contract.EvaluateOutput{Ref: ref, Result: result}, err
}

// evaluationNoise keeps an evaluation's noise apart from training's.
const evaluationNoise = 1 << 32

// summarise counts what was right, leaving out samples that could not be judged.
func summarise(problems []tasks.Problem, answers [][]answer, s *pipelines.Evaluate, seed uint64) (eval.Result, []report.ProblemDetail, error) {
	correct, voted, rewards := make([][]bool, len(problems)), make([][]string, len(problems)), make([][]float64, len(problems))
	details := make([]report.ProblemDetail, len(problems))
	tokens, finished, n, graded := 0, 0, 0, false
	parts := map[string]float64{}
	for i, group := range answers {
		d := report.ProblemDetail{ID: problems[i].ID, Prompt: problems[i].Prompt, Concepts: problems[i].Concepts, Difficulty: problems[i].Difficulty}
		for _, x := range group {
			if len(d.Responses) < keepResponses {
				d.Responses = append(d.Responses, x.Text)
			}
			if x.Score.Verdict == reward.Error {
				continue
			}
			n++
			tokens += len(x.Tokens)
			if x.Finished {
				finished++
			}
			rewards[i] = append(rewards[i], x.Score.Reward)
			d.Reward += x.Score.Reward
			for name, v := range x.Score.Parts {
				parts[name] += v
			}
			if x.Score.Verdict == reward.Ungraded {
				continue
			}
			graded = true
			d.Judged++
			right := x.Score.Verdict == reward.Correct
			if right {
				d.Correct++
			}
			correct[i], voted[i] = append(correct[i], right), append(voted[i], x.Score.Answer)
		}
		d.Scored = len(rewards[i])
		d.Reward /= float64(max(1, d.Scored))
		details[i] = d
	}
	if n == 0 {
		return eval.Result{}, nil, fmt.Errorf("the reward of every sample failed; the first: %s", answers[0][0].Score.Detail)
	}
	result := eval.Result{N: len(problems), Samples: n}
	if graded {
		var err error
		if result, err = eval.Summarise(problems, correct, voted, s.K, seed); err != nil {
			return result, nil, err
		}
	}
	if !graded {
		stat := eval.SummariseRewards(problems, rewards, seed)
		for name := range parts {
			parts[name] /= float64(n)
		}
		stat.Parts = parts
		result.Reward = &stat
	}
	result.MeanTokens, result.Finished = float64(tokens)/float64(n), float64(finished)/float64(n)
	return result, details, nil
}

func evaluationFiles(result eval.Result, details []report.ProblemDetail) (map[string][]byte, error) {
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, d := range details {
		if err := enc.Encode(d); err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(result)
	return map[string][]byte{resultFile: body, detailsFile: lines.Bytes()}, err
}

// details reads the per-problem lines of an evaluation.
func (a *Activities) details(ctx context.Context, ref artifact.Ref) ([]report.ProblemDetail, error) {
	body, err := a.store.Read(ctx, ref, detailsFile)
	if err != nil {
		return nil, err
	}
	var out []report.ProblemDetail
	scan := bufio.NewScanner(bytes.NewReader(body))
	scan.Buffer(nil, 1<<26)
	for scan.Scan() {
		var d report.ProblemDetail
		if err := json.Unmarshal(scan.Bytes(), &d); err != nil {
			return nil, fmt.Errorf("%s/%s:%d: %w", ref.Short(), detailsFile, len(out)+1, err)
		}
		out = append(out, d)
	}
	return out, scan.Err()
}
