package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"temper/activities/contract"
	"temper/artifact"
	"temper/data"
	"temper/eval/report"
	"temper/pipelines"
	"temper/reward"
	"temper/tasks"
)

const logFile = "log.json"

// writeLog derives the log of an RL stage from the rollouts of its rounds: what each round was worth, and how each problem fared at each of
// its visits.
func (a *Activities) writeLog(ctx context.Context, in contract.LogInput) (artifact.Ref, error) {
	s := in.Stage.Stage.Settings.(*pipelines.RL)
	pool, err := a.pooled(ctx, in.Stage, s.Tasks)
	if err != nil {
		return artifact.Ref{}, err
	}
	all, err := a.allRounds(ctx, in.Earlier, in.Rounds)
	if err != nil {
		return artifact.Ref{}, err
	}
	log := report.Log{}
	visits := map[int][]report.Visit{}
	var parents []artifact.Parent
	var rounds []reward.Round
	for n, r := range all {
		var record rollouts
		if err := a.readGzip(ctx, r.Rollouts, rolloutsFile, &record); err != nil {
			return artifact.Ref{}, err
		}
		parents = append(parents, artifact.Parent{Role: fmt.Sprintf("round/%d", n+1), Ref: r.Rollouts})
		round := report.LogRound{Round: n, Reward: r.Reward, Solved: r.Solved, Entropy: r.Entropy, Norm: r.Norm, Gap: r.Gap, Interleave: len(r.Interleave)}
		for _, o := range r.Interleave {
			round.Demos = append(round.Demos, pool.problems[o].ID)
		}
		for _, g := range record.Groups {
			if rate := solveRate(g.Samples); !math.IsNaN(rate) {
				visits[g.Ordinal] = append(visits[g.Ordinal], report.Visit{Round: n, Rate: rate})
			}
		}
		log.Rounds = append(log.Rounds, round)
		rounds = append(rounds, summary(record))
	}
	for _, a := range reward.Alarms(rounds, reward.DefaultThresholds().Of(s.RecipeSettings.Reward)) {
		log.Alarms = append(log.Alarms, report.Alarm(a))
	}
	for o, p := range pool.problems {
		if v := visits[o]; len(v) > 0 {
			log.Problems = append(log.Problems, report.LogProblem{ID: p.ID, Concepts: p.Concepts, Source: pool.name(o), Mislabelled: p.Meta["mislabelled"] == "true", Visits: v})
		}
	}
	body, err := json.Marshal(log)
	if err != nil {
		return artifact.Ref{}, err
	}
	return a.commit(ctx, in.Stage, kindLog, fmt.Sprintf("log of %s: %d rounds", in.Stage.Stage.ID, len(all)), nil,
		map[string][]byte{logFile: body}, append(inputs(in.Stage), parents...)...)
}

// summary is what alarms know of a round.
func summary(record rollouts) reward.Round {
	var samples []reward.Sample
	var scores []reward.Score
	for _, g := range record.Groups {
		for _, x := range g.Samples {
			samples = append(samples, reward.Sample{Response: x.Text, Tokens: len(x.Tokens)})
			scores = append(scores, reward.Score{Verdict: x.Verdict, Reward: x.Reward, Parts: x.Parts, Answer: x.Answer})
		}
	}
	return reward.Summarise(samples, scores)
}

// solveRate is the share of judged samples that are correct; NaN where none could be judged.
func solveRate(samples []rolloutSample) float64 {
	correct, judged := 0.0, 0.0
	for _, s := range samples {
		switch s.Verdict {
		case reward.Correct:
			correct++
			judged++
		case reward.Wrong:
			judged++
		}
	}
	return correct / judged
}

func (a *Activities) readLog(ctx context.Context, ref artifact.Ref) (report.Log, error) {
	body, err := a.store.Read(ctx, ref, logFile)
	if err != nil {
		return report.Log{}, err
	}
	var log report.Log
	if err := json.Unmarshal(body, &log); err != nil {
		return log, fmt.Errorf("%s/%s: %w", ref.Short(), logFile, err)
	}
	return log, nil
}

