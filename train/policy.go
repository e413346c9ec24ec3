package train

import (
	"fmt"

	"temper/objective"
)

// Group is the scored samples of one prompt.
type Group struct {
	Prompt  []int32
	Samples []Scored
}

// Scored is one sample with its reward. RefLogProbs are of the reference policy, where the objective needs them.
type Scored struct {
	Tokens      []int32
	LogProbs    []float32 // of the sampling policy
	RefLogProbs []float32
	Reward      float64
}

// PolicyRule says how groups become examples.
type PolicyRule struct {
	Advantage objective.AdvantageRule
	Aggregate string // token, sequence or dr, see weights
	MaxTokens int    // of a response, for aggregate dr
	// DropConstant leaves out the samples whose advantage is zero. Where the loss is the advantage times something this changes no bit
	// of the gradient's meaning and saves their computation; the weights still count them.
	DropConstant bool
}

// PolicyExamples computes advantages and turns the samples into examples with the columns of objective.Policy.
//
// The weights realise the aggregation over all samples of the update:
//
//	token:    1 / Σ_i |y_i|                 every token counts the same (DAPO, arXiv 2503.14476)
//	sequence: 1 / (samples · |y_i|)         every sample counts the same (GRPO, arXiv 2402.03300)
//	dr:       1 / (samples · max tokens)    a constant (Dr. GRPO, arXiv 2503.20783)
func PolicyExamples(groups []Group, rule PolicyRule) ([]Example, error) {
	rewards := make([][]float64, len(groups))
	samples, tokens := 0, 0
	for i, g := range groups {
		for _, s := range g.Samples {
			rewards[i] = append(rewards[i], s.Reward)
			samples++
			tokens += len(s.Tokens)
			if len(s.LogProbs) != len(s.Tokens) {
				return nil, fmt.Errorf("group %d: a sample of %d tokens has %d log-probabilities", i, len(s.Tokens), len(s.LogProbs))
			}
		}
	}
	advantages := rule.Advantage.Compute(rewards)
	var out []Example
	for i, g := range groups {
		for j, s := range g.Samples {
			a := advantages[i][j]
			if len(s.Tokens) == 0 || (rule.DropConstant && a == 0) {
				continue
			}
			weight := 1 / float32(tokens)
			switch rule.Aggregate {
			case "sequence":
				weight = 1 / float32(samples*len(s.Tokens))
			case "dr":
				weight = 1 / float32(samples*rule.MaxTokens)
			}
			out = append(out, policyExample(g.Prompt, s, float32(a), weight))
		}
	}
	return out, nil
}

func policyExample(prompt []int32, s Scored, advantage, weight float32) Example {
	n := len(prompt) + len(s.Tokens)
	e := Example{Tokens: append(append(make([]int32, 0, n), prompt...), s.Tokens...), Weight: make([]float32, n), Columns: map[string][]float32{
		objective.Advantage: make([]float32, n), objective.OldLogProb: make([]float32, n)}}
	if s.RefLogProbs != nil {
		e.Columns[objective.RefLogProb] = make([]float32, n)
	}
	for j := range s.Tokens {
		at := len(prompt) + j
		e.Weight[at] = weight
		e.Columns[objective.Advantage][at] = advantage
		e.Columns[objective.OldLogProb][at] = s.LogProbs[j]
		if s.RefLogProbs != nil {
			e.Columns[objective.RefLogProb][at] = s.RefLogProbs[j]
		}
	}
	return e
}
