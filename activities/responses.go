package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
	"temper/reward"
	"temper/tasks"
)

const (
	kindResponses = "responses"
	responsesFile = "responses.json.gz"
	// responsesVersion is part of the name under which responses are remembered; another one forgets them.
	responsesVersion = 1
	// shardSamples is how many samples are drawn, held and kept at a time; one problem's at least.
	shardSamples = 4096
)

// response is one sample of a problem as it is kept.
type response struct {
	Text     string       `json:"text"`
	Tokens   int          `json:"tokens"`
	Finished bool         `json:"finished"`
	LogProb  float64      `json:"log_prob"` // mean over the tokens, in nats, under the sampling temperature
	Score    reward.Score `json:"score"`
}

// examination is the evaluation of one model.
type examination struct {
	in       contract.EvaluateInput
	settings *pipelines.Evaluate
	problems []tasks.Problem
	scorer   *reward.Scorer

	longest int // tokens of the longest prompt, once it is known
}

// shards are ranges of problems.
func (x *examination) shards() []contract.Span {
	width := max(1, shardSamples/x.settings.Samples)
	var out []contract.Span
	for from := 0; from < len(x.problems); from += width {
		out = append(out, contract.Span{From: from, To: min(from+width, len(x.problems))})
	}
	return out
}

// key names the responses to a range of problems: the hash of all that decides them.
func (x *examination) key(part contract.Span) (string, error) {
	s := x.settings
	body, err := json.Marshal(map[string]any{"version": responsesVersion, "model": x.in.Model.Content, "tasks": x.in.Stage.Data[s.Tasks].Content,
		"from": part.From, "to": part.To, "samples": s.Samples, "temperature": s.Temperature, "top_p": s.TopP, "max_tokens": s.MaxTokens,
		"reward": s.Reward, "seed": x.in.Stage.Seed, "fresh": x.in.Stage.Fresh})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	return kindResponses + "-" + hex.EncodeToString(sum[:]), nil
}

// responses gives the judged responses to a range of problems, [problems][samples]: those in the bucket, or new ones, which are put there.
func (a *Activities) responses(ctx context.Context, e *engine, x *examination, p policy, part contract.Span) ([][]response, artifact.Ref, error) {
	key, err := x.key(part)
	if err != nil {
		return nil, artifact.Ref{}, err
	}
	memo, ok, err := a.store.Recall(ctx, key)
	if err != nil {
		return nil, artifact.Ref{}, err
	}
	if ok {
		var out [][]response
		ref := memo.Outputs[kindResponses]
		return out, ref, a.readGzip(ctx, ref, responsesFile, &out)
	}
	out, err := x.draw(ctx, e, p, part)
	if err != nil {
		return nil, artifact.Ref{}, err
	}
	body, err := gzipJSON(out)
	if err != nil {
		return nil, artifact.Ref{}, err
	}
	s := x.settings
	ref, err := a.commit(ctx, x.in.Stage, kindResponses, fmt.Sprintf("responses of %s to problems %d to %d of %s", x.in.Name, part.From+1, part.To, s.Tasks), nil,
		map[string][]byte{responsesFile: body}, artifact.Parent{Role: "model", Ref: x.in.Model}, artifact.Parent{Role: "tasks/" + s.Tasks, Ref: x.in.Stage.Data[s.Tasks]})
	if err == nil {
		err = a.store.Remember(ctx, key, map[string]artifact.Ref{kindResponses: ref})
	}
	return out, ref, err
}

func (x *examination) draw(ctx context.Context, e *engine, p policy, part contract.Span) ([][]response, error) {
	if x.longest == 0 {
		for _, problem := range x.problems {
			x.longest = max(x.longest, len(p.text.prompt(problem.Prompt)))
		}
	}
	ordinals := make([]int, part.To-part.From)
	for i := range ordinals {
		ordinals[i] = part.From + i
	}
	s := x.settings
	answers, err := e.ask(ctx, p, x.problems[part.From:part.To], x.scorer, request{samples: s.Samples, temperature: s.Temperature, topP: s.TopP, precision: s.SamplingPrecision,
		maxTokens: s.MaxTokens, seed: x.in.Stage.Seed + evaluationNoise, ordinals: ordinals, longest: x.longest})
	if err != nil {
		return nil, err
	}
	out := make([][]response, len(answers))
	for i, group := range answers {
		for _, y := range group {
			r := response{Text: y.Text, Tokens: len(y.Tokens), Finished: y.Finished, Score: y.Score}
			for _, l := range y.LogProbs {
				r.LogProb += float64(l) / float64(len(y.LogProbs))
			}
			out[i] = append(out[i], r)
		}
	}
	return out, nil
}
