package activities

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"temper/activities/contract"
	"temper/data"
	"temper/pipelines"
	"temper/reward"
	"temper/tasks"
)

// writeProblems finds what the policy of an RL stage is weak at and writes new problems for it (SwS, see data.FindWeakness).
func (a *Activities) writeProblems(ctx context.Context, e *engine, stage contract.Stage) (contract.ProblemsOut, error) {
	s := stage.Stage.Settings.(*pipelines.Synthesize)
	log, err := a.readLog(ctx, stage.Logs[s.Log])
	if err != nil {
		return contract.ProblemsOut{}, err
	}
	var attempts []data.Attempts
	for _, p := range log.Problems {
		if !slices.Contains(s.Tasks, p.Source) {
			continue
		}
		x := data.Attempts{ID: p.ID, Concepts: p.Concepts}
		for _, v := range p.Visits {
			x.Rates = append(x.Rates, v.Rate)
		}
		attempts = append(attempts, x)
	}
	weakness, err := data.FindWeakness(attempts, data.DefaultWeakRule())
	if err != nil {
		return contract.ProblemsOut{}, err
	}
	plan, err := plannedConcepts(s, weakness, stage.Seed)
	if errors.Is(err, data.ErrNoWeakness) {
		return a.commitProblems(ctx, stage, nil, "no weakness found, nothing to write", map[string]float64{"budget": float64(s.Budget), "written": 0, "agreed": 0})
	}
	if err != nil {
		return contract.ProblemsOut{}, err
	}
	pool, err := a.pooled(ctx, stage, s.Tasks)
	if err != nil {
		return contract.ProblemsOut{}, err
	}
	known := map[string]bool{}
	for _, p := range pool.problems {
		known[p.Prompt] = true
	}
	var written []tasks.Problem
	if s.Writer == "model" {
		written, err = a.modelWrites(ctx, e, stage, s, pool.problems, plan, known)
	} else {
		written, err = domainWrites(stage.Seed, s, plan, known)
	}
	if err != nil {
		return contract.ProblemsOut{}, err
	}
	numbers := map[string]float64{"budget": float64(s.Budget), "written": float64(len(written)), "weak_problems": float64(len(weakness.IDs))}
	if s.Method == "uniform" {
		return a.commitProblems(ctx, stage, written, fmt.Sprintf("%d problems written for all concepts alike", len(written)), numbers)
	}
	var weak []string
	for concept, n := range weakness.Budget(s.Budget) {
		if n > 0 {
			numbers["weak/"+concept] = weakness.Ratio[concept]
			weak = append(weak, fmt.Sprintf("%s (%.0f%%)", concept, 100*weakness.Ratio[concept]))
		}
	}
	slices.Sort(weak)
	return a.commitProblems(ctx, stage, written, fmt.Sprintf("%d problems written for the weak concepts %s", len(written), strings.Join(weak, ", ")), numbers)
}

// plannedConcepts lists the concepts of each problem to write.
func plannedConcepts(s *pipelines.Synthesize, w data.Weakness, seed uint64) ([][]string, error) {
	if s.Method == "uniform" {
		return data.UniformPlan(slices.Collect(maps.Keys(w.Ratio)), s.Budget, s.Concepts, seed)
	}
	return w.Plan(s.Budget, s.Concepts, seed)
}

// domainWrites lets the procedural domain write a problem for each planned list of concepts, none twice and none that is known.
func domainWrites(seed uint64, s *pipelines.Synthesize, plan [][]string, known map[string]bool) ([]tasks.Problem, error) {
	var out []tasks.Problem
	for i, concepts := range plan {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		for range writeAttempts {
			steps := s.Steps[0] + rng.IntN(s.Steps[1]-s.Steps[0]+1)
			p, err := tasks.Compose(concepts, max(steps, len(concepts)), rng)
			if err != nil {
				return nil, fmt.Errorf("write a problem of %s: %w", strings.Join(concepts, ", "), err)
			}
			if !known[p.Prompt] {
				known[p.Prompt] = true
				out = append(out, p)
				break
			}
		}
	}
	return out, nil
}

// writeAttempts bounds the search for a problem that is not known yet.
const writeAttempts = 20

// exampleBreak separates example problems in the prompt of a writing model; what it writes up to the next one is a problem.
const exampleBreak = "\n\n"

