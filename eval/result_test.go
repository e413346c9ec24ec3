package eval

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/tasks"
)

func sample() ([]tasks.Problem, [][]bool, [][]string) {
	return []tasks.Problem{
			{ID: "1", Concepts: []string{"a", "b"}, Difficulty: 1}, {ID: "2", Concepts: []string{"a"}, Difficulty: 2}, {ID: "3", Difficulty: 2},
		}, [][]bool{
			{true, true, false, false}, {false, false, false, false}, {true, true, true, true},
		}, [][]string{
			{"5", "5", "6", "7"}, {"1", "1", "1", "2"}, {"9", "9", "9", "9"},
		}
}

func TestSummarise(t *testing.T) {
	problems, correct, answers := sample()
	got, err := Summarise(problems, correct, answers, []int{4, 1, 2, 1}, 1)
	require.NoError(t, err)
	require.Equal(t, 3, got.N)
	require.Equal(t, 12, got.Samples)
	require.InDelta(t, 0.5, got.PassAt[1], 1e-12)
	require.InDelta(t, (5.0/6+0+1)/3, got.PassAt[2], 1e-12)
	require.InDelta(t, 2.0/3, got.PassAt[4], 1e-12)
	require.InDelta(t, 0.5, got.Maj[1], 1e-12)
	require.InDelta(t, 2.0/3, got.Maj[4], 1e-12)
	require.Nil(t, got.Skipped)
	for k, ci := range got.CI95 {
		require.LessOrEqual(t, ci[0], got.PassAt[k])
		require.GreaterOrEqual(t, ci[1], got.PassAt[k])
	}
	require.Equal(t, 2, got.ByConcept["a"].N)
	require.InDelta(t, 0.25, got.ByConcept["a"].PassAt[1], 1e-12)
	require.InDelta(t, 0.5, got.ByConcept["b"].PassAt[1], 1e-12)
	require.InDelta(t, 0.5, got.ByDifficulty["2"].PassAt[1], 1e-12)

	body, err := json.Marshal(got)
	require.NoError(t, err)
	var wire struct {
		PassAt map[string]float64    `json:"pass_at"`
		CI95   map[string][2]float64 `json:"ci95"`
	}
	require.NoError(t, json.Unmarshal(body, &wire))
	require.InDelta(t, 0.5, wire.PassAt["1"], 1e-12)
	require.Len(t, wire.CI95, 3)
	var back Result
	require.NoError(t, json.Unmarshal(body, &back))
	require.Equal(t, got, back)
}

func TestSummariseLeavesOutWhatWasNotJudged(t *testing.T) {
	problems, correct, answers := sample()
	correct[0], answers[0] = correct[0][:1], answers[0][:1]
	correct[1], answers[1] = nil, nil
	got, err := Summarise(problems, correct, answers, []int{1, 4}, 1)
	require.NoError(t, err)
	require.Equal(t, map[int]int{1: 1, 4: 2}, got.Skipped)
	require.InDelta(t, 1, got.PassAt[1], 1e-12)
	require.Equal(t, 5, got.Samples)
	require.False(t, math.IsNaN(got.PassAt[4]))
	require.NotContains(t, got.ByConcept["a"].PassAt, 4)

	_, err = Summarise(problems, correct, answers, []int{5}, 1)
	require.ErrorContains(t, err, "k: 5: no problem has that many")
}

func TestSummariseRefuses(t *testing.T) {
	problems, correct, answers := sample()
	_, err := Summarise(nil, nil, nil, []int{1}, 1)
	require.ErrorContains(t, err, "0 problems")
	_, err = Summarise(problems, correct[:2], answers, []int{1}, 1)
	require.ErrorContains(t, err, "results for 2")
	_, err = Summarise(problems, correct, answers, nil, 1)
	require.ErrorContains(t, err, "k: needs")
	_, err = Summarise(problems, correct, answers, []int{0}, 1)
	require.ErrorContains(t, err, "k: needs")
	answers[1] = answers[1][:2]
	_, err = Summarise(problems, correct, answers, []int{1}, 1)
	require.ErrorContains(t, err, "problem 2: 4 results and 2 answers")
	got, err := Summarise(problems, correct, nil, []int{1}, 1)
	require.NoError(t, err)
	require.Nil(t, got.Maj)
}

func TestTables(t *testing.T) {
	results := []Result{
		{Model: "base", Params: 3_410_000, N: 400, PassAt: map[int]float64{1: 0.125, 8: 0.5}, CI95: map[int][2]float64{1: {0.1, 0.15}, 8: {0.45, 0.55}}, Maj: map[int]float64{1: 0.125, 8: 0.25}},
		{Model: "a|longer", N: 400, PassAt: map[int]float64{1: 1}, CI95: map[int][2]float64{1: {1, 1}}},
	}
	require.Equal(t, ""+
		"model     params    n               pass@1            pass@8  maj@8\n"+
		"base        3.4M  400     12.5 [10.0–15.0]  50.0 [45.0–55.0]   25.0\n"+
		"a|longer       -  400  100.0 [100.0–100.0]                 -      -\n", Table(results))
	require.Equal(t, ""+
		"| model | params | n | pass@1 | pass@8 | maj@8 |\n|:---|---:|---:|---:|---:|---:|\n"+
		"| base | 3.4M | 400 | 12.5 [10.0–15.0] | 50.0 [45.0–55.0] | 25.0 |\n"+
		"| a\\|longer | - | 400 | 100.0 [100.0–100.0] | - | - |\n", Markdown(results))
	require.Equal(t, "model  params  n\n", Table(nil))
}

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "-", 812: "812", 263_000: "263k", 999_499: "999k", 999_500: "1.0M", 3_410_000: "3.4M", 999_960_000: "1.0B", 1_720_000_000: "1.7B"} {
		require.Equal(t, want, Count(n))
	}
}
