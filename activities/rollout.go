package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
	"temper/reward"
	"temper/tasks"
)

// rollouts is what a round sampled, as it is stored: tokens with the probabilities they were sampled with, never text made into tokens again.
type rollouts struct {
	Round  int            `json:"round"`
	Groups []rolloutGroup `json:"groups"`
}

type rolloutGroup struct {
	Ordinal int             `json:"ordinal"` // of the problem in the stage's problems
	Problem string          `json:"problem"` // id
	Prompt  []int32         `json:"prompt"`
	Samples []rolloutSample `json:"samples"`
}

type rolloutSample struct {
	Tokens   []int32            `json:"tokens"`
	LogProbs []float32          `json:"log_probs"`
	Finished bool               `json:"finished"`
	Text     string             `json:"text"`
	Verdict  reward.Verdict     `json:"verdict"`
	Reward   float64            `json:"reward"`
	Parts    map[string]float64 `json:"parts,omitempty"`
	Answer   string             `json:"answer,omitempty"` // normalised, by the first part that decides
	Detail   string             `json:"detail,omitempty"`
}

const rolloutsFile = "rollouts.json.gz"

// rollout samples and scores one round.
func (a *Activities) rollout(ctx context.Context, e *engine, in contract.RolloutInput) (contract.RolloutOutput, error) {
	start := time.Now()
	stage, err := tuned(in.Stage, in.Tuning)
	if err != nil {
		return contract.RolloutOutput{}, err
	}
	record, err := a.sample(ctx, e, in, stage)
	if err != nil {
		return contract.RolloutOutput{}, err
	}
	if err := a.score(ctx, stage, &record); err != nil {
		return contract.RolloutOutput{}, err
	}
	out, err := a.commitRollouts(ctx, stage, in.State, record)
	out.Tuning = in.Tuning
	out.Seconds = time.Since(start).Seconds()
	return out, err
}

// sampleShard samples some of a round's prompts.
func (a *Activities) sampleShard(ctx context.Context, e *engine, in contract.RolloutInput) (artifact.Ref, error) {
	stage, err := tuned(in.Stage, in.Tuning)
	if err != nil {
		return artifact.Ref{}, err
	}
	record, err := a.sample(ctx, e, in, stage)
	if err != nil {
		return artifact.Ref{}, err
	}
	return a.commitShard(ctx, stage, record, "samples", artifact.Parent{Role: "snapshot", Ref: in.State.Snapshot})
}

// scoreShard scores the samples of a shard.
func (a *Activities) scoreShard(ctx context.Context, in contract.ScoreInput) (artifact.Ref, error) {
	var record rollouts
	stage, err := tuned(in.Stage, in.Tuning)
	if err != nil {
		return artifact.Ref{}, err
	}
	if err := a.readGzip(ctx, in.Samples, rolloutsFile, &record); err != nil {
		return artifact.Ref{}, err
	}
	if err := a.score(ctx, stage, &record); err != nil {
		return artifact.Ref{}, err
	}
	return a.commitShard(ctx, stage, record, "scored samples", artifact.Parent{Role: "samples", Ref: in.Samples})
}

func (a *Activities) commitShard(ctx context.Context, stage contract.Stage, record rollouts, what string, parent artifact.Parent) (artifact.Ref, error) {
	body, err := gzipJSON(record)
	if err != nil {
		return artifact.Ref{}, err
	}
	return a.commit(ctx, stage, kindShard, fmt.Sprintf("%s of %d prompts of round %d of %s", what, len(record.Groups), record.Round+1, stage.Stage.ID), nil,
		map[string][]byte{rolloutsFile: body}, parent)
}

