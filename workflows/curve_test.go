package workflows

import (
	"math/rand/v2"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestSparkline(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		want   string
	}{
		{"nothing", nil, ""},
		{"one value", []float64{3}, "▁"},
		{"all equal", []float64{2, 2, 2}, "▁▁▁"},
		{"every height", []float64{0, 1, 2, 3, 4, 5, 6, 7}, "▁▂▃▄▅▆▇█"},
		{"falling below zero", []float64{1, 0, -1}, "█▄▁"},
		{"a spike", []float64{0, 0, 1, 0}, "▁▁█▁"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, sparkline(c.values)) })
	}
}

func TestSparklineThinsLongCurves(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{curveWidth, curveWidth + 1, 2*curveWidth - 1, 1000, 12345} {
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(i) + rng.Float64()/2
		}
		drawn := sparkline(values)
		require.Equal(t, curveWidth, utf8.RuneCountInString(drawn))
		blocks := []rune(drawn)
		require.Equal(t, '▁', blocks[0])
		require.Equal(t, '█', blocks[curveWidth-1])
		for i := 1; i < len(blocks); i++ {
			require.GreaterOrEqual(t, blocks[i], blocks[i-1], "a rising curve is drawn rising")
		}
	}
}

func TestCurveMarkdown(t *testing.T) {
	c := curve{name: "reward"}
	require.Empty(t, c.markdown(), "a curve without values is not shown")
	for _, v := range []float64{0.12345, 0.5, 1} {
		c.add(v)
	}
	require.Equal(t, "`reward    ` 0.1235 ▁▄█ 1\n\n", c.markdown())
}