// curateData selects problems of a task set by LIMR's score over an RL stage's log, or at random.
func (a *Activities) curateData(ctx context.Context, in contract.CurateInput) (contract.ProblemsOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Curate)
	problems, err := a.dataset(ctx, in.Stage.Data[s.Tasks])
	if err != nil {
		return contract.ProblemsOut{}, err
	}
	numbers := map[string]float64{"of": float64(len(problems)), "mislabelled_all": mislabelled(problems)}
	var kept []int
	switch s.Method {
	case "random":
		n := in.Count
		if s.Like == "" {
			n = s.Keep.Count
		}
		kept = data.RandomLike(len(problems), n, in.Stage.Seed)
	default:
		if kept, err = a.limr(ctx, in.Stage, s, problems, numbers); err != nil {
			return contract.ProblemsOut{}, err
		}
	}
	if len(kept) == 0 {
		return contract.ProblemsOut{}, fmt.Errorf("stage %s: no problem of %s reaches the score %g: lower keep.min_score", in.Stage.Stage.ID, s.Tasks, s.Keep.MinScore)
	}
	var out []tasks.Problem
	for _, i := range kept {
		out = append(out, problems[i])
	}
	numbers["kept"], numbers["mislabelled_kept"] = float64(len(out)), mislabelled(out)
	summary := fmt.Sprintf("%s kept %d of %d problems", s.Method, len(out), len(problems))
	if numbers["mislabelled_all"] > 0 {
		summary += fmt.Sprintf(" (mislabelled: %.0f of all, %.0f of the kept)", numbers["mislabelled_all"], numbers["mislabelled_kept"])
	}
	return a.commitProblems(ctx, in.Stage, out, summary, numbers)
}

// limr scores the problems by how their solve rates over the visits follow the mean.
func (a *Activities) limr(ctx context.Context, stage contract.Stage, s *pipelines.Curate, problems []tasks.Problem, numbers map[string]float64) ([]int, error) {
	log, err := a.readLog(ctx, stage.Logs[s.Log])
	if err != nil {
		return nil, err
	}
	place := map[string]int{}
	for i, p := range problems {
		place[p.ID] = i
	}
	epochs := 0
	curves := make([][]float64, len(problems))
	for _, p := range log.Problems {
		i, ok := place[p.ID]
		if !ok || p.Source != s.Tasks {
			continue
		}
		for _, v := range p.Visits {
			curves[i] = append(curves[i], v.Rate)
		}
		epochs = max(epochs, len(p.Visits))
	}
	for i := range curves {
		for len(curves[i]) < epochs {
			curves[i] = append(curves[i], math.NaN())
		}
	}
	filled, indices := data.Fill(curves)
	if len(filled) == 0 {
		return nil, fmt.Errorf("the log of %s has no visit of a problem of %s", s.Log, s.Tasks)
	}
	scores, err := data.LIMR(filled)
	if err != nil {
		return nil, err
	}
	numbers["epochs"], numbers["min_score"] = float64(epochs), s.Keep.MinScore
	kept := data.Keep(scores, s.Keep.MinScore)
	if s.Keep.Count > 0 && len(kept) > s.Keep.Count {
		best := data.KeepTop(scores, s.Keep.Count)
		kept = slices.DeleteFunc(kept, func(i int) bool { return !slices.Contains(best, i) })
	}
	out := make([]int, len(kept))
	for i, k := range kept {
		out[i] = indices[k]
	}
	return out, nil
}

// mislabelled counts the problems whose gold answer is known to be wrong.
func mislabelled(problems []tasks.Problem) float64 {
	n := 0.0
	for _, p := range problems {
		if p.Meta["mislabelled"] == "true" {
			n++
		}
	}
	return n
}

func (a *Activities) commitProblems(ctx context.Context, stage contract.Stage, problems []tasks.Problem, summary string, numbers map[string]float64) (contract.ProblemsOut, error) {
	ref, err := a.commit(ctx, stage, kindProblems, summary, numbers, map[string][]byte{problemsFile: tasks.WriteJSONL(problems)}, inputs(stage)...)
	return contract.ProblemsOut{Ref: ref, Count: len(problems), Numbers: numbers, Summary: summary}, err
}