// gatherRollouts makes a round's shards one record, the same as one worker would have made.
func (a *Activities) gatherRollouts(ctx context.Context, in contract.GatherInput) (contract.RolloutOutput, error) {
	stage, err := tuned(in.Stage, in.Tuning)
	if err != nil {
		return contract.RolloutOutput{}, err
	}
	whole := rollouts{Round: in.Round}
	var parents []artifact.Parent
	for i, ref := range in.Shards {
		var part rollouts
		if err := a.readGzip(ctx, ref, rolloutsFile, &part); err != nil {
			return contract.RolloutOutput{}, err
		}
		if part.Round != in.Round {
			return contract.RolloutOutput{}, fmt.Errorf("shard %d of round %d is of round %d (%s)", i, in.Round, part.Round, ref.Short())
		}
		whole.Groups = append(whole.Groups, part.Groups...)
		parents = append(parents, artifact.Parent{Role: fmt.Sprintf("shard/%d", i+1), Ref: ref})
	}
	out, err := a.commitRollouts(ctx, stage, in.State, whole, parents...)
	out.Tuning = in.Tuning
	return out, err
}

// sample draws a round's samples, or those of the shard, with the settings of stage: in's as they are in force. A state is restored with in's, for each of
// its updates knows what was in force then.
func (a *Activities) sample(ctx context.Context, e *engine, in contract.RolloutInput, stage contract.Stage) (rollouts, error) {
	s := stage.Stage.Settings.(*pipelines.RL)
	pool, err := a.practice(ctx, in.Stage, s)
	if err != nil {
		return rollouts{}, err
	}
	policy, done, err := a.samplingPolicy(ctx, e, in.Stage, in.State)
	if err != nil {
		return rollouts{}, err
	}
	defer done()
	if in.Round == 0 {
		if err := policy.fit(pool.problems, s.MaxTokens); err != nil {
			return rollouts{}, err
		}
	}
	ordinals, first := pool.draw(in.Stage.Seed, s.Weights, in.Round, s.Prompts), 0
	if in.Shard != nil {
		ordinals, first = ordinals[in.Shard.From:in.Shard.To], in.Shard.From
	}
	problems := make([]tasks.Problem, len(ordinals))
	places := make([]int, len(ordinals))
	for i, o := range ordinals {
		problems[i], places[i] = pool.problems[o], first+i
	}
	sampling := s.RecipeSettings.Sampling
	answers, err := e.draw(ctx, policy, problems, request{samples: s.RecipeSettings.Group, temperature: sampling.Temperature, topK: sampling.TopK, topP: sampling.TopP,
		precision: sampling.Precision, maxTokens: s.MaxTokens, seed: in.Stage.Seed, iteration: in.Round, ordinals: places})
	if err != nil {
		return rollouts{}, err
	}
	record := rollouts{Round: in.Round}
	for i, group := range answers {
		g := rolloutGroup{Ordinal: ordinals[i], Problem: problems[i].ID, Prompt: policy.text.prompt(problems[i].Prompt)}
		for _, x := range group {
			g.Samples = append(g.Samples, rolloutSample{Tokens: x.Tokens, LogProbs: x.LogProbs, Finished: x.Finished, Text: x.Text})
		}
		record.Groups = append(record.Groups, g)
	}
	return record, nil
}

// samplingPolicy gives the parameters that a state samples with: those of the state that this worker holds, else those that were published, else
// those of the state restored. done gives them back.
func (a *Activities) samplingPolicy(ctx context.Context, e *engine, stage contract.Stage, s contract.State) (p policy, done func(), err error) {
	held := a.residents.take(s.Key)
	if held == nil && !s.Policy.IsZero() {
		m, err := a.model(ctx, e, s.Policy)
		if err != nil {
			return policy{}, nil, err
		}
		return policy{m.config, m.params, m.text}, func() {}, nil
	}
	if held == nil {
		if held, err = a.restore(ctx, e, stage, s); err != nil {
			return policy{}, nil, err
		}
	}
	done = func() { a.residents.put(s.Key, held) }
	params, err := e.trainer.Reading(held.state)
	if err != nil {
		done()
		return policy{}, nil, err
	}
	return policy{held.state.Config, params, held.text}, done, nil
}

