package tasks

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSolve(t *testing.T) {
	for _, c := range []struct{ prompt, answer, solution string }{
		{"23a45b12?", "56", "23a45=68;68b12=56#56"},
		{"99a02?", "01", "99a02=01#01"},
		{"05b07?", "98", "05b07=98#98"},
		{"95c01?", "06", "95c01=06#06"},
		{"95c02?", "00", "95c02=00#00"},
		{"23d45?", "25", "23d45=25#25"},
		{"23e45?", "43", "23e45=43#43"},
		{"23f45?", "34", "23f45=34#34"},
		{"23m45?", "45", "23m45=45#45"},
		{"23n45?", "23", "23n45=23#23"},
		{"ab:23a45b12?", "56", "23a45=68;68b12=56#56"},
	} {
		answer, solution, concepts, difficulty, err := Solve(c.prompt)
		require.NoError(t, err, c.prompt)
		require.Equal(t, c.answer, answer, c.prompt)
		require.Equal(t, c.solution, solution, c.prompt)
		require.Equal(t, strings.Count(solution, "="), difficulty)
		require.NotEmpty(t, concepts)
	}
}

func TestSolveRefuses(t *testing.T) {
	for prompt, want := range map[string]string{
		"":              "does not end",
		"23a45":         "does not end",
		"23a45??":       "is not a number",
		"?":             "is not a number",
		"23?":           "is not a number",
		"23a4?":         "is not a number",
		"23z45?":        `unknown operation 'z'`,
		"2xa45?":        "not two digits",
		"23a+5?":        "not two digits",
		"23A45?":        "unknown operation",
		"b:23a45?":      `tagged "b", its operations are "a"`,
		":23a45?":       `tagged ""`,
		"ba:23a45b12?":  `tagged "ba"`,
		"٢٣a٤٥?":        "is not a number",
		" 23a45?":       "is not a number",
		"23a45?\n":      "does not end",
		"a:b:23a45b11?": "is not a number",
		"00" + strings.Repeat("a01", maxSteps+1) + "?": "steps, more than",
	} {
		_, _, _, _, err := Solve(prompt)
		require.ErrorContains(t, err, want, prompt)
	}
}

// FuzzSolve holds: no panic; what is accepted is solved again to the same, and prompt and solution stay within the alphabet.
func FuzzSolve(f *testing.F) {
	for _, s := range []string{"23a45b12?", "ab:23a45b12?", "23?", "00c99d01e02f03m04n05?", "\xff\xfea45?"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, prompt string) {
		answer, solution, concepts, difficulty, err := Solve(prompt)
		if err != nil {
			return
		}
		require.Len(t, answer, 2)
		require.True(t, strings.HasSuffix(solution, "#"+answer))
		require.Equal(t, difficulty, strings.Count(solution, "="))
		require.LessOrEqual(t, len(concepts), difficulty)
		for _, r := range prompt + solution {
			require.Contains(t, Alphabet(), string(r))
		}
		p, err := ParseProblem(prompt)
		require.NoError(t, err)
		require.Equal(t, prompt, p.Prompt)
		require.Equal(t, answer, p.Answer)
	})
}

func TestGeneratedProblemsAreSolved(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := Source{Procedural: "chain", Seed: rapid.Uint64().Draw(rt, "seed"), Difficulty: []int{2, 4}, Tag: rapid.Bool().Draw(rt, "tag")}
		p, err := s.At(rapid.IntRange(0, 1<<40).Draw(rt, "i"))
		if err != nil {
			rt.Fatal(err)
		}
		answer, solution, concepts, difficulty, err := Solve(p.Prompt)
		if err != nil || answer != p.Answer || solution != p.Solution || fmt.Sprint(concepts) != fmt.Sprint(p.Concepts) || difficulty != p.Difficulty {
			rt.Fatalf("%+v: solved as %q %q %v %d, %v", p, answer, solution, concepts, difficulty, err)
		}
		if difficulty < 2 || difficulty > 4 {
			rt.Fatalf("difficulty %d", difficulty)
		}
	})
}

// The numbers are promised to stay: a change here changes every published run.
func TestGenerationIsFixed(t *testing.T) {
	s := Source{Procedural: "chain", Seed: 7}
	var got []string
	for i := range 4 {
		p, err := s.At(i)
		require.NoError(t, err)
		got = append(got, p.Prompt+p.Solution)
	}
	require.Equal(t, []string{"49f37e98n55?49f37=93;93e98=93;93n55=55#55", "21a61?21a61=82#82", "60n23?60n23=23#23", "25d46?25d46=26#26"}, got)
}

