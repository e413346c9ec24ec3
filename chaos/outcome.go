package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"temper/activities/contract"
	"temper/eval/report"
	"temper/pipelines"
)

// outcome is what a run leaves that must not depend on what happened to it.
type outcome struct {
	models  map[string]string // stage → digest of the model's files, weights among them
	trained map[string]int    // what was trained on → how often
}

// outcome reads what a run left in the bucket; every byte of it is checked against its digest.
func (s *stand) outcome(ctx context.Context, out contract.PipelineOut) (outcome, error) {
	store, err := s.store(ctx)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{models: map[string]string{}, trained: map[string]int{}}
	for stage, result := range out.Stages {
		for name, ref := range result.Outputs {
			m, err := store.Load(ctx, ref)
			if err != nil {
				return outcome{}, err
			}
			for _, f := range m.Files {
				if _, err := store.Read(ctx, ref, f.Path); err != nil {
					return outcome{}, fmt.Errorf("%s of stage %s: %w", name, stage, err)
				}
			}
			switch name {
			case pipelines.ModelOutput:
				o.models[stage] = m.Content()
			case pipelines.LogOutput:
				body, err := store.Read(ctx, ref, "log.json")
				if err != nil {
					return outcome{}, err
				}
				if err := o.read(stage, body); err != nil {
					return outcome{}, err
				}
			}
		}
	}
	if len(o.models) == 0 || len(o.trained) == 0 {
		return outcome{}, fmt.Errorf("the run left %d models and %d trained prompts", len(o.models), len(o.trained))
	}
	return o, nil
}

// read counts the prompts of a stage's log, and the demonstrations.
func (o outcome) read(stage string, body []byte) error {
	var log report.Log
	if err := json.Unmarshal(body, &log); err != nil {
		return fmt.Errorf("log of stage %s: %w", stage, err)
	}
	for _, p := range log.Problems {
		for _, v := range p.Visits {
			o.trained[fmt.Sprintf("%s, round %d: prompt %s", stage, v.Round+1, p.ID)]++
		}
	}
	for _, r := range log.Rounds {
		for _, d := range r.Demos {
			o.trained[fmt.Sprintf("%s, round %d: demonstration %s", stage, r.Round+1, d)]++
		}
	}
	return nil
}

// differences says in what an outcome is not the undisturbed run's.
func (o outcome) differences(undisturbed outcome) (digests, prompts []string) {
	for _, stage := range slices.Sorted(maps.Keys(undisturbed.models)) {
		if got, want := o.models[stage], undisturbed.models[stage]; got != want {
			digests = append(digests, fmt.Sprintf("model of stage %s: %.12s, undisturbed %.12s", stage, got, want))
		}
	}
	all := maps.Clone(undisturbed.trained)
	maps.Copy(all, o.trained)
	for _, what := range slices.Sorted(maps.Keys(all)) {
		if got, want := o.trained[what], undisturbed.trained[what]; got != want {
			prompts = append(prompts, fmt.Sprintf("%s: trained %d times, undisturbed %d", what, got, want))
		}
	}
	return digests, prompts
}
