package data

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWeakRule(t *testing.T) {
	rule := DefaultWeakRule()
	for name, c := range map[string]struct {
		rates []float64
		weak  bool
	}{
		"never visited":         {nil, false},
		"never solved":          {[]float64{0, 0, 0, 0}, true},
		"one failed visit":      {[]float64{0.25}, true},
		"one good visit":        {[]float64{0.5}, false},
		"falling":               {[]float64{0.9, 0.5, 0.3, 0.1}, true},
		"low and rising":        {[]float64{0, 0.1, 0.2, 0.4}, false},
		"high":                  {[]float64{0.8, 0.8, 0.8}, false},
		"falling but high":      {[]float64{1, 0.9, 0.8, 0.7}, false},
		"flat, just below":      {[]float64{0.49, 0.49, 0.49}, true},
		"solved once, lost":     {[]float64{1, 0, 0, 0}, true},
		"only the last decides": {[]float64{0.9, 0.9, 0.9, 0, 0, 0}, true},
	} {
		require.Equal(t, c.weak, rule.Weak(c.rates), name)
	}
}

func TestSlope(t *testing.T) {
	require.Zero(t, Slope(nil))
	require.Zero(t, Slope([]float64{3}))
	require.InDelta(t, 2.0, Slope([]float64{1, 3, 5, 7}), 1e-12)
	// By hand: x = 0,1,2 y = 0,1,0.5; Σ(x−1)(y−0.5) = 0.5 + 0 + 0, Σ(x−1)² = 2.
	require.InDelta(t, 0.25, Slope([]float64{0, 1, 0.5}), 1e-12)
}

func attempts() []Attempts {
	bad, good := []float64{0, 0}, []float64{1, 1}
	return []Attempts{
		{"1", []string{"c", "d"}, bad}, {"2", []string{"d", "e"}, bad}, {"3", []string{"d"}, bad}, {"4", []string{"a", "d"}, good},
		{"5", []string{"a", "c"}, good}, {"6", []string{"a"}, good}, {"7", []string{"f"}, nil}, {"8", []string{"e", "e"}, good},
	}
}

// By hand: weak are 1, 2, 3. Ratios: a 0/3, c 1/2, d 3/4, e 1/2. f was never visited.
func TestFindWeaknessByHand(t *testing.T) {
	w, err := FindWeakness(attempts(), DefaultWeakRule())
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2", "3"}, w.IDs)
	require.Equal(t, map[string]float64{"a": 0, "c": 0.5, "d": 0.75, "e": 0.5}, w.Ratio)
	require.Equal(t, map[string]int{"c": 1, "d": 3, "e": 1}, w.Frequency)
	require.Equal(t, map[string]int{"c": 1, "e": 1}, w.Together["d"])
	// Shares of 10 by 0.5:0.75:0.5 are 2.857, 4.286, 2.857: whole 2, 4, 2, and the two left go to c and e.
	require.Equal(t, map[string]int{"c": 3, "d": 4, "e": 3}, w.Budget(10))
	// Shares of 1 are 0.286, 0.429, 0.286.
	require.Equal(t, map[string]int{"d": 1}, w.Budget(1))
	require.Empty(t, w.Budget(0))

	_, err = FindWeakness([]Attempts{{"x", nil, []float64{2}}}, DefaultWeakRule())
	require.ErrorContains(t, err, "problem x, visit 0")
}

func TestBudgetAddsUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := Weakness{Ratio: map[string]float64{}}
		any := false
		for _, c := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "m", "n"}), 1, 8, rapid.ID[string]).Draw(rt, "c") {
			w.Ratio[c] = rapid.Float64Range(0, 1).Draw(rt, "ratio")
			any = any || w.Ratio[c] > 0
		}
		total := rapid.IntRange(1, 5000).Draw(rt, "total")
		ratioSum, sum := 0.0, 0
		for _, r := range w.Ratio {
			ratioSum += r
		}
		for c, n := range w.Budget(total) {
			sum += n
			if share := float64(total) * w.Ratio[c] / ratioSum; math.Abs(float64(n)-share) > 1.000001 {
				rt.Fatalf("%s has %d, its share is %v", c, n, share)
			}
		}
		if any && sum != total {
			rt.Fatalf("parts add to %d of %d", sum, total)
		}
	})
}

