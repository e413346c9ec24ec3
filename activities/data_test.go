package activities

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
	"temper/eval/report"
	"temper/pipelines"
	"temper/reward"
	"temper/tasks"
)

// visited is a problem's place in a log.
func visited(id, source string, concepts []string, rates ...float64) report.LogProblem {
	p := report.LogProblem{ID: id, Source: source, Concepts: concepts}
	for i, r := range rates {
		p.Visits = append(p.Visits, report.Visit{Round: i, Rate: r})
	}
	return p
}

// learned is a lab with a log in which the problems 0, 1, 2 and 6 of the pool follow the mean, and one is not there.
func learned(t *testing.T, set ...string) (*lab, []tasks.Problem) {
	l := newLab(t, set...)
	pool := slices.Clone(l.problems(l.sets["pool"].Ref))
	pool[1].Meta = map[string]string{"mislabelled": "true"}
	pool[5].Meta = map[string]string{"mislabelled": "true"}
	l.replaceSet("pool", pool)
	rising, falling := []float64{0, 0.5, 1}, []float64{1, 0.5, 0}
	var log []report.LogProblem
	for i, rates := range [][]float64{rising, rising, {0, 0.4, 1}, falling, {1, 1, 0}, {0.5, 0, 0}, rising} {
		log = append(log, visited(pool[i].ID, "pool", pool[i].Concepts, rates...))
	}
	log = append(log, visited(pool[7].ID, "elsewhere", nil, rising...), visited("unknown", "pool", nil, rising...))
	l.commitLog("probe", log)
	return l, pool
}

func ids(problems []tasks.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, p.ID)
	}
	return out
}

func TestCurateLIMR(t *testing.T) {
	l, pool := learned(t)
	out, err := l.a.curateData(l.ctx, contract.CurateInput{Stage: l.stage("limr")})
	require.NoError(t, err)
	kept := l.problems(out.Ref)
	require.Equal(t, []string{pool[0].ID, pool[1].ID, pool[2].ID, pool[6].ID}, ids(kept))
	require.Equal(t, pool[2], kept[2], "a problem is kept as it is")
	require.Equal(t, map[string]float64{"of": 8, "kept": 4, "epochs": 3, "min_score": 0.6, "mislabelled_all": 2, "mislabelled_kept": 1}, out.Numbers)
	require.Equal(t, "limr kept 4 of 8 problems (mislabelled: 2 of all, 1 of the kept)", out.Summary)

	again, err := newWorker(t, l.store).curateData(l.ctx, contract.CurateInput{Stage: l.stage("limr")})
	require.NoError(t, err)
	require.Equal(t, out, again)
	node, err := l.store.Lineage(l.ctx, out.Ref)
	require.NoError(t, err)
	require.ElementsMatch(t, []artifact.Ref{l.out["probe"]["log"], l.sets["pool"].Ref}, node.Ancestors())
}

func TestCurateLimits(t *testing.T) {
	l, _ := learned(t, "stages.limr.keep.count=2")
	out, err := l.a.curateData(l.ctx, contract.CurateInput{Stage: l.stage("limr")})
	require.NoError(t, err)
	require.Equal(t, 2, out.Count)

	l, _ = learned(t, "stages.limr.keep.min_score=1")
	l.commitLog("probe", []report.LogProblem{visited(l.problems(l.sets["pool"].Ref)[0].ID, "pool", nil, 0, 1), visited(l.problems(l.sets["pool"].Ref)[1].ID, "pool", nil, 1, 0)})
	_, err = l.a.curateData(l.ctx, contract.CurateInput{Stage: l.stage("limr")})
	require.ErrorContains(t, err, "stage limr: no problem of pool reaches the score 1: lower keep.min_score")

	l.commitLog("probe", []report.LogProblem{visited("x", "elsewhere", nil, 1)})
	_, err = l.a.curateData(l.ctx, contract.CurateInput{Stage: l.stage("limr")})
	require.ErrorContains(t, err, "the log of probe has no visit of a problem of pool")
}

func TestCurateAtRandom(t *testing.T) {
	l, pool := learned(t)
	l.gives("limr", pipelines.ProblemsOutput, l.sets["pool"].Ref)
	out, err := l.a.curateData(l.ctx, contract.CurateInput{Stage: l.stage("chance"), Count: 3})
	require.NoError(t, err)
	kept := ids(l.problems(out.Ref))
	require.Len(t, kept, 3)
	require.Subset(t, ids(pool), kept)
	seeds := map[string]bool{}
	for seed := range uint64(10) {
		stage := l.stage("chance")
		stage.Seed = seed
		o, err := l.a.curateData(l.ctx, contract.CurateInput{Stage: stage, Count: 3})
		require.NoError(t, err)
		seeds[o.Ref.Content] = true
	}
	require.Greater(t, len(seeds), 3, "the seed decides")

	l, _ = learned(t, "stages.chance.like=", "stages.chance.keep.count=5")
	out, err = l.a.curateData(l.ctx, contract.CurateInput{Stage: l.stage("chance")})
	require.NoError(t, err)
	require.Equal(t, 5, out.Count)
}

