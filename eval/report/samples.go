package report

import (
	"fmt"
	"strings"

	"temper/pipelines"
)

// Sample is one problem with a response of each model.
type Sample struct {
	ID        string     `json:"id"`
	Prompt    string     `json:"prompt"`
	Responses []Response `json:"responses"`
}

// Response is a model's first response to a problem, and what all its samples of the problem were worth.
type Response struct {
	Model    string  `json:"model"`
	Response string  `json:"response"`
	Correct  int     `json:"correct"` // samples
	Judged   int     `json:"judged"`  // samples
	Reward   float64 `json:"reward"`  // mean over the samples
}

// samples takes the first problems of the task set and the first response of each model, so nobody has picked them.
func (b builder) samples(spec pipelines.SamplesReport) ([]Sample, error) {
	rows, err := b.rows(spec.Evaluation, spec.Models...)
	if err != nil {
		return nil, err
	}
	var out []Sample
	for _, r := range rows {
		if len(out) == spec.N {
			break
		}
		s := Sample{ID: r[0].ID, Prompt: r[0].Prompt}
		for i, d := range r {
			if len(d.Responses) > 0 {
				s.Responses = append(s.Responses, Response{Model: spec.Models[i], Response: d.Responses[0], Correct: d.Correct, Judged: d.Judged, Reward: d.Reward})
			}
		}
		if len(s.Responses) == len(r) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("evaluation %s has no problem with a response of each of %s", spec.Evaluation, strings.Join(spec.Models, ", "))
	}
	return out, nil
}
