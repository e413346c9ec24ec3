package eval

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/tasks"
)

func TestMeasure(t *testing.T) {
	nan := math.NaN()
	problems := []tasks.Problem{{ID: "a", Concepts: []string{"x/y"}}, {ID: "b", Concepts: []string{"x/z"}}}
	got, err := Measure(problems, [][]Sample{
		{{Correct: true, Answer: "1", Rank: 1, LogProb: -2, Stated: 0.9}, {Answer: "2", Rank: 0, LogProb: -1, Stated: nan}},
		{{Answer: "3", Rank: 1, LogProb: 0, Stated: nan}, {Correct: true, Answer: "4", Rank: 1, LogProb: -3, Stated: nan}},
	}, []int{1, 2}, 1)
	require.NoError(t, err)
	require.Equal(t, map[int]float64{1: 0.5, 2: 1}, got.PassAt)
	require.Equal(t, map[int]float64{1: 0.5, 2: 0.75}, got.BestOf, "the first by its rank, the second at random")
	require.Equal(t, map[int]float64{1: 0.5, 2: 0}, got.Likeliest)
	require.Equal(t, []string{"x", "x/y", "x/z"}, []string{got.Skills[1].Path, got.Skills[2].Path, got.Skills[3].Path})
	require.Equal(t, 1, got.Calibration[Stated].N)
	require.InDelta(t, 0.01, got.Calibration[Stated].Brier, 1e-12)
	require.Equal(t, 4, got.Calibration[Votes].N)
	require.InDelta(t, 0.25, got.Calibration[Votes].Brier, 1e-12)
	require.Equal(t, 4, got.Calibration[Likelihood].N)

	bare, err := Measure(problems[:1], [][]Sample{{{Correct: true, Rank: nan, LogProb: nan, Stated: nan}}}, []int{1}, 1)
	require.NoError(t, err)
	require.Nil(t, bare.BestOf)
	require.Nil(t, bare.Likeliest)
	require.Nil(t, bare.Calibration)
}