// weakLog fails every problem with one of the concepts and solves the others.
func weakLog(l *lab, weak ...string) []tasks.Problem {
	pool := l.problems(l.sets["pool"].Ref)
	var log []report.LogProblem
	for _, p := range pool {
		rate := 1.0
		if slices.ContainsFunc(p.Concepts, func(c string) bool { return slices.Contains(weak, c) }) {
			rate = 0
		}
		log = append(log, visited(p.ID, "pool", p.Concepts, rate, rate))
	}
	l.commitLog("probe", log)
	return pool
}

func TestDomainWritesForTheWeakConcepts(t *testing.T) {
	l := newLab(t, "stages.sws.budget=40", "stages.sws.concepts=2", "tasks.pool.count=40", "tasks.pool.difficulty=[1, 2]")
	pool := weakLog(l, "a", "m")
	written := done(l, l.a, (*Activities).writeProblems, l.stage("sws"))
	problems := l.problems(written.Ref)
	require.Equal(t, written.Count, len(problems))
	require.Equal(t, 40.0, written.Numbers["budget"])
	require.Positive(t, written.Numbers["weak/a"])
	require.Positive(t, written.Numbers["weak/m"])
	require.Contains(t, written.Summary, "a (")

	known, covered := map[string]bool{}, map[string]int{}
	for _, p := range pool {
		known[p.Prompt] = true
	}
	for _, p := range problems {
		require.False(t, known[p.Prompt], "%s is known", p.Prompt)
		known[p.Prompt] = true
		for _, c := range p.Concepts {
			covered[c]++
		}
		require.NotEmpty(t, p.Solution, "it can be interleaved")
		answer, _, _, steps, err := tasks.Solve(p.Prompt)
		require.NoError(t, err)
		require.Equal(t, answer, p.Answer)
		require.LessOrEqual(t, steps, 2)
	}
	require.Greater(t, len(problems), 30, "most of the budget is written")
	require.Greater(t, covered["a"], 5)
	require.Greater(t, covered["m"], 5)
	require.Equal(t, written, done(l, newWorker(t, l.store), (*Activities).writeProblems, l.stage("sws")))
}

func TestNoWeaknessWritesNothing(t *testing.T) {
	l := newLab(t)
	weakLog(l)
	written := done(l, l.a, (*Activities).writeProblems, l.stage("sws"))
	require.Zero(t, written.Count)
	require.Empty(t, l.problems(written.Ref))
	kept := done(l, l.a, (*Activities).filterProblems, contract.FilterInput{Stage: l.stage("sws"), Written: written})
	require.Zero(t, kept.Count)
	require.Equal(t, "no weakness found, nothing to write", kept.Summary)
	for _, number := range []string{"written", "agreed"} {
		require.Contains(t, kept.Numbers, number, "the report counts it")
	}
}

func TestFilterTrustsTheCalculator(t *testing.T) {
	l := newLab(t)
	weakLog(l, "a")
	written := done(l, l.a, (*Activities).writeProblems, l.stage("sws"))
	problems := slices.Clone(l.problems(written.Ref))
	require.Greater(t, len(problems), 4)
	problems[1].Answer = "xx"               // not what the calculator says
	problems[2].Prompt = "what is 1 and 1?" // not of the domain
	var err error
	written, err = l.a.commitProblems(l.ctx, l.stage("sws"), problems, "spoiled", map[string]float64{})
	require.NoError(t, err)
	kept := done(l, l.a, (*Activities).filterProblems, contract.FilterInput{Stage: l.stage("sws"), Written: written})
	want := slices.Delete(slices.Clone(problems), 1, 3)
	require.Equal(t, want, l.problems(kept.Ref), "every solve rate is in [0, 1]")
	require.Equal(t, float64(len(want)), kept.Numbers["agreed"])

	stage := l.stage("sws")
	stage.Stage.Settings.(*pipelines.Synthesize).Keep.Low = 0.5
	kept = done(l, l.a, (*Activities).filterProblems, contract.FilterInput{Stage: stage, Written: written})
	require.Zero(t, kept.Count, "a random model solves none half of the time")
}

