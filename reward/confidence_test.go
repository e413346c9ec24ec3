package reward

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStatedConfidence(t *testing.T) {
	for text, want := range map[string]float64{
		"<confidence>0.8</confidence>": 0.8, "so <confidence> 80 % </confidence>.": 0.8, "<confidence>1</confidence>": 1, "<confidence>.5</confidence>": 0.5,
		"<confidence>0.1</confidence> no, <confidence>0.9</confidence>": 0.9, "<confidence>0</confidence>": 0,
		"": -1, "0.8": -1, "<confidence>8</confidence>": -1, "<confidence>-0.5</confidence>": -1, "<confidence>NaN</confidence>": -1, "<confidence>120%</confidence>": -1,
	} {
		got, ok := StatedConfidence(text)
		require.Equal(t, want >= 0, ok, text)
		if ok {
			require.InDelta(t, want, got, 1e-12, text)
		}
	}
	start := time.Now()
	_, ok := StatedConfidence(strings.Repeat("<confidence>", 1<<20))
	require.False(t, ok)
	require.Less(t, time.Since(start), time.Minute)
}

func TestPreference(t *testing.T) {
	sum, ok := Score{Parts: map[string]float64{"correct": 1, "correct#2": 1, "format": 0.5, "length#2": -0.25}}.Preference()
	require.True(t, ok)
	require.InDelta(t, 0.25, sum, 1e-12)
	_, ok = Score{Parts: map[string]float64{"correct": 1, "code": 1, "brier": 1, "rouge#2": 1, "bleu": 1, "chrf": 1, "patch": 1, "next_segment": 1, "exploration": 1}}.Preference()
	require.False(t, ok, "these ask what is right")
}
