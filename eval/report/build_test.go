package report

import (
	"encoding/json"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"temper/pipelines"
)

func TestReLIFTByHand(t *testing.T) {
	in := full(t)
	detail := func(id string, correct, judged int) ProblemDetail {
		return ProblemDetail{ID: id, Correct: correct, Judged: judged}
	}
	in.Details["questions"] = map[string][]ProblemDetail{
		"sft":  {detail("1", 0, 4), detail("2", 0, 4), detail("3", 1, 4), detail("4", 0, 4), detail("5", 0, 0), detail("6", 0, 4)},
		"rl1":  {detail("6", 0, 4), detail("1", 2, 4), detail("2", 1, 4), detail("3", 4, 4), detail("4", 0, 4), detail("5", 4, 4)},
		"grpo": {detail("1", 1, 4), detail("2", 0, 4), detail("3", 4, 4), detail("4", 0, 4), detail("5", 4, 4), detail("6", 0, 0)},
	}
	doc, err := Build(in)
	require.NoError(t, err)
	r := doc.ReLIFT
	require.Equal(t, 4, r.N, "5 and 6 are not judged for every model")
	require.Equal(t, 3, r.UnsolvedBefore)
	require.InDelta(t, 2.0/3, *r.SolvedNow, 1e-12)
	require.InDelta(t, 1.0/3, *r.ControlSolvedNow, 1e-12)
	require.InDelta(t, (0.5+0.25+1)/4, r.PassAt1, 1e-12)
	require.InDelta(t, (0.25+1)/4, *r.ControlPassAt1, 1e-12)
	require.InDelta(t, 0.125, r.Paired.Difference, 1e-12, "the problems are matched by id")
	require.Equal(t, 32, r.Questions, "those that were drawn")
	require.Equal(t, 3, r.Demonstrations, "chain-3 twice, chain-2, chain-5")
	require.InDelta(t, 3.0/32, r.DemonstrationShare, 1e-12)
	require.Equal(t, 6*16*8, r.Rollouts)
	require.Equal(t, r.Rollouts, *r.ControlRollouts)

	in.Details["questions"]["sft"] = in.Details["questions"]["rl1"][3:4]
	doc, err = Build(in)
	require.NoError(t, err)
	require.Nil(t, doc.ReLIFT.SolvedNow, "nothing was unsolved")
	body, err := json.Marshal(doc.ReLIFT)
	require.NoError(t, err)
	require.Contains(t, string(body), `"solved_now":null`)
	require.Contains(t, doc.Markdown(), "Of the 1 problem of evaluation questions, sft leaves none unsolved")
}

func TestComparisonsWithoutControls(t *testing.T) {
	in := full(t)
	in.Pipeline.Report.ReLIFT.Control = ""
	in.Pipeline.Report.LIMR.Control, in.Pipeline.Report.LIMR.ControlModel = "", ""
	doc, err := Build(in)
	require.NoError(t, err)
	require.Nil(t, doc.ReLIFT.Paired)
	require.Nil(t, doc.ReLIFT.ControlRollouts)
	require.Nil(t, doc.LIMR.Paired)
	require.Nil(t, doc.LIMR.ControlScore)
	require.NotContains(t, doc.Markdown(), "| grpo |\n")
	body, err := doc.JSON()
	require.NoError(t, err)
	require.NotContains(t, string(body), "control")
}

func TestLIMR(t *testing.T) {
	in := full(t)
	doc, err := Build(in)
	require.NoError(t, err)
	l := doc.LIMR
	require.Equal(t, []int{12, 40, 12}, []int{l.Kept, l.Of, *l.ControlKept})
	require.InDelta(t, 0.6, l.MinScore, 1e-12, "the setting's default")
	require.InDelta(t, 0.125, *l.MislabelledShare, 1e-12)
	require.InDelta(t, 1.0/12, *l.MislabelledShareKept, 1e-12)
	table := in.Results["evaluate"][3]
	require.Equal(t, "few", table.Model)
	require.Equal(t, Score{Model: "few", N: 24, PassAt1: table.PassAt[1], CI95: table.CI95[1]}, *l.Score, "as in the table")
	require.InDelta(t, l.Score.PassAt1-l.ControlScore.PassAt1, l.Paired.Difference, 1e-12)

	for i := range in.Results["evaluate"] {
		in.Results["evaluate"][i].PassAt, in.Results["evaluate"][i].CI95 = map[int]float64{4: 1}, nil
	}
	delete(in.Stages["limr"].Numbers, "mislabelled_all")
	doc, err = Build(in)
	require.NoError(t, err)
	require.Equal(t, l.Score, doc.LIMR.Score, "measured from the problems, the same")
	require.Nil(t, doc.LIMR.MislabelledShare)
	require.NotContains(t, doc.Markdown(), "wrong answer")
}