func TestARandomModelWritesWithoutHarm(t *testing.T) {
	l := newLab(t, "stages.sws.writer=model")
	weakLog(l, "a", "b", "m")
	written := done(l, l.a, (*Activities).writeProblems, l.stage("sws"))
	require.Positive(t, written.Count)
	require.LessOrEqual(t, written.Count, 8)
	seen := map[string]bool{}
	for _, p := range l.problems(written.Ref) {
		require.NotEmpty(t, p.Prompt)
		require.False(t, seen[p.Prompt])
		seen[p.Prompt] = true
		require.Empty(t, p.Answer, "nobody knows it yet")
	}
	kept := done(l, l.a, (*Activities).filterProblems, contract.FilterInput{Stage: l.stage("sws"), Written: written})
	require.LessOrEqual(t, kept.Count, written.Count)
	for _, p := range l.problems(kept.Ref) {
		require.NotEmpty(t, p.Answer)
	}
}

func TestLabels(t *testing.T) {
	p := tasks.Problem{Prompt: "23a45?", Answer: "68"}
	model, domain := &pipelines.Synthesize{Writer: "model", Agree: 2}, &pipelines.Synthesize{Writer: "domain", Agree: 2}
	for _, c := range []struct {
		name    string
		s       *pipelines.Synthesize
		answers []string
		want    string
		ok      bool
	}{
		{"enough agree", model, []string{"68", "", "68", "1"}, "68", true},
		{"too few agree", model, []string{"68", "", "1", "2"}, "", false},
		{"no answers", model, []string{"", "", ""}, "", false},
		{"the calculator outvotes them", domain, []string{"1", "1", "1"}, "68", true},
	} {
		got, ok := label(c.s, p, c.answers)
		require.Equal(t, c.ok, ok, c.name)
		if ok {
			require.Equal(t, c.want, got, c.name)
		}
	}
	group := []answer{{Text: "x#68"}, {Text: "x# 68 "}, {Text: "none"}}
	group[0].Finished, group[1].Finished = true, false
	group[2].Finished = true
	p.Meta = map[string]string{"answer": "hash"}
	require.Equal(t, []string{"68", "", ""}, extract(p, group), "an answer that was cut off is none")
}

func TestWriteLogKeepsWhatWasJudged(t *testing.T) {
	l := newLab(t)
	pool := l.problems(l.sets["pool"].Ref)
	commit := func(groups ...rolloutGroup) artifact.Ref {
		body, err := gzipJSON(rollouts{Groups: groups})
		require.NoError(t, err)
		ref, err := l.store.Commit(l.ctx, artifact.Manifest{Kind: kindRollouts}, map[string][]byte{rolloutsFile: body})
		require.NoError(t, err)
		return ref
	}
	group := func(ordinal int, verdicts ...reward.Verdict) rolloutGroup {
		g := rolloutGroup{Ordinal: ordinal}
		for _, v := range verdicts {
			g.Samples = append(g.Samples, rolloutSample{Verdict: v})
		}
		return g
	}
	c, w, e := reward.Correct, reward.Wrong, reward.Error
	ref, err := l.a.writeLog(l.ctx, contract.LogInput{Stage: l.stage("probe"), Rounds: []contract.Round{
		{Rollouts: commit(group(4, c, w, e, e), group(2, e, e), group(4, w, w)), Reward: 0.5},
		{Rollouts: commit(group(2, c, c, c, w)), Interleave: []int{4, 2}},
	}})
	require.NoError(t, err)
	log, err := l.a.readLog(l.ctx, ref)
	require.NoError(t, err)
	require.Equal(t, []report.LogProblem{
		{ID: pool[2].ID, Concepts: pool[2].Concepts, Source: "pool", Visits: []report.Visit{{Round: 1, Rate: 0.75}}},
		{ID: pool[4].ID, Concepts: pool[4].Concepts, Source: "pool", Visits: []report.Visit{{Round: 0, Rate: 0.5}, {Round: 0, Rate: 0}}},
	}, log.Problems)
	require.Equal(t, 0.5, log.Rounds[0].Reward)
	require.Equal(t, []string{pool[4].ID, pool[2].ID}, log.Rounds[1].Demos)
	require.Empty(t, log.Alarms)

	var same rolloutGroup // every answer is 7, and half of the times that is right
	for i := range 64 {
		v := []reward.Verdict{c, w}[i%2]
		same.Samples = append(same.Samples, rolloutSample{Verdict: v, Answer: "7", Parts: map[string]float64{"correct": map[reward.Verdict]float64{c: 1}[v], "format": 0.1}})
	}
	ref, err = l.a.writeLog(l.ctx, contract.LogInput{Stage: l.stage("probe"), Rounds: []contract.Round{{Rollouts: commit(same)}}})
	require.NoError(t, err)
	log, err = l.a.readLog(l.ctx, ref)
	require.NoError(t, err)
	require.Equal(t, []report.Alarm{{Name: reward.ClassCollapse, Detail: `100% of 64 answers are "7", and 50% of these are right`},
		{Name: reward.DeadPart, Detail: "format is 0.1 for each of 64 samples"}}, log.Alarms)
}
