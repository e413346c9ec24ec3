package activities

import (
	"context"
	"fmt"

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
	"temper/reward"
	"temper/rollout"
	"temper/tasks"
)

// policy is a model that answers.
type policy struct {
	config hf.Config
	params []*device.Buffer
	text   *text
}

// request says how to sample answers.
type request struct {
	samples     int // a problem
	temperature float64
	topK        int
	topP        float64
	precision   string // empty: float32
	maxTokens   int
	seed        uint64
	iteration   int
	ordinals    []int // of the problems in the noise; default: their place
	longest     int   // tokens of the longest prompt of all that are drawn in parts: all parts are sampled alike
}

// answer is one sampled and judged response.
type answer struct {
	rollout.Sequence
	Text  string
	Score reward.Score
}

// Prompt and response tokens in one device batch at most. An accelerator wants all that fits; on a CPU, where more than the caches hold gains little, the
// keys and values of a large model decide.
const (
	batchTokensCPU         = 1 << 14
	batchTokensCPULarge    = 1 << 12
	batchTokensAccelerator = 1 << 18

	largeCacheBytes = 1 << 30 // of keys and values of a batch
)

func (e *engine) batchTokens(c hf.Config) int {
	switch token := 2 * 4 * c.Layers * c.KVHeads * c.HeadDim; { // bytes, in float32
	case !e.client.IsCPU():
		return batchTokensAccelerator
	case token*batchTokensCPU > largeCacheBytes:
		return batchTokensCPULarge
	default:
		return batchTokensCPU
	}
}

// maxBatch bounds the sequences in one device batch.
const maxBatch = 512

// draw samples answers to problems: [problems][samples], not scored yet.
func (e *engine) draw(ctx context.Context, p policy, problems []tasks.Problem, r request) ([][]answer, error) {
	if err := p.fit(problems, r.maxTokens); err != nil {
		return nil, err
	}
	prompts := make([]rollout.Prompt, 0, len(problems)*r.samples)
	longest := r.longest
	for i, problem := range problems {
		tokens := p.text.prompt(problem.Prompt)
		longest = max(longest, len(tokens))
		ordinal := i
		if r.ordinals != nil {
			ordinal = r.ordinals[i]
		}
		for j := range r.samples {
			prompts = append(prompts, rollout.Prompt{Tokens: tokens, Key: lm.SequenceKey(r.seed, r.iteration, ordinal, j)})
		}
	}
	batch, tokens := 1, e.batchTokens(p.config)
	for batch < maxBatch && 2*batch*(longest+r.maxTokens) <= tokens {
		batch *= 2
	}
	sequences, err := e.sampler.Sample(ctx, p.config, p.params, prompts, rollout.Options{MaxNew: r.maxTokens, Batch: batch,
		Temperature: r.temperature, TopK: r.topK, TopP: r.topP, Stops: p.text.stops, Half: r.precision == "bfloat16"})
	if err != nil {
		return nil, err
	}
	out := make([][]answer, len(problems))
	for i, s := range sequences {
		out[i/r.samples] = append(out[i/r.samples], answer{Sequence: s, Text: p.text.decode(s.Tokens)})
	}
	return out, nil
}

// ask is draw with the answers scored.
func (e *engine) ask(ctx context.Context, p policy, problems []tasks.Problem, scorer *reward.Scorer, r request) ([][]answer, error) {
	answers, err := e.draw(ctx, p, problems, r)
	if err != nil {
		return nil, err
	}
	var samples []reward.Sample
	for i, group := range answers {
		for _, x := range group {
			samples = append(samples, toScore(problems[i], x.Text, x.Finished, len(x.Tokens), r.maxTokens))
		}
	}
	scores, err := scorer.ScoreAll(ctx, samples, scorers)
	if err != nil {
		return nil, fmt.Errorf("score: %w", err)
	}
	for i, group := range answers {
		for j := range group {
			group[j].Score = scores[i*r.samples+j]
		}
	}
	return answers, nil
}

// toScore is a response as the rewards see it.
func toScore(p tasks.Problem, response string, finished bool, tokens, maxTokens int) reward.Sample {
	return reward.Sample{Prompt: p.Prompt, Response: response, Gold: p.Answer, Meta: p.Meta, Finished: finished, Tokens: tokens, MaxTokens: maxTokens}
}

// scorers is how many samples are scored at once.
const scorers = 4
