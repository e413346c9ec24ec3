package reward

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func scorer(t *testing.T, specs []PartSpec, opts ...Option) *Scorer {
	t.Helper()
	s, err := New(specs, opts...)
	require.NoError(t, err)
	return s
}

func TestScoreAddsBoundedParts(t *testing.T) {
	s := scorer(t, []PartSpec{
		{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "hash"}},
		{Kind: "distinct", Weight: 2, Bound: []float64{0, 0.5}},
		{Kind: "distinct", Weight: -1},
	})
	got := s.Score(t.Context(), Sample{Response: "x y x #56", Gold: "56"})
	require.Equal(t, Correct, got.Verdict)
	require.Equal(t, "56", got.Answer)
	require.Equal(t, map[string]float64{"correct": 1, "distinct": 0.5, "distinct#2": -0.75}, got.Parts)
	require.InDelta(t, 0.75, got.Reward, 1e-12)
}

func TestVerdicts(t *testing.T) {
	hash := []PartSpec{{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "hash"}}}
	finished := []PartSpec{{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "hash", Finished: true}}}
	number := []PartSpec{{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "gsm8k"}}}
	for name, c := range map[string]struct {
		specs  []PartSpec
		x      Sample
		want   Verdict
		detail string
	}{
		"right":               {hash, Sample{Response: "12a44=56#56", Gold: "56"}, Correct, ""},
		"wrong":               {hash, Sample{Response: "12a44=57#57", Gold: "56"}, Wrong, ""},
		"no marker":           {hash, Sample{Response: "56", Gold: "56"}, Wrong, "no '#'"},
		"cut, allowed":        {hash, Sample{Response: "#56", Gold: "56"}, Correct, ""},
		"cut, refused":        {finished, Sample{Response: "#56", Gold: "56"}, Wrong, ""},
		"finished":            {finished, Sample{Response: "#56", Gold: "56", Finished: true}, Correct, ""},
		"no gold":             {hash, Sample{Response: "#56"}, Error, "part correct: the sample has no gold answer"},
		"gold is no number":   {number, Sample{Response: "#### 56", Gold: "many"}, Error, `gold answer "many"`},
		"no correct part":     {[]PartSpec{{Kind: "distinct", Weight: 1}}, Sample{Response: "a"}, Ungraded, ""},
		"no required words":   {[]PartSpec{{Kind: "required_words", Weight: 1}}, Sample{Response: "a"}, Error, "required words"},
		"limit not known":     {[]PartSpec{{Kind: "length", Weight: 1, Options: &LengthOptions{Shape: "cosine"}}}, Sample{Tokens: 3}, Error, "token limit"},
		"form of the problem": {[]PartSpec{{Kind: "correct", Weight: 1}}, Sample{Response: "#### 7 #8", Gold: "8", Meta: map[string]string{"answer": "hash"}}, Correct, ""},
		"unknown form":        {[]PartSpec{{Kind: "correct", Weight: 1}}, Sample{Response: "8", Gold: "8", Meta: map[string]string{"answer": "?"}}, Error, "unknown form"},
		"form by marker":      {[]PartSpec{{Kind: "correct", Weight: 1}}, Sample{Response: `so \boxed{8}`, Gold: "8"}, Correct, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := scorer(t, c.specs).Score(t.Context(), c.x)
			require.Equal(t, c.want, got.Verdict, got.Detail)
			require.Contains(t, got.Detail, c.detail)
			if c.want == Error {
				require.Zero(t, got.Reward)
			}
		})
	}
}

func TestTwoCorrectPartsMustAgree(t *testing.T) {
	s := scorer(t, []PartSpec{{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "hash"}}, {Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "exact"}}})
	require.Equal(t, Wrong, s.Score(t.Context(), Sample{Response: "#5", Gold: "5"}).Verdict)
	s = scorer(t, []PartSpec{{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "exact"}}, {Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "hash"}}})
	require.Equal(t, Wrong, s.Score(t.Context(), Sample{Response: "#5", Gold: "5"}).Verdict)
}