// Every digit, operation and length is drawn about as often as it should be, also across neighbouring counters.
func TestGenerationIsUniform(t *testing.T) {
	const n = 24000
	s := Source{Procedural: "chain", Seed: 1}
	starts, ops, steps := make([]int, 10), map[string]int{}, map[int]int{}
	total := 0
	for i := range n {
		p, err := s.At(i)
		require.NoError(t, err)
		starts[p.Prompt[0]-'0']++
		steps[p.Difficulty]++
		for k := 2; k < len(p.Prompt)-1; k += 3 {
			ops[p.Prompt[k:k+1]]++
			total++
		}
	}
	within := func(got, of, parts int, what string) {
		want := float64(of) / float64(parts)
		require.InDelta(t, want, float64(got), 6*math.Sqrt(want), what)
	}
	for d, c := range starts {
		within(c, n, 10, fmt.Sprintf("start digit %d", d))
	}
	require.Len(t, ops, 8)
	for op, c := range ops {
		within(c, total, 8, "operation "+op)
	}
	for d := 1; d <= 3; d++ {
		within(steps[d], n, 3, fmt.Sprintf("%d steps", d))
	}
}

func TestSpoiling(t *testing.T) {
	const n = 4000
	clean := Source{Procedural: "chain", Seed: 3, Difficulty: []int{3, 3}}
	spoilt := clean
	spoilt.Noise, spoilt.Direct, spoilt.Mislabel = 0.1, 0.35, 0.2
	var direct, mislabelled, noisySteps, steps int
	for i := range n {
		a, err := clean.At(i)
		require.NoError(t, err)
		b, err := spoilt.At(i)
		require.NoError(t, err)
		require.Equal(t, a.Prompt, b.Prompt, "spoiling must not change the questions")
		require.Equal(t, a.ID, b.ID)
		final := b.Solution[strings.LastIndex(b.Solution, "#")+1:]
		bare := b.Solution[0] == '#'
		if bare {
			direct++
		}
		if b.Meta["mislabelled"] == "true" {
			mislabelled++
			require.NotEqual(t, a.Answer, b.Answer)
			require.Equal(t, b.Answer, final, "a mislabelled demonstration must end in its label")
			continue
		}
		require.Equal(t, a.Answer, b.Answer, "noise must leave the answer alone")
		if b.Meta["noisy"] == "" {
			require.Equal(t, a.Answer, final)
		}
		if !bare {
			for _, step := range strings.Split(b.Solution[:strings.LastIndex(b.Solution, "#")], ";") {
				lhs, rhs, _ := strings.Cut(step, "=")
				right, _, _, _, err := Solve(lhs + "?")
				require.NoError(t, err)
				steps++
				if right != rhs {
					noisySteps++
					require.Equal(t, "true", b.Meta["noisy"])
				}
			}
		}
	}
	require.InDelta(t, 0.35, float64(direct)/n, 0.03)
	require.InDelta(t, 0.2, float64(mislabelled)/n, 0.03)
	require.InDelta(t, 0.1, float64(noisySteps)/float64(steps), 0.02)
}

func TestCompose(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ops := rapid.SliceOfNDistinct(rapid.SampledFrom(strings.Split(Operations, "")), 1, 5, rapid.ID[string]).Draw(rt, "ops")
		steps := rapid.IntRange(1, 8).Draw(rt, "steps")
		seed := rapid.Uint64().Draw(rt, "seed")
		p, err := Compose(ops, steps, rand.New(rand.NewPCG(seed, 1)))
		if err != nil {
			rt.Fatal(err)
		}
		again, _ := Compose(ops, steps, rand.New(rand.NewPCG(seed, 1)))
		if again.Prompt != p.Prompt {
			rt.Fatalf("%s, then %s", p.Prompt, again.Prompt)
		}
		answer, _, concepts, difficulty, err := Solve(p.Prompt)
		if err != nil || answer != p.Answer || difficulty != steps {
			rt.Fatalf("%+v: %v", p, err)
		}
		want := ops[:min(len(ops), steps)]
		for _, c := range concepts {
			if !slices.Contains(want, c) {
				rt.Fatalf("%s has %s, wanted %v", p.Prompt, c, want)
			}
		}
		if len(concepts) != len(want) {
			rt.Fatalf("%s has %v, wanted all of %v", p.Prompt, concepts, want)
		}
	})
	for _, bad := range []struct {
		ops   []string
		steps int
	}{{nil, 2}, {[]string{"a"}, 0}, {[]string{"z"}, 1}, {[]string{""}, 1}, {[]string{"ab"}, 1}, {[]string{"a"}, 1000}} {
		_, err := Compose(bad.ops, bad.steps, rand.New(rand.NewPCG(1, 1)))
		require.Error(t, err, "%v", bad)
	}
}
