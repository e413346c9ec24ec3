package tasks

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/reward"
	"temper/reward/check"
	"temper/tasks/procedural"
)

var update = flag.Bool("update", false, "write testdata/generated.json anew")

func TestGeneratorsCoverSixDomains(t *testing.T) {
	domains := map[string]int{}
	for _, g := range Generators() {
		domains[g.Domain]++
		require.Equal(t, g.Name, generators[g.Name].Name)
		for _, text := range []string{g.Name, g.What, g.Dial, g.Measure} {
			require.NotEmpty(t, text, g.Name)
		}
	}
	require.Len(t, domains, 6)
	total := 0
	for domain, n := range domains {
		require.GreaterOrEqual(t, n, 4, domain)
		total += n
	}
	require.GreaterOrEqual(t, total, 24)
	require.Len(t, Generators(), total, "a name is used once")
	require.Len(t, Domains(), total+2)
}

// each calls f for problems of all generators and difficulties, as many as n of each.
func each(t *testing.T, n int, f func(t *testing.T, g procedural.Generator, p Problem)) {
	for _, g := range Generators() {
		t.Run(g.Name, func(t *testing.T) {
			t.Parallel()
			for d := procedural.Easiest; d <= procedural.Hardest; d++ {
				s := Source{Procedural: g.Name, Seed: 7, Difficulty: []int{d, d}}
				for i := range n {
					p, err := s.At(i)
					require.NoError(t, err)
					f(t, g, p)
				}
			}
		})
	}
}

// generated is the generator's form of a problem.
func generated(p Problem) procedural.Problem {
	return procedural.Problem{Prompt: p.Prompt, Answer: p.Answer, Solution: p.Solution, Meta: p.Meta}
}

// byData are generators whose answers are words of the table or names of the question, whatever is right.
var byData = []string{"lookup", "groups", "select", "aggregate"}

func TestGeneratedProblems(t *testing.T) {
	scorer, err := reward.New([]reward.PartSpec{{Kind: "correct", Weight: 1}})
	require.NoError(t, err)
	each(t, 25, func(t *testing.T, g procedural.Generator, p Problem) {
		about := func() string {
			return fmt.Sprintf("%s\n--\n%s\n--\n%s", p.Prompt, p.Answer, p.Solution)
		}
		for _, text := range []string{p.Prompt, p.Answer, p.Solution} {
			require.NotEmpty(t, text)
			require.Empty(t, strings.Trim(text, Source{Procedural: g.Name}.Alphabet()), about())
		}
		require.True(t, slices.IsSorted(p.Concepts), p.Concepts)
		require.Equal(t, slices.Compact(slices.Clone(p.Concepts)), p.Concepts)
		require.NotEmpty(t, p.Concepts)
		require.Equal(t, g.Name, p.Source)
		require.True(t, strings.HasPrefix(p.ID, g.Name+":"))
		require.NotContains(t, p.Prompt, fmt.Sprintf(`\boxed{%s}`, p.Answer))
		if len(p.Answer) >= 6 && !slices.Contains(byData, g.Name) {
			require.NotContains(t, p.Prompt, p.Answer, "the prompt gives the answer away")
		}
		if lines := strings.Split(p.Prompt, "\n"); len(p.Answer) >= 3 {
			require.NotContains(t, lines[len(lines)-1], p.Answer, "the answer's form gives it away")
		}

		sample := reward.Sample{Prompt: p.Prompt, Gold: p.Answer, Response: p.Solution, Meta: p.Meta, Finished: true}
		if p.Meta["check"] == check.Program {
			require.NotEmpty(t, p.Meta["tests"])
			return
		}
		right, err := g.Check(generated(p), p.Answer)
		require.NoError(t, err)
		require.True(t, right, about())
		require.Equal(t, reward.Correct, scorer.Score(t.Context(), sample).Verdict, about())
		wrong := spoilt(p)
		require.GreaterOrEqual(t, len(wrong), 3)
		for _, answer := range wrong {
			right, err := g.Check(generated(p), answer)
			require.NoError(t, err)
			require.False(t, right, "%q must be wrong\n%s", answer, about())
			sample.Response = strings.Replace(p.Solution, fmt.Sprintf(`\boxed{%s}`, p.Answer), fmt.Sprintf(`\boxed{%s}`, answer), 1)
			require.NotEqual(t, p.Solution, sample.Response)
			require.Equal(t, reward.Wrong, scorer.Score(t.Context(), sample).Verdict, answer)
		}
	})
}

// TestDifficulty holds what Measure promises: it does not fall from one step of the dial to the next, and is larger at the end.
func TestDifficulty(t *testing.T) {
	said := 0
	for _, g := range Generators() {
		const n = 30
		var size, length [procedural.Hardest + 1]int
		for d := procedural.Easiest; d <= procedural.Hardest; d++ {
			for i := range n {
				p := g.Generate(counterRNG(uint64(d), i), d)
				size[d] += p.Size
				length[d] += len(p.Prompt) + len(p.Solution)
			}
			require.GreaterOrEqual(t, size[d], size[d-1], "%s: %s at %d", g.Name, g.Measure, d)
		}
		require.Greater(t, size[procedural.Hardest], size[procedural.Easiest], g.Name)
		if m := regexp.MustCompile(`^` + g.Measure + `, from (\d+) to (\d+)`).FindStringSubmatch(g.Dial); m != nil {
			require.Equal(t, []string{fmt.Sprint(size[procedural.Easiest] / n), fmt.Sprint(size[procedural.Hardest] / n)}, m[1:], "%s: the dial's text", g.Name)
			said++
		}
		require.Greater(t, length[procedural.Hardest], length[procedural.Easiest], "%s: harder problems have longer texts", g.Name)
	}
	require.Greater(t, said, 15, "most say how their measure goes from end to end")
}

