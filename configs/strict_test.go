package configs

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

type inner struct {
	Low  float64 `yaml:"low"`
	High float64 `yaml:"high"`
}

type even int

func (e *even) UnmarshalYAML(n *yaml.Node) error {
	var i int
	if err := n.Decode(&i); err != nil {
		return err
	}
	if i%2 != 0 {
		return errors.New("must be even")
	}
	*e = even(i)
	return nil
}

type embedded struct {
	LR float64 `yaml:"lr"`
}

type sample struct {
	Name   string           `yaml:"name"`
	Rounds int              `yaml:"rounds"`
	Seed   uint64           `yaml:"seed"`
	On     bool             `yaml:"on"`
	Clip   inner            `yaml:"clip"`
	Parts  []inner          `yaml:"parts"`
	Sets   map[string]inner `yaml:"sets"`
	Even   even             `yaml:"even"`
	Pair   [2]int           `yaml:"pair"`
	Wait   time.Duration    `yaml:"wait"`
	Hidden string           `yaml:"-"`

	Optim embedded `yaml:",inline"`
}

func decode(t *testing.T, text string, into any) error {
	t.Helper()
	root, err := ParseYAML("f.yaml", []byte(text))
	if err != nil {
		return err
	}
	return Strict("f.yaml", root, into)
}

func TestStrictDecodesOntoWhatIsThere(t *testing.T) {
	s := sample{Name: "old", Rounds: 7, Clip: inner{Low: 1, High: 2}, Parts: []inner{{1, 1}, {2, 2}}}
	require.NoError(t, decode(t, `
rounds: 1e3
clip: {high: 3}
parts: [{low: 9}]
sets: {a: {low: 1}}
even: 4
pair: [1, 2]
wait: 30s
lr: 0.5
on: yes
`, &s))
	require.Equal(t, sample{Name: "old", Rounds: 1000, Clip: inner{1, 3}, Parts: []inner{{9, 0}}, Sets: map[string]inner{"a": {Low: 1}},
		Even: 4, Pair: [2]int{1, 2}, Wait: 30 * time.Second, Optim: embedded{LR: 0.5}, On: true}, s)
}

func TestStrictRefuses(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"unknown key", "rouns: 3", `f.yaml:1: rouns: unknown setting; did you mean rounds?`},
		{"unknown nested key", "clip:\n  low: 1\n  hihg: 2", `f.yaml:3: clip.hihg: unknown setting; did you mean clip.high?`},
		{"unknown key in a list", "parts:\n- {low: 1}\n- {lo: 1}", `f.yaml:3: parts[1].lo: unknown setting; did you mean parts[1].low?`},
		{"unknown key in a map", "sets: {a: {x: 1}}", `f.yaml:1: sets.a.x: unknown setting; known: high, low`},
		{"skipped field", "hidden: x", `f.yaml:1: hidden: unknown setting; known: clip, even, lr, name, on, pair, parts, rounds, seed, sets, wait`},
		{"text for a number", "name: x\nrounds: many", `f.yaml:2: rounds: expected a whole number, found "many"`},
		{"fraction for a whole number", "rounds: 2.5", `f.yaml:1: rounds: expected a whole number, found "2.5"`},
		{"negative", "seed: -1", `f.yaml:1: seed: expected a whole number, 0 or above, found "-1"`},
		{"negative float", "seed: -1.0", `f.yaml:1: seed: expected a whole number, 0 or above, found "-1.0"`},
		{"not finite", "lr: .inf", `f.yaml:1: lr: expected a finite number, found ".inf"`},
		{"not a number", "clip: {low: .nan}", `f.yaml:1: clip.low: expected a finite number, found ".nan"`},
		{"list for text", "name: [a]", `f.yaml:1: name: expected text, found a list`},
		{"text for a group", "clip: 3", `f.yaml:1: clip: expected key: value settings, found "3"`},
		{"mapping for a list", "parts: {low: 1}", `f.yaml:1: parts: expected a list, found a mapping`},
		{"empty", "rounds:", `f.yaml:1: rounds: is empty; give a value or remove the line`},
		{"own check", "name: x\neven: 3", `f.yaml:2: even: must be even`},
		{"too short", "pair: [1]", `f.yaml:1: pair: expected 2 values, found 1`},
		{"bad duration", "wait: soon", `f.yaml:1: wait: expected a duration such as 30s, found "soon"`},
		{"bare duration", "wait: 30", `f.yaml:1: wait: expected a duration such as 30s, found "30"`},
		{"duplicate", "name: a\nrounds: 1\nname: b", `f.yaml:3: name: set twice; the first is on line 1`},
		{"two documents", "name: a\n---\nname: b", `f.yaml:2: more than one YAML document; write one`},
		{"syntax", "name: a\nrounds: [1", `f.yaml:1: not valid YAML: did not find expected ',' or ']'`},
		{"complex key", "? [a]\n: b", `f.yaml:1: a key must be plain text`},
		{"not a mapping", "- a", `f.yaml:1: expected key: value settings, found a list`},
		{"endless alias", "clip: &a {low: *a}", `nested more than 100 deep, or an alias that contains itself`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sample
			err := decode(t, c.yaml, &s)
			require.ErrorContains(t, err, c.want)
			if c.name != "endless alias" { // its path is a hundred names long
				require.EqualError(t, err, c.want)
			}
		})
	}
}