func TestSwS(t *testing.T) {
	in := full(t)
	doc, err := Build(in)
	require.NoError(t, err)
	s := doc.SwS
	require.Equal(t, []int{2000, 1500, 800}, []int{s.Written, s.Agreed, s.Kept})
	require.Len(t, s.Concepts, 2)
	require.Equal(t, "b", s.Concepts[0].Concept, "the weakest first")
	require.Equal(t, 8, s.Concepts[0].N)
	require.Nil(t, s.Concepts[1].Before, "no problem has m")
	require.Equal(t, 8, s.Weak.N)
	require.Equal(t, *s.Concepts[0].Before, s.Weak.Before)
	require.InDelta(t, s.Weak.After-s.Weak.Before, s.Weak.Paired.Difference, 1e-12)
	require.Greater(t, s.Weak.Paired.Difference, 0.0)

	require.Nil(t, s.Weak.Against, "no control was named")
	in.Pipeline.Report.SwS.Control = "sft"
	doc, err = Build(in)
	require.NoError(t, err)
	require.InDelta(t, doc.SwS.Weak.After-*doc.SwS.Weak.Control, doc.SwS.Weak.Against.Difference, 1e-12)
	require.Contains(t, doc.Markdown(), "sft, trained alike on problems that aim at no weakness")
	in.Pipeline.Report.SwS.Control = ""

	in.Stages["sws"].Numbers["weak/a"] = 0.9
	doc, err = Build(in)
	require.NoError(t, err)
	require.Equal(t, 24, doc.SwS.Weak.N, "a problem with two weak concepts counts once")

	maps.DeleteFunc(in.Stages["sws"].Numbers, func(k string, _ float64) bool { return strings.HasPrefix(k, weakPrefix) })
	doc, err = Build(in)
	require.NoError(t, err)
	require.Nil(t, doc.SwS.Weak)
	require.Contains(t, doc.Markdown(), "Training failed at no concept")
	body, err := json.Marshal(doc.SwS)
	require.NoError(t, err)
	require.Contains(t, string(body), `"concepts":[]`)
}

func TestSamplesAreTheFirst(t *testing.T) {
	in := full(t)
	in.Details["evaluate"]["rl2"][0].Responses = nil
	in.Details["evaluate"]["base"][1].Judged, in.Details["evaluate"]["base"][1].Correct = 0, 0
	doc, err := Build(in)
	require.NoError(t, err)
	require.Len(t, doc.Samples, 2)
	require.Equal(t, "chain-1", doc.Samples[0].ID, "one without a response of each model is passed over")
	require.Equal(t, []string{"base", "rl2"}, []string{doc.Samples[0].Responses[0].Model, doc.Samples[0].Responses[1].Model})
	require.Contains(t, doc.Markdown(), "`base` (mean reward 0.000)")
}

func TestBuildRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Input)
		want   string
	}{
		{"no pipeline", func(in *Input) { in.Pipeline = nil }, "no pipeline"},
		{"no results", func(in *Input) { delete(in.Results, "evaluate") }, "main table: evaluation evaluate has no results"},
		{"no log", func(in *Input) { delete(in.Logs, "grpo") }, "relift: stage grpo has no log"},
		{"no details", func(in *Input) { delete(in.Details["questions"], "sft") }, "relift: evaluation questions has no problems of model sft"},
		{"nothing judged", func(in *Input) {
			for i := range in.Details["questions"]["sft"] {
				in.Details["questions"]["sft"][i].Correct, in.Details["questions"]["sft"][i].Judged = 0, 0
			}
		}, "relift: evaluation questions: no problem is judged for all of [sft rl1 grpo]"},
		{"twice", func(in *Input) { in.Details["evaluate"]["few"][1].ID = "chain-0" }, `evaluation evaluate of model few: problem "chain-0" occurs twice`},
		{"too many correct", func(in *Input) { in.Details["evaluate"]["few"][1].Correct = 5 }, `problem "chain-1": 5 correct of 4 judged samples`},
		{"no number", func(in *Input) { delete(in.Stages["limr"].Numbers, "of") }, `limr: stage limr has no number "of"`},
		{"a share for a count", func(in *Input) { in.Stages["limr"].Numbers["mislabelled_all"] = 0.125 }, `number "mislabelled_all": must be a count, is 0.125`},
		{"more than all", func(in *Input) { in.Stages["limr"].Numbers["mislabelled_kept"] = 13 }, `number "mislabelled_kept": is 13 of 12 problems`},
		{"unfinished", func(in *Input) { delete(in.Stages, "sws") }, "sws: stage sws has not finished"},
		{"no responses", func(in *Input) {
			for i := range in.Details["evaluate"]["base"] {
				in.Details["evaluate"]["base"][i].Responses = nil
			}
		}, "samples: evaluation evaluate has no problem with a response of each of base, rl2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := full(t)
			c.change(&in)
			_, err := Build(in)
			require.ErrorContains(t, err, "build report: ")
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestPipelineThatMeasuresNothing(t *testing.T) {
	p, err := pipelines.Parse("p.yaml", []byte("name: p\nbase: {import: /x}"), nil)
	require.NoError(t, err)
	doc, err := Build(Input{Run: "r", Pipeline: p})
	require.NoError(t, err)
	body, err := doc.JSON()
	require.NoError(t, err)
	require.JSONEq(t, `{"run": "r", "pipeline": "p", "seeds": [0], "models": [], "stages": []}`, string(body))
	require.Contains(t, doc.Text(), "Report of r\nPipeline p, seed 0.\n")
}

func TestJSONRefusesWhatIsNoNumber(t *testing.T) {
	doc := &Document{Run: "r", Models: []Model{{Name: "m", PassAt: map[int]float64{1: math.NaN()}}}}
	_, err := doc.JSON()
	require.ErrorContains(t, err, "write report of r as JSON")
}

// Whatever was judged, the numbers of a comparison stay within their ranges and agree with each other.
func TestComparisonsHoldTogether(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := full(t)
		draw := func(evaluation, model string) {
			for i := range in.Details[evaluation][model] {
				d := &in.Details[evaluation][model][i]
				d.Judged = rapid.IntRange(0, 3).Draw(rt, "judged")
				d.Correct = rapid.IntRange(0, d.Judged).Draw(rt, "correct")
			}
			in.Details[evaluation][model] = rapid.Permutation(in.Details[evaluation][model]).Draw(rt, "order")
		}
		for _, m := range []string{"sft", "rl1", "grpo"} {
			draw("questions", m)
		}
		for _, m := range []string{"rl1", "rl2"} {
			draw("evaluate", m)
		}
		doc, err := Build(in)
		if err != nil {
			if !strings.Contains(err.Error(), "no problem is judged") {
				rt.Fatal(err)
			}
			return
		}
		r := doc.ReLIFT
		if (r.SolvedNow == nil) != (r.UnsolvedBefore == 0) || r.UnsolvedBefore > r.N {
			rt.Fatalf("%+v", r)
		}
		for _, share := range []*float64{r.SolvedNow, r.ControlSolvedNow, &r.PassAt1, r.ControlPassAt1} {
			if share != nil && (*share < 0 || *share > 1) {
				rt.Fatalf("%v is no share: %+v", *share, r)
			}
		}
		if d := r.PassAt1 - *r.ControlPassAt1 - r.Paired.Difference; math.Abs(d) > 1e-9 {
			rt.Fatalf("the difference is off by %v", d)
		}
		if w := doc.SwS.Weak; w != nil && (w.N > 8 || math.Abs(w.After-w.Before-w.Paired.Difference) > 1e-9) {
			rt.Fatalf("%+v", w)
		}
		if _, err := doc.JSON(); err != nil {
			rt.Fatal(err)
		}
	})
}

func TestCurve(t *testing.T) {
	require.Nil(t, curve(Log{}))
	c := curve(rlLog(6, 3))
	require.Equal(t, []int{2, 5}, c.Interleaved)
	var names []string
	for _, s := range c.Series {
		names = append(names, s.Name)
		require.Len(t, s.Points, 6)
	}
	require.Equal(t, []string{"reward", "solved", "entropy", "gradient norm"}, names, "the gap was not measured")

	long := rlLog(1001, 0)
	long.Rounds[1].Reward, long.Rounds[2].Norm = math.NaN(), math.Inf(1)
	c = curve(long)
	require.LessOrEqual(t, len(c.Series[0].Points), maxPoints)
	require.InDelta(t, (0+2+3+4+5)/5.0, c.Series[0].Points[0][0], 1e-12, "what is not finite is left out")
	require.InDelta(t, (0+0.2+0.3+0.4+0.5)/5, c.Series[0].Points[0][1], 1e-12)
	require.Equal(t, 1001, c.Rounds)
}

func TestAlarmsAreShown(t *testing.T) {
	in := full(t)
	log := in.Logs["rl1"]
	require.NotContains(t, built(t, in).Markdown(), "Alarms")
	log.Alarms = []Alarm{{Name: "dead part", Round: 5, Detail: "format is 1 for each of 64 samples"}}
	in.Logs["rl1"] = log
	require.Contains(t, built(t, in).Markdown(), "| rl1 | dead part | 6 | format is 1 for each of 64 samples |")
}

func built(t *testing.T, in Input) *Document {
	t.Helper()
	doc, err := Build(in)
	require.NoError(t, err)
	return doc
}
