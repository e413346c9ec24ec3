package reward

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/reward/sandbox"
)

func TestCodeDecides(t *testing.T) {
	specs := []PartSpec{{Kind: "code", Weight: 2, Options: &CodeOptions{TimeoutSeconds: 5}}, {Kind: "distinct", Weight: 0}}
	if err := sandbox.Check(); err != nil {
		_, refused := New([]PartSpec{{Kind: "code", Weight: 2, Options: &CodeOptions{Sandbox: "bubblewrap"}}})
		require.ErrorIs(t, refused, sandbox.ErrUnavailable)
		t.Skip(err)
	}
	s := scorer(t, specs)
	require.Greater(t, s.deadline, DefaultDeadline)
	python := map[string]string{"language": "python", "tests": "assert double(4) == 8\n"}
	for name, c := range map[string]struct {
		x      Sample
		want   Verdict
		detail string
	}{
		"passes":      {Sample{Response: "Here:\n```python\ndef double(x):\n    return 2 * x\n```\n", Meta: python}, Correct, ""},
		"fails":       {Sample{Response: "def double(x):\n    return x\n", Meta: python}, Wrong, "Assertion"},
		"nothing":     {Sample{Meta: python}, Wrong, "empty"},
		"no tests":    {Sample{Response: "x = 1", Meta: map[string]string{"language": "python"}}, Error, "tests"},
		"no language": {Sample{Response: "x = 1", Meta: map[string]string{"tests": "pass"}}, Error, "language"},
		"humaneval": {Sample{Response: "    return 2 * x\n", Meta: map[string]string{"language": "python", "prompt": "def double(x):\n",
			"tests": "def check(candidate):\n    assert candidate(2) == 4\n", "entry_point": "double"}}, Correct, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.Score(t.Context(), c.x)
			require.Equal(t, c.want, got.Verdict, got.Detail)
			require.Contains(t, got.Detail, c.detail)
			if c.want != Error {
				require.Equal(t, map[string]float64{"code": 2 * number(c.want == Correct), "distinct": 0}, got.Parts)
			}
		})
	}
	goOn := scorer(t, []PartSpec{{Kind: "code", Weight: 1, Options: &CodeOptions{Prepend: true}}})
	got := goOn.Score(t.Context(), Sample{Prompt: "def double(x):\n", Response: "    return x + x\n", Meta: python})
	require.Equal(t, Correct, got.Verdict, got.Detail)
	_, err := New([]PartSpec{{Kind: "code", Weight: 1, Options: &CodeOptions{TimeoutSeconds: -1, MemoryMB: -2}}})
	require.ErrorContains(t, err, "code: timeout_seconds: must be finite and not negative")
	require.ErrorContains(t, err, "code: memory_mb: must be at least 1, is -2")
}

// TestCodeAsStarlark has a verdict where the answer can be said in Starlark, and none elsewhere.
func TestCodeAsStarlark(t *testing.T) {
	s := scorer(t, []PartSpec{{Kind: "code", Weight: 2, Options: &CodeOptions{Sandbox: "starlark"}}})
	meta := map[string]string{"language": "python", "tests": "assert double(4) == 8"}
	for answer, want := range map[string]Verdict{
		"def double(x: int) -> int:\n    return 2 * x":         Correct,
		"def double(x):\n    return x":                         Wrong,
		"class A:\n    pass\ndef double(x):\n    return 2 * x": Error,
	} {
		got := s.Score(t.Context(), Sample{Response: answer, Meta: meta})
		require.Equal(t, want, got.Verdict, got.Detail)
	}
}
