package reward

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Values of Python 3: len(set(c.lower().split())) / max(1, len(c.split())).
func TestDistinctEqualsPython(t *testing.T) {
	for text, want := range map[string]float64{
		"":                        0,
		"  \n ":                   0,
		"The the cat.":            2.0 / 3,
		"a b c d":                 1,
		"a A a\ta":                0.25,
		"he said: he ran. He ran": 4.0 / 6,
		"x\x1cy\u3000x\u00a0z":    0.75,
	} {
		require.InDelta(t, want, Distinct(text), 1e-12, "%q", text)
	}
}

func value(t *testing.T, spec PartSpec, x Sample) float64 {
	t.Helper()
	spec.Weight = 1
	got := scorer(t, []PartSpec{spec}).Score(t.Context(), x)
	require.NotEqual(t, Error, got.Verdict, got.Detail)
	return got.Reward
}

func TestLength(t *testing.T) {
	target := PartSpec{Kind: "length", Options: &LengthOptions{Target: 10}}
	for tokens, want := range map[int]float64{10: 1, 5: 0.5, 15: 0.5, 0: 0, 40: 0} {
		require.InDelta(t, want, value(t, target, Sample{Tokens: tokens}), 1e-12, "%d tokens", tokens)
	}
	cosine := PartSpec{Kind: "length", Options: &LengthOptions{Shape: "cosine"}}
	for tokens, want := range map[int]float64{0: 1, 10: 0.5, 20: 0, 30: 0, 5: (1 + math.Sqrt2/2) / 2} {
		require.InDelta(t, want, value(t, cosine, Sample{Tokens: tokens, MaxTokens: 20}), 1e-12, "%d tokens", tokens)
	}
	linear := PartSpec{Kind: "length", Options: &LengthOptions{Shape: "linear", Max: 4, Unit: "words"}}
	require.InDelta(t, 0.25, value(t, linear, Sample{Response: "a b  c", Tokens: 99}), 1e-12)
}

func TestRepetition(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want float64
	}{
		{"a b a b a b", 2, 2.0 / 5}, {"a b c", 3, 1}, {"a b", 3, 1}, {"", 1, 1}, {"a A a", 1, 1.0 / 3}, {"x y z x y z", 0, 3.0 / 4},
	} {
		require.InDelta(t, c.want, value(t, PartSpec{Kind: "repetition", Options: &RepetitionOptions{N: c.n}}, Sample{Response: c.text}), 1e-12, c.text)
	}
}

func TestRequiredWords(t *testing.T) {
	for _, c := range []struct {
		words, text string
		want        float64
	}{
		{"ball,happy", "The BALL made him happy.", 1},
		{"ball,happy", "The balls made him unhappy.", 0},
		{"ball, happy ,", "a ball!", 0.5},
		{"don't", "They don't know", 1},
		{"big box", "a big, big box", 1},
		{"big box", "a box so big", 0},
	} {
		x := Sample{Response: c.text, Meta: map[string]string{"words": c.words}}
		require.InDelta(t, c.want, value(t, PartSpec{Kind: "required_words"}, x), 1e-12, c.text)
	}
}

func TestFormat(t *testing.T) {
	spec := PartSpec{Kind: "format", Options: &FormatOptions{Pattern: `^(\d\d[a-n]\d\d=\d\d;?)+#\d\d$`}}
	require.Equal(t, 1.0, value(t, spec, Sample{Response: "23a45=68;68b12=56#56"}))
	require.Equal(t, 0.0, value(t, spec, Sample{Response: "#56"}))
}
