package eval

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"temper/tasks"
)

func TestSummariseRewards(t *testing.T) {
	problems := []tasks.Problem{{ID: "1", Concepts: []string{"dog"}}, {ID: "2", Concepts: []string{"cat", "dog"}}, {ID: "3"}, {ID: "4"}}
	got := SummariseRewards(problems, [][]float64{{1, 0}, {1, 1, 1, 1}, nil, {0.25, math.NaN(), math.Inf(1)}}, 7)
	require.InDelta(t, (0.5+1+0.25)/3, got.Mean, 1e-12, "each problem counts once, however many samples it has")
	require.Equal(t, Bootstrap([]float64{0.5, 1, 0.25}, 7), got.CI95)
	require.Equal(t, map[string]float64{"cat": 1, "dog": 0.75}, got.ByConcept)
	require.Equal(t, RewardStat{}, SummariseRewards(problems, [][]float64{nil, {math.NaN()}}, 7))
	require.Equal(t, RewardStat{}, SummariseRewards(nil, nil, 7))
}

func TestSummariseRewardsStaysWithinTheRewards(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rewards := rapid.SliceOfN(rapid.SliceOfN(rapid.Float64Range(-2, 3), 0, 4), 1, 6).Draw(rt, "rewards")
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, row := range rewards {
			for _, r := range row {
				lo, hi = min(lo, r), max(hi, r)
			}
		}
		got := SummariseRewards(make([]tasks.Problem, len(rewards)), rewards, 1)
		if math.IsInf(lo, 0) {
			require.Equal(rt, RewardStat{}, got)
			return
		}
		for _, v := range []float64{got.Mean, got.CI95[0], got.CI95[1]} {
			if v < lo-1e-9 || v > hi+1e-9 {
				rt.Fatalf("%v is outside [%v, %v]: %+v", v, lo, hi, got)
			}
		}
	})
}

func TestTablesOfRewards(t *testing.T) {
	style := Result{Model: "a", N: 2, Reward: &RewardStat{Mean: 0.73149, CI95: [2]float64{0.7, 0.76}}}
	require.Equal(t, "model  params  n               reward\na           -  2  0.731 [0.700–0.760]\n", Table([]Result{style}))
	both := []Result{style, {Model: "b<i>", N: 2, PassAt: map[int]float64{1: 0.5}, CI95: map[int][2]float64{1: {0.25, 0.75}}}}
	require.Equal(t, ""+
		"| model | params | n | pass@1 | reward |\n|:---|---:|---:|---:|---:|\n"+
		"| a | - | 2 | - | 0.731 [0.700–0.760] |\n"+
		"| b&lt;i> | - | 2 | 50.0 [25.0–75.0] | - |\n", Markdown(both))
	require.Empty(t, Align(nil))

	body, err := json.Marshal(style)
	require.NoError(t, err)
	require.JSONEq(t, `{"model": "a", "n": 2, "samples": 0, "reward": {"mean": 0.73149, "ci95": [0.7, 0.76]}}`, string(body))
}
