package tasks

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

func TestLoadHasNoDuplicatesAndIsAPrefix(t *testing.T) {
	s := Source{Procedural: "chain", Seed: 5, Count: 3000, Concepts: []string{"ab"}, Difficulty: []int{1, 1}}
	long, err := s.Load(t.Context())
	require.NoError(t, err)
	require.Len(t, long, 3000)
	seen := map[string]bool{}
	for _, p := range long {
		require.False(t, seen[p.ID] || seen[p.Prompt], p.Prompt)
		seen[p.ID], seen[p.Prompt] = true, true
	}
	s.Count = 100
	short, err := s.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, long[:100], short)
	s.Count, s.Seed = 100, 6
	other, err := s.Load(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, short, other)
}

func TestLoadRefusesMoreThanExist(t *testing.T) {
	_, err := Source{Procedural: "chain", Count: 10001, Concepts: []string{"a"}, Difficulty: []int{1, 1}}.Load(t.Context())
	require.ErrorContains(t, err, "procedural chain (seed 0)")
	require.ErrorContains(t, err, "found 10000 different problems, count asks for 10001")
}

func TestLoadStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Source{Procedural: "chain"}.Load(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestValidateNamesTheField(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"neither":         {"{}", "procedural, file: exactly one"},
		"both":            {"{procedural: chain, file: x}", "procedural, file: exactly one"},
		"domain":          {"{procedural: chains}", `procedural: unknown domain "chains"`},
		"concept":         {"{procedural: chain, concepts: [a, z]}", `concepts[1]: unknown "z"`},
		"story concept":   {"{procedural: stories, concepts: [dog]}", `concepts[0]: unknown "dog"`},
		"difficulty size": {"{procedural: chain, difficulty: [1]}", "difficulty: must be [lo, hi]"},
		"difficulty lo":   {"{procedural: chain, difficulty: [0, 2]}", "difficulty: must lie in [1, 32]"},
		"difficulty lohi": {"{procedural: chain, difficulty: [3, 2]}", "difficulty: lo 3 is above hi 2"},
		"noise":           {"{procedural: chain, noise: 1.5}", "noise: must be a probability"},
		"direct":          {"{procedural: chain, direct: .nan}", "direct: must be a probability"},
		"mislabel":        {"{procedural: chain, mislabel: -1}", "mislabel: must be a probability"},
		"count":           {"{procedural: chain, count: -1}", "count: must lie in"},
		"story noise":     {"{procedural: stories, noise: 0.1}", "noise: does not apply"},
		"file seed":       {"{file: x, seed: 3}", "seed: does not apply"},
		"chain limit":     {"{procedural: chain, limit: 3}", "limit: does not apply"},
		"format":          {"{file: x, format: csv}", `format: unknown "csv"`},
		"answer form":     {"{file: x, answer_form: roman}", `answer_form: unknown "roman"`},
		"offset":          {"{file: x, offset: -1}", "offset: must not be negative"},
		"limit":           {"{file: x, limit: -1}", "limit: must not be negative"},
		"template":        {"{file: x, template: '{{.a'}", "template: "},
		"two prompts":     {"{file: x, template: a, fields: {prompt: b}}", "fields.prompt: cannot stand beside template"},
	} {
		t.Run(name, func(t *testing.T) {
			var s Source
			require.NoError(t, yaml.Unmarshal([]byte(c.yaml), &s))
			require.ErrorContains(t, s.Validate(), c.want)
			_, err := s.Load(t.Context())
			require.ErrorContains(t, err, c.want)
		})
	}
	require.NoError(t, Source{Procedural: "chain", Concepts: []string{"abmn", "c"}, Difficulty: []int{1, 3}, Noise: 0.5}.Validate())
	require.NoError(t, Source{Procedural: "stories", Concepts: []string{"ball"}, Difficulty: []int{0, 4}}.Validate())
}

func TestSourceRoundTrips(t *testing.T) {
	seed := uint64(0)
	for _, s := range []Source{
		{Procedural: "chain", Seed: 1 << 63, Count: 5, Concepts: []string{"a"}, Difficulty: []int{1, 2}, Noise: 0.1, Tag: true, Exclude: []string{"eval"}},
		{File: "x.jsonl", Format: "jsonl", Limit: 3, ShuffleSeed: &seed, Fields: Fields{Prompt: "q"}, Template: ""},
	} {
		body, err := json.Marshal(s)
		require.NoError(t, err)
		var a, b Source
		require.NoError(t, json.Unmarshal(body, &a))
		require.Equal(t, s, a)
		text, err := yaml.Marshal(s)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(text, &b))
		require.Equal(t, s, b)
	}
	body, err := json.Marshal(Source{Procedural: "chain"})
	require.NoError(t, err)
	require.JSONEq(t, `{"procedural":"chain"}`, string(body))
}

func TestAtRefuses(t *testing.T) {
	_, err := Source{File: "x"}.At(0)
	require.ErrorContains(t, err, "file x: is not procedural")
	_, err = Source{Procedural: "chain"}.At(-1)
	require.ErrorContains(t, err, "must not be negative")
	_, err = Source{Procedural: "chain", Difficulty: []int{0, 0}}.At(1)
	require.ErrorContains(t, err, "difficulty")
}

func TestStream(t *testing.T) {
	s := Source{Procedural: "chain", Seed: 2}
	at, err := s.Stream(t.Context())
	require.NoError(t, err)
	want, err := s.At(123_456_789)
	require.NoError(t, err)
	got, err := at(123_456_789)
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = Source{Procedural: "chain", Noise: 2}.Stream(t.Context())
	require.ErrorContains(t, err, "noise")
}

