package reward

import (
	"flag"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the table of docs/rewards.md anew")

// kindsTable is the part of docs/rewards.md that the registry gives.
func kindsTable() string {
	var b strings.Builder
	number := func(x float64) string {
		switch {
		case math.IsInf(x, 1):
			return "∞"
		case math.IsInf(x, -1):
			return "−∞"
		}
		return strings.ReplaceAll(fmt.Sprint(x), "-", "−")
	}
	b.WriteString("| kind | value | range | source |\n|---|---|---|---|\n")
	for _, name := range Kinds() {
		k := registry[name]
		fmt.Fprintf(&b, "| `%s` | %s | %s to %s | %s |\n", name, cell(k.gives), number(k.lo), number(k.hi), cell(k.source))
	}
	b.WriteString("\n| kind | option | |\n|---|---|---|\n")
	for _, name := range Kinds() {
		eachField(reflect.ValueOf(registry[name].blank()).Elem(), func(option, about string, v reflect.Value) {
			fmt.Fprintf(&b, "| `%s` | `%s` (%s) | %s |\n", name, option, yamlType(v.Kind()), cell(about))
		})
	}
	return b.String()
}

func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "[", `\[`, "*", `\*`).Replace(text)
}

func yamlType(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true, false"
	case reflect.Slice:
		return "list"
	case reflect.Map:
		return "names with numbers"
	}
	return "number"
}

// docs/rewards.md says what the registry says; -update writes it.
func TestDocsNameEveryKindAndOption(t *testing.T) {
	const file, begin, end = "../docs/rewards.md", "<!-- kinds -->\n", "<!-- end of kinds -->"
	body, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(body), begin)
	require.True(t, found)
	table, after, found := strings.Cut(rest, end)
	require.True(t, found)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+kindsTable()+end+after), 0o644))
		return
	}
	require.Equal(t, kindsTable(), table, "go test ./reward -run Docs -update writes the table")
}

// Names of options and of kinds may not be confused in a mapping, and every option is described.
func TestRegistryHoldsTogether(t *testing.T) {
	for _, name := range Kinds() {
		k := registry[name]
		require.Equal(t, name, k.name)
		require.NotEmpty(t, k.gives, name)
		require.LessOrEqual(t, k.lo, k.hi, name)
		require.NotEqual(t, k.lo, k.hi, name)
		require.NotContains(t, name, "#", "stands before the number of a second part of a kind")
		seen := map[string]bool{"bound": true, "weight": true}
		eachField(reflect.ValueOf(k.blank()).Elem(), func(option, about string, _ reflect.Value) {
			require.NotContains(t, registry, option, "%s: an option is named like a kind", name)
			require.False(t, seen[option], "%s %s", name, option)
			require.NotEmpty(t, about, "%s %s", name, option)
			seen[option] = true
		})
	}
}

// Every kind that judges by the sample alone stays within its range, whatever a model writes, and an error is never wrong.
func TestEveryKindOnHostileResponses(t *testing.T) {
	options := map[string]Options{"format": &FormatOptions{Pattern: "(a|b)*c"}, "length": &LengthOptions{Target: 5}, "cost": &CostOptions{Words: 1}}
	hostile := []string{"", " \n\t", "\x00", "\xff\xfe\xc3", strings.Repeat("\xf0\x9f", 1<<19), strings.Repeat("a ", 1<<19), strings.Repeat("<answer>", 1<<17), strings.Repeat("</think>", 1<<17),
		strings.Repeat("<confidence>1", 1<<16), strings.Repeat(`\boxed{`, 1<<17), strings.Repeat("####", 1<<18), strings.Repeat("水", 1<<18), strings.Repeat("\u0301", 1<<18)}
	for _, name := range Kinds() {
		if name == "service" || name == "judge" || name == "reward_model" || name == "code" {
			continue // ask somebody else
		}
		specs := []PartSpec{{Kind: name, Weight: 1, Options: options[name]}}
		if name == "brier" {
			specs = append(specs, PartSpec{Kind: "correct", Weight: 0, Options: &CorrectOptions{Answer: "exact"}})
		}
		s := scorer(t, specs, WithDeadline(5*time.Minute)) // the race detector slows it down by ten
		for _, response := range hostile {
			x := Sample{Prompt: "What?", Response: response, Gold: "five of them", Tokens: len(response), MaxTokens: 100, Meta: map[string]string{"words": "a,b", "files": `{"a": "b"}`,
				"instruction_id_list": `["punctuation:no_comma"]`, "kwargs": "[{}]"}}
			if name == "patch" {
				x.Gold = `{"a": "c"}`
			}
			got := s.Score(t.Context(), x)
			require.NotEqual(t, Error, got.Verdict, "%s %.20q: %s", name, response, got.Detail)
			require.GreaterOrEqual(t, got.Parts[name], registry[name].lo, "%s %.20q", name, response)
			require.LessOrEqual(t, got.Parts[name], registry[name].hi, "%s %.20q", name, response)
		}
	}
}