// modelWrites shows the model problems of the planned concepts and takes what it writes next as a new one. Its answer is not known yet.
func (a *Activities) modelWrites(ctx context.Context, e *engine, stage contract.Stage, s *pipelines.Synthesize, problems []tasks.Problem, plan [][]string, known map[string]bool) ([]tasks.Problem, error) {
	m, err := a.model(ctx, e, stage.Models[s.Model])
	if err != nil {
		return nil, err
	}
	scorer, err := correctness(false) // a problem is not an answer
	if err != nil {
		return nil, err
	}
	prompts := make([]tasks.Problem, len(plan))
	for i, concepts := range plan {
		rng := rand.New(rand.NewPCG(stage.Seed, uint64(i)))
		var text strings.Builder
		for _, j := range examplesOf(problems, concepts, rng) {
			text.WriteString(problems[j].Prompt + exampleBreak)
		}
		prompts[i] = tasks.Problem{ID: fmt.Sprintf("%s:%d", stage.Stage.ID, i), Prompt: text.String(), Concepts: concepts}
	}
	answers, err := e.ask(ctx, policy{m.config, m.params, m.text}, prompts, scorer, request{samples: 1, temperature: s.Temperature, precision: s.SamplingPrecision, maxTokens: s.MaxTokens, seed: stage.Seed, iteration: 1})
	if err != nil {
		return nil, err
	}
	var out []tasks.Problem
	for i, group := range answers {
		text, _, _ := strings.Cut(group[0].Text, exampleBreak)
		if strings.TrimSpace(text) == "" || known[text] {
			continue
		}
		known[text] = true
		out = append(out, tasks.Problem{ID: prompts[i].ID, Prompt: text, Concepts: prompts[i].Concepts, Source: stage.Stage.ID, Meta: problems[0].Meta})
	}
	return out, nil
}

// examplesOf picks a few problems that have one of the concepts, or any where none has.
func examplesOf(problems []tasks.Problem, concepts []string, rng *rand.Rand) []int {
	const examples = 3
	var fitting []int
	for i, p := range problems {
		if slices.ContainsFunc(p.Concepts, func(c string) bool { return slices.Contains(concepts, c) }) {
			fitting = append(fitting, i)
		}
	}
	if len(fitting) == 0 {
		for i := range problems {
			fitting = append(fitting, i)
		}
	}
	rng.Shuffle(len(fitting), func(i, j int) { fitting[i], fitting[j] = fitting[j], fitting[i] })
	return fitting[:min(examples, len(fitting))]
}

// filterProblems keeps the written problems whose answer can be trusted and that are neither mastered nor out of reach. The answer of a
// domain's problem is the calculator's, worked out anew; that of a model's problem is the one that enough of its samples agree on.
func (a *Activities) filterProblems(ctx context.Context, e *engine, in contract.FilterInput) (contract.ProblemsOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Synthesize)
	problems, err := a.dataset(ctx, in.Written.Ref)
	if err != nil {
		return contract.ProblemsOut{}, err
	}
	numbers := in.Written.Numbers
	if len(problems) == 0 {
		numbers["agreed"] = 0
		return a.commitProblems(ctx, in.Stage, nil, in.Written.Summary, numbers)
	}
	m, err := a.model(ctx, e, in.Stage.Models[s.Model])
	if err != nil {
		return contract.ProblemsOut{}, err
	}
	scorer, err := reward.New([]reward.PartSpec{{Kind: "correct", Weight: 1}})
	if err != nil {
		return contract.ProblemsOut{}, err
	}
	answers, err := e.ask(ctx, policy{m.config, m.params, m.text}, problems, scorer, request{samples: s.AnswerSamples, temperature: s.Temperature, precision: s.SamplingPrecision, maxTokens: s.MaxTokens, seed: in.Stage.Seed, iteration: 2})
	if err != nil {
		return contract.ProblemsOut{}, err
	}
	var agreed []tasks.Problem
	var rates []float64
	for i, p := range problems {
		found := extract(p, answers[i])
		label, ok := label(s, p, found)
		if !ok {
			continue
		}
		p.Answer = label
		right := 0.0
		for _, f := range found {
			if f == label {
				right++
			}
		}
		agreed, rates = append(agreed, p), append(rates, right/float64(len(found)))
	}
	var kept []tasks.Problem
	for _, i := range data.KeepRates(rates, s.Keep.Low, s.Keep.High) {
		kept = append(kept, agreed[i])
	}
	numbers["agreed"] = float64(len(agreed))
	return a.commitProblems(ctx, in.Stage, kept, fmt.Sprintf("%s; %d with a trusted answer, %d of the right difficulty", in.Written.Summary, len(agreed), len(kept)), numbers)
}

// extract gives the answers of the samples, "" where there is none.
func extract(p tasks.Problem, group []answer) []string {
	form := p.Meta["answer"]
	if form == "" {
		form = "auto"
	}
	out := make([]string, len(group))
	for i, x := range group {
		if text, err := reward.Extract(form, x.Text); err == nil && x.Finished {
			out[i] = strings.TrimSpace(text)
		}
	}
	return out
}

// label is the answer that a problem is trained with.
func label(s *pipelines.Synthesize, p tasks.Problem, answers []string) (string, bool) {
	if s.Writer == "model" {
		return data.Agree(answers, s.Agree)
	}
	again, err := tasks.ParseProblem(p.Prompt)
	return again.Answer, err == nil && again.Answer == p.Answer
}