func TestSetsExcludeByPrompt(t *testing.T) {
	one := []int{1, 1}
	sets := map[string]Source{
		"eval":  {Procedural: "chain", Seed: 1, Count: 2000, Concepts: []string{"a"}, Difficulty: one},
		"demos": {Procedural: "chain", Seed: 2, Count: 2000, Concepts: []string{"a"}, Difficulty: one, Exclude: []string{"eval"}},
		"train": {Procedural: "chain", Seed: 3, Count: 5000, Concepts: []string{"a"}, Difficulty: one, Exclude: []string{"eval", "demos"}},
	}
	require.NoError(t, CheckSets(sets))
	all, _, err := LoadSets(t.Context(), sets)
	require.NoError(t, err)
	require.Len(t, all["train"], 5000)
	for _, other := range []string{"eval", "demos"} {
		require.Equal(t, all["train"], Exclude(all["train"], all[other]))
	}
	one1, err := LoadSet(t.Context(), sets, "train")
	require.NoError(t, err)
	require.Equal(t, all["train"], one1)
	plain, err := sets["train"].Load(t.Context())
	require.NoError(t, err)
	require.Less(t, len(Exclude(plain, all["eval"])), 5000, "the sets would overlap without exclude, or this test proves nothing")
}

func TestSetsRefuse(t *testing.T) {
	chain := func(exclude ...string) Source { return Source{Procedural: "chain", Count: 10, Exclude: exclude} }
	for want, sets := range map[string]map[string]Source{
		`tasks.a: exclude, clean.against: no task set named "x"; known: a`: {"a": chain("x")},
		"goes in a circle: a -> b -> a":                                    {"a": chain("b"), "b": chain("a")},
		"goes in a circle: a -> a":                                         {"a": chain("a")},
		"tasks.b: count":                                                   {"a": chain(), "b": {Procedural: "chain", Count: -1}},
	} {
		require.ErrorContains(t, CheckSets(sets), want)
		_, _, err := LoadSets(t.Context(), sets)
		require.Error(t, err)
	}
	_, err := LoadSet(t.Context(), map[string]Source{"a": chain()}, "b")
	require.ErrorContains(t, err, `no task set named "b"; known: a`)
}

func TestExcludeLeavesNothing(t *testing.T) {
	a := []Problem{{ID: "1", Prompt: "x"}, {ID: "2", Prompt: "y"}}
	require.Equal(t, a[1:], Exclude(a, []Problem{{ID: "9", Prompt: "x"}}))
	require.Empty(t, Exclude(a, a))
	require.Equal(t, a, Exclude(a))
}

func TestJSONLines(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 5).Draw(rt, "n")
		var ps []Problem
		for i := range n {
			ps = append(ps, Problem{
				ID: fmt.Sprint("p", i), Prompt: "?" + rapid.String().Draw(rt, "prompt"), Answer: rapid.String().Draw(rt, "answer"),
				Difficulty: rapid.Int().Draw(rt, "difficulty"), Meta: map[string]string{"k": rapid.String().Draw(rt, "meta")},
			})
		}
		got, err := ReadJSONL(WriteJSONL(ps))
		if err != nil {
			rt.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(ps) {
			rt.Fatalf("%v became %v", ps, got)
		}
	})
	for text, want := range map[string]string{
		`{"id":"a","prompt":"p"}` + "\n{": "line 2",
		`{"id":"a"}`:                      "needs id and prompt",
		`{"id":"a","prompt":"p","x":1}`:   "unknown field",
		`{"id":"a","prompt":"p"} {}`:      "more than one value",
	} {
		_, err := ReadJSONL([]byte(text))
		require.ErrorContains(t, err, want)
	}
}

func TestStories(t *testing.T) {
	s := Source{Procedural: "stories", Seed: 4, Count: 400, Difficulty: []int{0, 4}}
	ps, err := s.Load(t.Context())
	require.NoError(t, err)
	prompts, ids, difficulties := map[string]bool{}, map[string]bool{}, map[int]bool{}
	for _, p := range ps {
		require.Regexp(t, `^One day, (Tim|Lily|Ben|Mia|Sam|Sue) saw (a ball|a cat|a big box|the park|a red car|a bird)\.$`, p.Prompt)
		require.Empty(t, p.Answer)
		require.False(t, ids[p.ID])
		prompts[p.Prompt], ids[p.ID], difficulties[p.Difficulty] = true, true, true
		words := strings.FieldsFunc(p.Meta["words"], func(r rune) bool { return r == ',' })
		require.Len(t, words, p.Difficulty)
		for _, w := range words {
			require.Regexp(t, `(?i)\b`+w+`\b`, p.Solution)
		}
		require.True(t, strings.HasPrefix(p.Solution, " "))
		require.GreaterOrEqual(t, strings.Count(p.Solution, "."), 3)
		require.NotContains(t, p.Solution, "{")
	}
	require.Len(t, prompts, 36)
	require.Len(t, difficulties, 5)

	only, err := Source{Procedural: "stories", Count: 50, Concepts: []string{"cat"}}.Load(t.Context())
	require.NoError(t, err)
	for _, p := range only {
		require.Equal(t, []string{"cat"}, p.Concepts)
		require.Contains(t, p.Prompt, "a cat")
	}
}