func TestBrokenPartsAreErrorsThatNameThePart(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, c := range map[string]struct {
		part Part
		want string
	}{
		"panic":    {func(context.Context, Sample) (float64, error) { panic("boom") }, "part own: panic: boom at "},
		"nil map":  {func(context.Context, Sample) (float64, error) { var m map[string]int; m["a"] = 1; return 1, nil }, "scorer_test.go"},
		"NaN":      {func(context.Context, Sample) (float64, error) { return math.NaN(), nil }, "part own: gave NaN"},
		"infinite": {func(context.Context, Sample) (float64, error) { return math.Inf(-1), nil }, "not finite"},
		"error":    {func(context.Context, Sample) (float64, error) { return 0, errors.New("no judge") }, "part own: no judge"},
		"hangs":    {func(context.Context, Sample) (float64, error) { <-release; return 1, nil }, "part own: not done in time"},
	} {
		t.Run(name, func(t *testing.T) {
			s := scorer(t, []PartSpec{{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "exact"}}, {Kind: "own", Weight: 1}},
				WithPart("own", c.part), WithDeadline(50*time.Millisecond))
			got := s.Score(t.Context(), Sample{Response: "a", Gold: "a"})
			require.Equal(t, Error, got.Verdict)
			require.Contains(t, got.Detail, c.want)
			require.Zero(t, got.Reward)
		})
	}
}

func TestScoreAllKeepsOrderAndStopsWithItsContext(t *testing.T) {
	s := scorer(t, []PartSpec{{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "exact"}}})
	samples := make([]Sample, 300)
	for i := range samples {
		samples[i] = Sample{Response: fmt.Sprint(i), Gold: fmt.Sprint(i - i%2)}
	}
	for _, parallel := range []int{0, 1, 7, 1000} {
		got, err := s.ScoreAll(t.Context(), samples, parallel)
		require.NoError(t, err)
		for i, g := range got {
			require.Equal(t, fmt.Sprint(i), g.Answer)
			require.Equal(t, i%2 == 0, g.Verdict == Correct)
		}
	}
	none, err := s.ScoreAll(t.Context(), nil, 4)
	require.NoError(t, err)
	require.Empty(t, none)

	ctx, cancel := context.WithCancel(t.Context())
	slow := scorer(t, []PartSpec{{Kind: "own", Weight: 1}}, WithPart("own", func(c context.Context, x Sample) (float64, error) {
		cancel()
		<-c.Done()
		return 0, c.Err()
	}))
	_, err = slow.ScoreAll(ctx, samples, 2)
	require.ErrorIs(t, err, context.Canceled)
}

// Whatever a model writes, the reward is finite, the parts add up and the built-in parts stay within [0, 1].
func TestScoreProperties(t *testing.T) {
	s := scorer(t, []PartSpec{
		{Kind: "correct", Weight: 1}, {Kind: "format", Weight: 1, Options: &FormatOptions{Pattern: "#"}}, {Kind: "length", Weight: 1, Options: &LengthOptions{Target: 5}},
		{Kind: "length", Weight: 1, Options: &LengthOptions{Shape: "cosine", Max: 9}}, {Kind: "length", Weight: 1, Options: &LengthOptions{Shape: "linear", Max: 3, Unit: "words"}},
		{Kind: "repetition", Weight: 1, Options: &RepetitionOptions{N: 2}}, {Kind: "distinct", Weight: 1}, {Kind: "required_words", Weight: 1},
	})
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[#0-9 .,$ab\\{}boxed-]{0,40}`))
		got := s.Score(context.Background(), Sample{
			Response: text.Draw(rt, "response"), Gold: "5", Tokens: rapid.IntRange(0, 50).Draw(rt, "tokens"),
			Meta: map[string]string{"words": "a,b"},
		})
		if got.Verdict != Correct && got.Verdict != Wrong {
			rt.Fatalf("verdict %s: %s", got.Verdict, got.Detail)
		}
		sum := 0.0
		for name, v := range got.Parts {
			if !(v >= 0 && v <= 1) {
				rt.Fatalf("part %s is %v", name, v)
			}
			sum += v
		}
		if math.Abs(sum-got.Reward) > 1e-9 {
			rt.Fatalf("parts add to %v, reward is %v", sum, got.Reward)
		}
	})
}
