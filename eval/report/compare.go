package report

import (
	"fmt"

	"temper/eval"
)

// builder looks measurements up.
type builder struct{ in Input }

// row is one problem as several models answered it: row[i] is model i's.
type row []ProblemDetail

// judged gives the problems that have a verdict for every one of the models, in the order of the first. Problems whose judge failed
// for one model are left out for all, so that every number is about the same problems.
func (b builder) judged(evaluation string, models ...string) ([]row, error) {
	rows, err := b.rows(evaluation, models...)
	if err != nil {
		return nil, err
	}
	var out []row
	for _, r := range rows {
		whole := true
		for _, d := range r {
			whole = whole && d.Judged > 0
		}
		if whole {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("evaluation %s: no problem is judged for all of %v", evaluation, models)
	}
	return out, nil
}

// rows gives the problems that every one of the models answered, in the order of the first.
func (b builder) rows(evaluation string, models ...string) ([]row, error) {
	byID := make([]map[string]ProblemDetail, len(models))
	for i, model := range models {
		list, ok := b.in.Details[evaluation][model]
		if !ok {
			return nil, fmt.Errorf("evaluation %s has no problems of model %s", evaluation, model)
		}
		byID[i] = make(map[string]ProblemDetail, len(list))
		for _, d := range list {
			if _, twice := byID[i][d.ID]; twice {
				return nil, fmt.Errorf("evaluation %s of model %s: problem %q occurs twice", evaluation, model, d.ID)
			}
			if d.Correct < 0 || d.Judged < 0 || d.Correct > d.Judged {
				return nil, fmt.Errorf("evaluation %s of model %s: problem %q: %d correct of %d judged samples", evaluation, model, d.ID, d.Correct, d.Judged)
			}
			byID[i][d.ID] = d
		}
	}
	var out []row
	for _, first := range b.in.Details[evaluation][models[0]] {
		r := make(row, 0, len(models))
		for i := range models {
			if d, ok := byID[i][first.ID]; ok {
				r = append(r, d)
			}
		}
		if len(r) == len(models) {
			out = append(out, r)
		}
	}
	return out, nil
}

// rates is pass@1 of model i on each problem.
func rates(rows []row, i int) []float64 {
	out := make([]float64, len(rows))
	for j, r := range rows {
		out[j] = eval.PassAtK(r[i].Judged, r[i].Correct, 1)
	}
	return out
}

// mean of no values is 0.
func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(1, len(values)))
}

// Score is pass@1 of a model.
type Score struct {
	Model   string     `json:"model"`
	N       int        `json:"n"` // problems
	PassAt1 float64    `json:"pass_at_1"`
	CI95    [2]float64 `json:"ci95"`
}

// score takes pass@1 of a model from the evaluation's table, so that a report shows one number with one interval; an evaluation without
// pass@1 is measured from its problems.
func (b builder) score(evaluation, model string, rows []row, i int) *Score {
	for _, r := range b.in.Results[evaluation] {
		value, ok := r.PassAt[1]
		if interval, known := r.CI95[1]; ok && known && r.Model == model {
			return &Score{Model: model, N: r.N - r.Skipped[1], PassAt1: value, CI95: interval}
		}
	}
	values := rates(rows, i)
	return &Score{Model: model, N: len(rows), PassAt1: mean(values), CI95: eval.Bootstrap(values, b.seed())}
}

// paired compares model i with model j on the same problems.
func (b builder) paired(rows []row, i, j int) (*eval.Paired, error) {
	got, err := eval.PairedBootstrap(rates(rows, i), rates(rows, j), b.seed())
	if err != nil {
		return nil, err
	}
	return &got, nil
}

func (b builder) seed() uint64 { return b.in.Pipeline.Seed }

func (b builder) log(stage string) (Log, error) {
	log, ok := b.in.Logs[stage]
	if !ok {
		return Log{}, fmt.Errorf("stage %s has no log", stage)
	}
	return log, nil
}

func (b builder) info(stage string) (StageInfo, error) {
	info, ok := b.in.Stages[stage]
	if !ok {
		return StageInfo{}, fmt.Errorf("stage %s has not finished", stage)
	}
	return info, nil
}
