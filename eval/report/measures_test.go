package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/eval"
)

// TestMeasuresAreShown, each in a section of its own, and those that there are not are left out.
func TestMeasuresAreShown(t *testing.T) {
	tree := func(a, b float64) []eval.Skill {
		return []eval.Skill{{Path: "", N: 2, Score: (a + b) / 2}, {Path: "algebra", N: 1, Score: a}, {Path: "algebra/linear", N: 1, Score: a}, {Path: "logic", N: 1, Score: b}}
	}
	calibration := map[string]eval.Calibration{eval.Stated: {N: 3, Brier: 0.25, ECE: 0.5, Bins: []eval.Bin{{N: 1, Confidence: 0.1}, {N: 2, Confidence: 0.9, Accuracy: 0.5}}}}
	models := []Model{
		{Name: "base", PassAt: map[int]float64{1: 0.1, 8: 0.4}, BestOf: map[int]float64{8: 0.2}, Skills: tree(0.1, 0.2), Calibration: calibration},
		{Name: "a", PassAt: map[int]float64{1: 0.5, 8: 0.6}, Skills: tree(0.2, 0.4),
			Against: &Against{Model: "base", K: 1, Paired: eval.Paired{N: 2, Difference: 0.4, CI95: [2]float64{0.1, 0.6}, P: 0.01}, Boundary: &Boundary{K: 8, N: 4, Expanded: 1, Rate: 0.25}}},
		{Name: "b", PassAt: map[int]float64{1: 0.5, 8: 0.6}, Skills: tree(0.3, 0.6)},
	}
	d := Document{Run: "r", Models: models}
	text := d.Markdown()
	for _, want := range []string{
		"| model | pass@1 | pass@8 | best of 8 |", "| base | 10.0 | 40.0 | 20.0 |",
		"| a | pass@1 | 2 | +0.400 | [+0.100, +0.600] | 0.01 | 1 of 4 unsolved in 8 (expansion rate 25.0%) |",
		"| base | stated | 3 | 0.250 | 0.500 |",
		"| all | 2 | 15.0 | 30.0 | 45.0 |", "| · linear | 1 | 10.0 | 20.0 | 30.0 |",
		"| algebra | logic | +1.00 |",
	} {
		require.Contains(t, text, want)
	}
	html, err := d.HTML()
	require.NoError(t, err)
	require.Equal(t, 5, strings.Count(string(html), "<svg"), "the models' intervals, three curves of pass@k and a reliability diagram")
	require.Contains(t, string(html), "share right by confidence (stated) of base")
	require.Equal(t, 1, strings.Count(string(html), `class="guide"`), "the reliability diagram alone is held against a line")

	bare := Document{Run: "r", Models: []Model{{Name: "base", PassAt: map[int]float64{1: 0.1}}}}
	require.NotContains(t, bare.Markdown(), "calibration")
	require.NotContains(t, bare.Markdown(), "one answer")
}

// TestContaminationIsSaidOnce for the models that have the same.
func TestContaminationIsSaidOnce(t *testing.T) {
	same := &eval.Contamination{Problems: 5, Whole: 2, Words: 13}
	d := Document{Run: "r", Models: []Model{{Name: "a", N: 24, Contamination: same}, {Name: "b", N: 24}, {Name: "c", N: 24, Contamination: same}, {Name: "d", N: 24, Contamination: &eval.Contamination{}}}}
	text := d.Markdown()
	require.Contains(t, text, "of 24 problems, 2 stand word for word and 3 in part (13 words in a row) in what was trained on by a, c.")
	require.Equal(t, 1, strings.Count(text, "Contamination:"))
}

// TestRewardsAreDrawn: without a right or wrong there are the rewards of the problems, and the models' means beside each other.
func TestRewardsAreDrawn(t *testing.T) {
	reward := func(mean float64) *eval.RewardStat {
		return &eval.RewardStat{Mean: mean, CI95: [2]float64{mean - 0.1, mean + 0.1}, Deciles: []float64{0, 0.2, mean, 0.9, 1}}
	}
	d := Document{Run: "r", Evaluation: "story", Models: []Model{{Name: "base", Reward: reward(0.25)}, {Name: "a-model-with-a-name-that-is-too-long", Reward: reward(0.75)}},
		Stages: []Stage{{ID: "other", Models: []Model{{Name: "base", Reward: reward(0.5)}}}}}
	html, err := d.HTML()
	require.NoError(t, err)
	for _, want := range []string{"mean reward, with 95% intervals", "rewards of the problems, base, median 0.25", "a-model-with-a-name-tha…", "<h2>Evaluation story</h2>", ">0.15<", ">0.85<"} {
		require.Contains(t, string(html), want)
	}
	require.Equal(t, 4, strings.Count(string(html), "<svg"), "two spreads beside each other's mean, and one of the model alone")
	w := compared(d.Models)
	require.Equal(t, "170.0", w.Rows[0].From, "the least is on the left")
	require.Equal(t, "552.0", w.Rows[1].To, "the greatest on the right")
}

func TestBoundary(t *testing.T) {
	base := []ProblemDetail{{ID: "a", Judged: 2}, {ID: "b", Judged: 2, Correct: 1}, {ID: "c", Judged: 1}, {ID: "d", Judged: 3}}
	model := []ProblemDetail{{ID: "a", Judged: 2, Correct: 1}, {ID: "b", Judged: 2, Correct: 2}, {ID: "c", Judged: 2, Correct: 2}, {ID: "d", Judged: 2}}
	require.Equal(t, &Boundary{K: 2, N: 2, Expanded: 1, Rate: 0.5}, boundary(base, model, 2), "too few samples of the base say nothing")
	require.Nil(t, boundary(base, model, 4))
}
