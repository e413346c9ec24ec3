package reward

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestSpecYAMLAndJSON(t *testing.T) {
	text := "[{correct: 1.0, answer: hash, finished: true}, {format: 0.1, bound: [0, 0.1], pattern: '#[0-9]{2}$'}, {length: -0.5, shape: cosine, max: 64, unit: words}, {repetition: 0.2, n: 4}]"
	var specs []PartSpec
	require.NoError(t, yaml.Unmarshal([]byte(text), &specs))
	want := []PartSpec{
		{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "hash", Finished: true}},
		{Kind: "format", Weight: 0.1, Bound: []float64{0, 0.1}, Options: &FormatOptions{Pattern: "#[0-9]{2}$"}},
		{Kind: "length", Weight: -0.5, Options: &LengthOptions{Shape: "cosine", Max: 64, Unit: "words"}},
		{Kind: "repetition", Weight: 0.2, Options: &RepetitionOptions{N: 4}},
	}
	require.Equal(t, want, specs)

	body, err := json.Marshal(specs)
	require.NoError(t, err)
	require.Contains(t, string(body), `{"correct":1,"answer":"hash","finished":true}`)
	var fromJSON []PartSpec
	require.NoError(t, json.Unmarshal(body, &fromJSON))
	require.Equal(t, want, fromJSON)

	out, err := yaml.Marshal(specs)
	require.NoError(t, err)
	var fromYAML []PartSpec
	require.NoError(t, yaml.Unmarshal(out, &fromYAML), "%s", out)
	require.Equal(t, want, fromYAML)
}

func TestSpecErrorsNameWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"unknown kind":         {"{corect: 1}", `unknown part "corect"`},
		"unknown kind, option": {"{corect: 1, answer: hash}", `unknown part "corect"`},
		"unknown option":       {"{correct: 1, anwser: hash}", `correct: unknown option "anwser"`},
		"two kinds":            {"{format: 1, correct: 1}", `unknown option`},
		"option of another":    {"{correct: 1, pattern: x}", `correct: unknown option "pattern"`},
		"answer form":          {"{correct: 1, answer: hsh}", `answer: unknown "hsh"`},
		"no pattern":           {"{format: 1}", "format: pattern: must be given"},
		"bound order":          {"{distinct: 1, bound: [1, 0]}", "bound: lo 1 is above hi 0"},
		"bound size":           {"{distinct: 1, bound: [1]}", "bound: must be [lo, hi], has 1"},
		"bound not finite":     {"{distinct: 1, bound: [0, .inf]}", "bound: must be finite"},
		"weight not a number":  {"{distinct: .nan}", "weight: must be finite"},
		"weight type":          {"{distinct: heavy}", "distinct: "},
		"target":               {"{length: 1}", "target: must be above 0"},
		"negative max":         {"{length: 1, shape: linear, max: -3}", "max: must be finite and not negative"},
		"max in words":         {"{length: 1, shape: linear, unit: words}", "max: must be given"},
		"negative n":           {"{repetition: 1, n: -2}", "n: must be at least 1"},
		"twice":                {"{correct: 1, answer: hash, answer: boxed}", "given twice"},
		"not a mapping":        {"correct", "a part is a mapping"},
		"empty":                {"{}", `unknown part ""`},
	} {
		t.Run(name, func(t *testing.T) {
			var s PartSpec
			err := yaml.Unmarshal([]byte(c.yaml), &s)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "line 1")
		})
	}
}

func TestNewRefuses(t *testing.T) {
	_, err := New(nil)
	require.ErrorContains(t, err, "at least one part")
	_, err = New([]PartSpec{{Kind: "distinct", Weight: 1}, {Kind: "format", Weight: 1, Options: &FormatOptions{Pattern: "("}}})
	require.ErrorContains(t, err, "part 2: reward: format: pattern")
	_, err = New([]PartSpec{{Kind: "distinct", Weight: math.Inf(1)}})
	require.ErrorContains(t, err, "distinct: weight")
	_, err = New([]PartSpec{{Kind: "distinct", Weight: 1}}, WithPart("distinct", nil))
	require.ErrorContains(t, err, "cannot be replaced")
	_, err = New([]PartSpec{{Kind: "distinct", Weight: 1}}, WithDeadline(0))
	require.ErrorContains(t, err, "deadline")
}

// FuzzSpecJSON holds: what is accepted marshals to something that is accepted again and means the same.
func FuzzSpecJSON(f *testing.F) {
	f.Add(`{"correct":1,"answer":"hash"}`)
	f.Add(`{"length":0.5,"shape":"target","target":3,"bound":[0,1]}`)
	f.Add(`{"format":1e300,"pattern":"\u0000"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var s PartSpec
		if json.Unmarshal([]byte(text), &s) != nil {
			return
		}
		body, err := json.Marshal(s)
		require.NoError(t, err)
		var again PartSpec
		require.NoError(t, json.Unmarshal(body, &again), string(body))
		second, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(body), string(second))
		require.True(t, strings.HasPrefix(string(body), `{"`+s.Kind+`":`))
	})
}
