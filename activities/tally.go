package activities

import (
	"fmt"
	"math"

	"temper/eval"
	"temper/eval/report"
	"temper/pipelines"
	"temper/reward"
	"temper/tasks"
)

// keepResponses is how many responses a problem are shown beside its numbers.
const keepResponses = 2

// tally counts judged responses, a shard at a time: the texts go, the numbers stay.
type tally struct {
	problems []tasks.Problem
	samples  [][]eval.Sample
	rewards  [][]float64
	details  []report.ProblemDetail
	parts    map[string]float64

	scored, tokens, finished int
	graded                   bool
	failure                  string // why the first sample that could not be judged was not
}

func newTally(problems []tasks.Problem) *tally {
	return &tally{problems: problems, parts: map[string]float64{}}
}

// add takes the responses to the next problems; samples that could not be judged are left out.
func (t *tally) add(responses [][]response) {
	for _, group := range responses {
		p := t.problems[len(t.details)]
		d := report.ProblemDetail{ID: p.ID, Prompt: p.Prompt, Concepts: p.Concepts, Difficulty: p.Difficulty}
		var samples []eval.Sample
		var rewards []float64
		for _, x := range group {
			if len(d.Responses) < keepResponses {
				d.Responses = append(d.Responses, x.Text)
			}
			if x.Score.Verdict == reward.Error {
				if t.failure == "" {
					t.failure = x.Score.Detail
				}
				continue
			}
			t.scored++
			t.tokens += x.Tokens
			if x.Finished {
				t.finished++
			}
			rewards = append(rewards, x.Score.Reward)
			d.Reward += x.Score.Reward
			for name, v := range x.Score.Parts {
				t.parts[name] += v
			}
			if x.Score.Verdict == reward.Ungraded {
				continue
			}
			t.graded = true
			d.Judged++
			if x.Score.Verdict == reward.Correct {
				d.Correct++
			}
			samples = append(samples, sampleOf(x))
		}
		d.Scored = len(rewards)
		d.Reward /= float64(max(1, d.Scored))
		t.details, t.samples, t.rewards = append(t.details, d), append(t.samples, samples), append(t.rewards, rewards)
	}
}

func sampleOf(x response) eval.Sample {
	out := eval.Sample{Correct: x.Score.Verdict == reward.Correct, Answer: x.Score.Answer, LogProb: x.LogProb, Rank: math.NaN(), Stated: math.NaN()}
	if x.Tokens == 0 {
		out.LogProb = math.NaN()
	}
	if v, ok := x.Score.Preference(); ok {
		out.Rank = v
	}
	if p, ok := reward.StatedConfidence(x.Text); ok {
		out.Stated = p
	}
	return out
}

func (t *tally) summarise(s *pipelines.Evaluate, seed uint64) (eval.Result, []report.ProblemDetail, error) {
	if t.scored == 0 {
		return eval.Result{}, nil, fmt.Errorf("the reward of every sample failed; the first: %s", t.failure)
	}
	result := eval.Result{N: len(t.problems), Samples: t.scored}
	if t.graded {
		var err error
		if result, err = eval.Measure(t.problems, t.samples, s.K, seed); err != nil {
			return result, nil, err
		}
		if s.Samples == 1 && s.Temperature == 0 {
			right := 0
			for _, d := range t.details {
				right += d.Correct
			}
			w := eval.Wilson(right, result.Samples, eval.Z95)
			result.Wilson = &w
		}
	}
	if !t.graded || len(t.parts) > 1 { // correct alone says what pass@1 says
		stat := eval.SummariseRewards(t.problems, t.rewards, seed)
		for name := range t.parts {
			t.parts[name] /= float64(t.scored)
		}
		stat.Parts = t.parts
		result.Reward = &stat
	}
	result.MeanTokens, result.Finished = float64(t.tokens)/float64(t.scored), float64(t.finished)/float64(t.scored)
	return result, t.details, nil
}
