package reward

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// roundOf are n samples made by f.
func roundOf(n int, f func(i int) (Sample, Score)) Round {
	var samples []Sample
	var scores []Score
	for i := range n {
		x, s := f(i)
		samples, scores = append(samples, x), append(scores, s)
	}
	return Summarise(samples, scores)
}

func alarmNames(alarms []Alarm) (out []string) {
	for _, a := range alarms {
		out = append(out, a.Name)
	}
	return out
}

// healthy is a round in which the share right of the answers is correct, for the reward given.
func healthy(reward, right float64, tokens int, text string) Round {
	return roundOf(100, func(i int) (Sample, Score) {
		v := Wrong
		if float64(i) < right*100 {
			v = Correct
		}
		return Sample{Tokens: tokens, Response: text}, Score{Verdict: v, Reward: reward, Answer: fmt.Sprint(i % 7), Parts: map[string]float64{"correct": number(v == Correct)}}
	})
}

func TestSummarise(t *testing.T) {
	samples := []Sample{{Tokens: 2, Response: "a b c a b c"}, {Tokens: 4, Response: "x"}, {Tokens: 100}, {Tokens: 6}}
	scores := []Score{{Verdict: Correct, Reward: 1, Answer: "5", Parts: map[string]float64{"a": 1, "b": 3}}, {Verdict: Wrong, Reward: 0.5, Answer: "5", Parts: map[string]float64{"a": 1, "b": 2}},
		{Verdict: Error, Reward: 99, Answer: "9"}, {Verdict: Wrong, Answer: "4", Parts: map[string]float64{"a": 1, "b": 2.5}}}
	r := Summarise(samples, scores)
	require.Equal(t, 3, r.Samples)
	require.InDeltaSlice(t, []float64{0.5, 1.0 / 3, 4, 0.25 / 3, 2.0 / 3, 0.5}, []float64{r.Reward, r.Correct, r.Tokens, r.Repeated, r.Share, r.Right}, 1e-12)
	require.Equal(t, []any{"5", 3, map[string]float64{"a": 1, "b": 2}, map[string]float64{"a": 1, "b": 3}}, []any{r.Answer, r.Answers, r.Least, r.Most})
	require.True(t, math.IsNaN(Summarise([]Sample{{}}, []Score{{Verdict: Ungraded}}).Correct))
}

func TestAlarms(t *testing.T) {
	repeat := func(n int, r Round) (out []Round) {
		for range n {
			out = append(out, r)
		}
		return out
	}
	collapsed := func(right int) Round {
		return roundOf(100, func(i int) (Sample, Score) {
			v := Wrong
			if i < right {
				v = Correct
			}
			return Sample{}, Score{Verdict: v, Answer: map[bool]string{true: "yes", false: "no"}[i < 90], Parts: map[string]float64{"correct": number(v == Correct)}}
		})
	}
	start := repeat(5, healthy(0.5, 0.5, 100, "a b c d"))
	for name, c := range map[string]struct {
		rounds []Round
		want   []string
		says   string
	}{
		"no rounds":                {nil, nil, ""},
		"learns":                   {append(start, repeat(5, healthy(0.9, 0.9, 300, "a b c d"))...), nil, ""},
		"nothing happens":          {append(start, start...), nil, ""},
		"fewer are right":          {append(start, repeat(5, healthy(0.9, 0.3, 100, "a b c d"))...), []string{RewardHacking}, "reward 0.9 after 0.5, and 0.3 of the answers are right after 0.5"},
		"longer for nothing":       {append(start, repeat(5, healthy(0.9, 0.5, 200, "a b c d"))...), []string{RewardHacking}, "200 tokens a response after 100"},
		"repeats itself":           {append(start, repeat(5, healthy(0.9, 0.5, 100, strings.Repeat("a b c ", 9)))...), []string{RewardHacking}, "repeated after 0"},
		"longer but no higher":     {append(start, repeat(5, healthy(0.5, 0.5, 900, "a b c d"))...), nil, ""},
		"too early to say":         {append(start[:4:4], repeat(5, healthy(0.9, 0.3, 100, "a b c d"))...), nil, ""},
		"one answer":               {repeat(1, collapsed(45)), []string{ClassCollapse}, `90% of 100 answers are "yes", and 50% of these are right`},
		"one answer that is right": {repeat(1, collapsed(90)), nil, ""},
		"all right":                {repeat(2, healthy(1, 1, 10, "a")), []string{DeadPart}, "correct is 1 for each of 200 samples"},
		"too few samples": {[]Round{roundOf(9, func(int) (Sample, Score) {
			return Sample{}, Score{Verdict: Wrong, Answer: "x", Parts: map[string]float64{"a": 1}}
		})}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Alarms(c.rounds, DefaultThresholds())
			require.Equal(t, c.want, alarmNames(got), "%+v", got)
			if len(got) > 0 {
				require.Contains(t, got[0].Detail, c.says)
				require.Equal(t, len(c.rounds)-1, got[0].Round)
			}
		})
	}
}

// TestLoggedPartsAreNotDead: a part of weight 0 is there to be logged.
func TestLoggedPartsAreNotDead(t *testing.T) {
	rounds := []Round{healthy(1, 1, 10, "a")}
	require.Empty(t, Alarms(rounds, DefaultThresholds().Of([]PartSpec{{Kind: "correct"}, {Kind: "format", Weight: 1}})))
	require.Len(t, Alarms(rounds, DefaultThresholds().Of([]PartSpec{{Kind: "correct", Weight: 0.5}})), 1)
}

func TestAlarmsOfAnyScores(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var rounds []Round
		for range rapid.IntRange(0, 12).Draw(rt, "rounds") {
			rounds = append(rounds, roundOf(rapid.IntRange(0, 5).Draw(rt, "n"), func(int) (Sample, Score) {
				v := rapid.SampledFrom([]Verdict{Correct, Wrong, Error, Ungraded}).Draw(rt, "verdict")
				return Sample{Response: rapid.String().Draw(rt, "text")}, Score{Verdict: v, Answer: rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "answer")}
			}))
		}
		for _, a := range Alarms(rounds, Thresholds{Window: 2, Samples: 1, Share: 0.1}) {
			if a.Name == "" || a.Detail == "" {
				rt.Fatalf("%+v", a)
			}
		}
	})
}