// Problem i of a seed and a difficulty depends on these alone.
func TestGeneratedProblemsDependOnTheirIndexAlone(t *testing.T) {
	each(t, 3, func(t *testing.T, g procedural.Generator, p Problem) {
		found := false
		wide := Source{Procedural: g.Name, Seed: 7, Difficulty: []int{procedural.Easiest, procedural.Hardest}}
		for i := range 3 {
			q, err := wide.At(i)
			require.NoError(t, err)
			same, err := Source{Procedural: g.Name, Seed: 7, Difficulty: []int{q.Difficulty, q.Difficulty}}.At(i)
			require.NoError(t, err)
			require.Equal(t, same, q)
			found = true
		}
		require.True(t, found)
	})
}

func TestSeedsDiffer(t *testing.T) {
	for _, g := range Generators() {
		ids := map[string]bool{}
		for seed := range uint64(20) {
			p, err := Source{Procedural: g.Name, Seed: seed, Difficulty: []int{5, 5}}.At(0)
			require.NoError(t, err)
			ids[p.ID] = true
		}
		require.Greater(t, len(ids), 10, g.Name)
	}
}

// The golden file has a digest of problems of each generator, so that a change of what a seed gives is seen. Write it anew with -update.
func TestGeneratedProblemsStayTheSame(t *testing.T) {
	const file = "testdata/generated.json"
	got := map[string]string{}
	for _, g := range Generators() {
		h := sha256.New()
		for seed := range uint64(3) {
			for d := procedural.Easiest; d <= procedural.Hardest; d++ {
				for i := range 3 {
					p, err := Source{Procedural: g.Name, Seed: seed, Difficulty: []int{d, d}}.At(i)
					require.NoError(t, err)
					h.Write(WriteJSONL([]Problem{p}))
				}
			}
		}
		got[g.Name] = fmt.Sprintf("%x", h.Sum(nil)[:12])
	}
	if *update {
		text, err := json.MarshalIndent(got, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, append(text, '\n'), 0o644))
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var want map[string]string
	require.NoError(t, json.Unmarshal(text, &want))
	require.Equal(t, want, got)
}

func TestGeneratorSources(t *testing.T) {
	for want, s := range map[string]Source{
		`procedural: unknown domain "countdwn"; known: aggregate, arithmetic,`: {Procedural: "countdwn"},
		"concepts: does not apply to procedural countdown":                     {Procedural: "countdown", Concepts: []string{"division"}},
		"difficulty: must lie in [1, 10], is [0 3]":                            {Procedural: "countdown", Difficulty: []int{0, 3}},
		"difficulty: must lie in [1, 10], is [3 11]":                           {Procedural: "sudoku", Difficulty: []int{3, 11}},
		"difficulty: lo 5 is above hi 3":                                       {Procedural: "sudoku", Difficulty: []int{5, 3}},
		"noise: does not apply":                                                {Procedural: "sudoku", Noise: 0.5},
		"tag: does not apply":                                                  {Procedural: "sudoku", Tag: true},
	} {
		require.ErrorContains(t, s.Validate(), want)
	}
	for _, g := range Generators() {
		s := Source{Procedural: g.Name, Count: 50, Seed: 3}
		require.NoError(t, s.Validate())
		require.True(t, s.Generated())
		ps, err := s.Load(t.Context())
		require.NoError(t, err, g.Name)
		require.Len(t, ps, 50)
		prompts := map[string]bool{}
		for _, p := range ps {
			prompts[p.Prompt] = true
			require.True(t, p.Difficulty >= 1 && p.Difficulty <= 5)
		}
		require.Len(t, prompts, 50)
	}
	for _, s := range []Source{{Procedural: "chain"}, {Procedural: "stories"}, {File: "x"}} {
		require.False(t, s.Generated())
	}
	_, err := Source{Procedural: "countdown", Difficulty: []int{0, 1}}.At(0)
	require.ErrorContains(t, err, "difficulty")
	_, err = Source{Procedural: "riddles"}.At(0)
	require.ErrorContains(t, err, "is not procedural")
}

// TestTable holds the table of docs/tasks.md to what there is. Write it anew with -update.
func TestTable(t *testing.T) {
	const file = "../docs/tasks.md"
	var want strings.Builder
	want.WriteString("\n| name | domain | what is asked | difficulty | what it changes |\n|---|---|---|---|---|\n")
	for _, i := range Infos() {
		fmt.Fprintf(&want, "| `%s` | %s | %s | %d-%d | %s |\n", i.Name, i.Domain, i.What, i.Lowest, i.Highest, i.Dial)
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	const mark = "-update` -->\n"
	above, below, ok := strings.Cut(string(text), mark)
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(above+mark+want.String()), 0o644))
		return
	}
	require.Equal(t, want.String(), below)
}