// First concepts follow the frequencies 1:3:1 (c, d, e); after c, d co-occurs in all its weak problems and e in none: e^5 to 1.
func TestSampleFollowsTheWeights(t *testing.T) {
	w, err := FindWeakness(attempts(), DefaultWeakRule())
	require.NoError(t, err)
	const n = 20000
	rng := rand.New(rand.NewPCG(1, 2))
	first, second := map[string]int{}, map[string]int{}
	for range n {
		got := w.Sample(rng, 2)
		require.Len(t, got, 2)
		require.NotEqual(t, got[0], got[1])
		first[got[0]]++
		second[w.SampleWith(rng, "c", 2)[1]]++
	}
	require.InDelta(t, 0.6, float64(first["d"])/n, 0.02)
	require.InDelta(t, 0.2, float64(first["c"])/n, 0.02)
	require.InDelta(t, 1/(1+math.Exp(5)), float64(second["e"])/n, 0.004)
	require.Equal(t, n, second["d"]+second["e"])
	require.Len(t, w.Sample(rng, 10), 3, "there are three weak concepts")
	require.Nil(t, Weakness{}.Sample(rng, 2))
}

func TestPlan(t *testing.T) {
	w, err := FindWeakness(attempts(), DefaultWeakRule())
	require.NoError(t, err)
	plan, err := w.Plan(10, 2, 7)
	require.NoError(t, err)
	again, err := w.Plan(10, 2, 7)
	require.NoError(t, err)
	require.Equal(t, plan, again)
	firsts := map[string]int{}
	for _, p := range plan {
		require.Len(t, p, 2)
		firsts[p[0]]++
	}
	require.Equal(t, w.Budget(10), firsts)
	_, err = Weakness{}.Plan(10, 2, 7)
	require.ErrorIs(t, err, ErrNoWeakness)
	_, err = w.Plan(0, 2, 7)
	require.ErrorContains(t, err, "at least 1")
}

func TestAgree(t *testing.T) {
	for name, c := range map[string]struct {
		answers []string
		least   int
		want    string
		ok      bool
	}{
		"enough":      {[]string{"5", "5", "6", "5", "", "5"}, 4, "5", true},
		"too few":     {[]string{"5", "5", "6", "5"}, 4, "", false},
		"tie":         {[]string{"5", "5", "6", "6"}, 2, "", false},
		"tie below":   {[]string{"5", "6", "6", "7", "5", "7", "7"}, 3, "7", true},
		"blank votes": {[]string{"", "", "", ""}, 1, "", false},
		"nothing":     {nil, 0, "", false},
	} {
		got, ok := Agree(c.answers, c.least)
		require.Equal(t, c.ok, ok, name)
		require.Equal(t, c.want, got, name)
	}
}

func TestKeepRates(t *testing.T) {
	require.Equal(t, []int{1, 2, 3}, KeepRates([]float64{0, 0.125, 0.5, 0.875, 1, math.NaN()}, SwSLow, SwSHigh))
}

func TestUniformPlanTakesAllConceptsAlike(t *testing.T) {
	plan, err := UniformPlan([]string{"c", "a", "b", "a"}, 3000, 2, 7)
	require.NoError(t, err)
	require.Len(t, plan, 3000)
	first := map[string]int{}
	for _, p := range plan {
		require.Len(t, p, 2)
		require.NotEqual(t, p[0], p[1])
		first[p[0]]++
	}
	for _, name := range []string{"a", "b", "c"} {
		require.InDelta(t, 1000, first[name], 150, name)
	}
	again, err := UniformPlan([]string{"a", "b", "c"}, 3000, 2, 7)
	require.NoError(t, err)
	require.Equal(t, plan, again, "the order in which the concepts are known does not matter")
	_, err = UniformPlan(nil, 10, 2, 7)
	require.Error(t, err)
}