func repeat(s string, n int) (out string) {
	for range n {
		out += s
	}
	return out
}

func TestStrictReportsEveryError(t *testing.T) {
	var s sample
	err := decode(t, "rounds: x\nclip: {lo: 1}\nlr: y", &s)
	require.Len(t, AllErrors(err), 3)
}

func TestParseYAMLWritesOutAliasesAndMerges(t *testing.T) {
	var s sample
	require.NoError(t, decode(t, `
sets:
  a: &a {low: 1, high: 2}
  b: {<<: *a, high: 5}
  c: {high: 6, <<: [{low: 3}, *a]}
`, &s))
	require.Equal(t, map[string]inner{"a": {1, 2}, "b": {1, 5}, "c": {3, 6}}, s.Sets)
}

func TestParseYAMLStopsTheAliasBomb(t *testing.T) {
	bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 8 {
		prev, next := string(rune('0'+i)), string(rune('1'+i))
		bomb += "a" + next + ": &a" + next + " [" + "*a" + prev + repeat(",*a"+prev, 9) + "]\n"
	}
	_, err := ParseYAML("bomb.yaml", []byte(bomb))
	require.ErrorContains(t, err, "more than 100000 values")
}

func TestNearest(t *testing.T) {
	known := []string{"endpoint", "access_key", "secret_key", "region", "k"}
	for _, c := range []struct {
		name, want string
		near       bool
	}{
		{"endpont", "endpoint", true}, {"secretkey", "secret_key", true}, {"regoin", "region", true}, {"ENDPOINT", "endpoint", true},
		{"reg", "region", true}, {"zzzzzz", "", false},
	} {
		got, near := Nearest(c.name, known)
		require.Equal(t, c.near, near, c.name)
		if near {
			require.Equal(t, c.want, got)
		}
	}
	require.Equal(t, 1, distance("ab", "ba"))
	require.Equal(t, 3, distance("kitten", "sitting"))
}

func FuzzStrict(f *testing.F) {
	for _, s := range []string{"rounds: 3", "clip: &a {low: *a}", "a: &a [*a]", "<<: {name: x}", "<<: [1]", "sets: {a: {<<: *b}}", "? [a]\n: b", "--- !!binary x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		root, err := ParseYAML("f.yaml", []byte(text))
		if err != nil {
			return
		}
		var s sample
		if Strict("f.yaml", root, &s) != nil {
			return
		}
		first, err := yaml.Marshal(s)
		require.NoError(t, err)
		var again sample
		require.NoError(t, decode(t, string(first), &again), "what was accepted is accepted again")
		second, err := yaml.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(first), string(second))
	})
}
