package clean

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sentence has n words of a vocabulary.
func sentence(r *rand.Rand, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("w%d", r.IntN(5000))
	}
	return out
}

func TestNearFindsWhatIsNearlyTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := NewNear(0.7)
	var originals [][]string
	for i := range 400 {
		ws := sentence(r, 60)
		_, _, found := n.Add(strings.Join(ws, " "))
		require.False(t, found, i)
		originals = append(originals, ws)
	}
	missed := 0
	for i, ws := range originals {
		changed := append([]string{}, ws...)
		changed[r.IntN(len(changed))] = "other" // 3 of 58 shingles differ: 55/61
		of, share, found := n.Add("  " + strings.ToUpper(strings.Join(changed, ", ")) + "!")
		if !found {
			missed++
			continue
		}
		require.Equal(t, i, of)
		require.GreaterOrEqual(t, share, 0.9)
	}
	require.Zero(t, missed)
	for range 400 {
		_, _, found := n.Add(strings.Join(sentence(r, 60), " "))
		require.False(t, found, "what is new is new")
	}
	_, _, found := n.Add("")
	require.False(t, found)
	_, share, found := n.Add("")
	require.True(t, found)
	require.InDelta(t, 1, share, 0)
}

func TestNearMissesFewAtItsThreshold(t *testing.T) {
	for _, threshold := range []float64{0.5, 0.7, 0.8, 0.95} {
		n, found, pairs := NewNear(threshold), 0, 0
		r := rand.New(rand.NewPCG(3, 4))
		for range 300 {
			ws := sentence(r, 200)
			n.Add(strings.Join(ws, " "))
			// Cutting the end off leaves threshold of the shingles, and none that are new.
			cut := int(threshold*float64(len(ws)-shingleWords+1)) + 1 + shingleWords
			_, _, ok := n.Add(strings.Join(ws[:min(cut, len(ws))], " "))
			pairs++
			if ok {
				found++
			}
		}
		require.Greater(t, float64(found)/float64(pairs), 0.96, "threshold %v", threshold)
	}
	require.Equal(t, NewNear(0.8), NewNear(0.8))
}

func TestEvaluation(t *testing.T) {
	e := NewEvaluation(8)
	e.Add("q1", "Janet's ducks lay 16 eggs per day. She eats three for breakfast every morning.")
	e.Add("q2", "What is 2 + 2?")
	for text, want := range map[string]string{
		"Solve: JANET'S DUCKS LAY 16 eggs per day, and more":      "q1",
		"janet s ducks lay 16 eggs - per  day":                    "q1",
		"Her ducks lay 16 eggs per day":                           "",
		"what is 2+2":                                             "q2",
		"what is 2 + 2, and what is more than that in the world?": "",
		"": "",
	} {
		name, common, found := e.Find(text)
		require.Equal(t, want != "", found, text)
		require.Equal(t, want, name, text)
		if found {
			require.Contains(t, strings.Join(Words(text), " "), common)
		}
	}
	put := NewEvaluation(5)
	for i := range 10 {
		put.Add(fmt.Sprint(i), fmt.Sprintf("Answer the question and give a number: how many is item%d times twelve plus one?", i))
	}
	_, _, found := put.Find("Answer the question and give a number: where is the house of the old man?")
	require.False(t, found, "how questions are put is no question")
	name, _, found := put.Find("Answer the question and give a number: how many is item7 times twelve plus one?")
	require.True(t, found)
	require.Equal(t, "7", name)
	signs := NewEvaluation(3)
	signs.Add("q", "∀ ∃ ∈")
	_, _, found = signs.Find("∀ ∃ ∈")
	require.True(t, found, "a text of signs alone is compared by them")
}

// BenchmarkNear is what a text of a hundred words takes.
func BenchmarkNear(b *testing.B) {
	n, r := NewNear(0.8), rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		n.Add(strings.Join(sentence(r, 100), " "))
	}
}