// score judges the samples of a record.
func (a *Activities) score(ctx context.Context, stage contract.Stage, record *rollouts) error {
	s := stage.Stage.Settings.(*pipelines.RL)
	pool, err := a.practice(ctx, stage, s)
	if err != nil {
		return err
	}
	scorer, err := reward.New(s.RecipeSettings.Reward)
	if err != nil {
		return err
	}
	var samples []reward.Sample
	for _, g := range record.Groups {
		problem := pool.problems[g.Ordinal]
		for _, x := range g.Samples {
			samples = append(samples, toScore(problem, x.Text, x.Finished, len(x.Tokens), s.MaxTokens))
		}
	}
	scores, err := scorer.ScoreAll(ctx, samples, scorers)
	if err != nil {
		return fmt.Errorf("score: %w", err)
	}
	for i := range record.Groups {
		for j := range record.Groups[i].Samples {
			x := &record.Groups[i].Samples[j]
			x.Verdict, x.Reward, x.Parts, x.Answer, x.Detail = scores[0].Verdict, scores[0].Reward, scores[0].Parts, scores[0].Answer, scores[0].Detail
			scores = scores[1:]
		}
	}
	return nil
}

// commitRollouts writes the record of a round and says what its samples were worth.
func (a *Activities) commitRollouts(ctx context.Context, stage contract.Stage, state contract.State, record rollouts, parents ...artifact.Parent) (contract.RolloutOutput, error) {
	pool, err := a.practice(ctx, stage, stage.Stage.Settings.(*pipelines.RL))
	if err != nil {
		return contract.RolloutOutput{}, err
	}
	out, err := worth(record, pool)
	if err != nil {
		return out, err
	}
	body, err := gzipJSON(record)
	if err != nil {
		return out, err
	}
	out.Rollouts, err = a.commit(ctx, stage, kindRollouts, fmt.Sprintf("round %d of %s: reward %.3f", record.Round+1, stage.Stage.ID, out.Reward),
		map[string]float64{"reward": out.Reward, "solved": out.Solved}, map[string][]byte{rolloutsFile: body},
		append([]artifact.Parent{{Role: "snapshot", Ref: state.Snapshot}}, parents...)...)
	return out, err
}

// worth is the means over a round's samples. Those whose reward failed are counted and left out.
func worth(record rollouts, pool *pool) (contract.RolloutOutput, error) {
	var out contract.RolloutOutput
	n := 0.0
	for _, g := range record.Groups {
		out.Ordinals = append(out.Ordinals, g.Ordinal)
		solved, judged := 0, 0
		for _, x := range g.Samples {
			out.TokensRead += len(x.Tokens)
			if x.Verdict == reward.Error {
				out.Errors++
				continue
			}
			judged++
			n++
			out.Reward += x.Reward
			if x.Verdict == reward.Correct {
				solved++
			}
			if x.Finished {
				out.Finished++
			}
		}
		out.Solved += float64(solved)
		if constant(g.Samples) {
			out.Constant++
		}
		if judged > 0 && solved == 0 && pool.problems[g.Ordinal].Solution != "" && !slices.Contains(out.Unsolved, g.Ordinal) {
			out.Unsolved = append(out.Unsolved, g.Ordinal)
		}
	}
	if n == 0 {
		return out, fmt.Errorf("round %d: the reward of every sample failed; the first: %s", record.Round+1, record.Groups[0].Samples[0].Detail)
	}
	out.Length = float64(out.TokensRead) / (n + float64(out.Errors))
	out.Reward, out.Solved, out.Finished, out.Constant = out.Reward/n, out.Solved/n, out.Finished/n, out.Constant/float64(len(record.Groups))
	return out, nil
}

// constant says whether all rewards of a group are equal, so that it teaches nothing. Samples whose reward failed have none.
func constant(samples []rolloutSample) bool {
	var first *float64
	for _, s := range samples {
		switch {
		case s.Verdict == reward.Error:
		case first == nil:
			first = &s.Reward
		case s.Reward != *first:
			return false
		}
	}
	return true
}
