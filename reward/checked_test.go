package reward

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/reward/sandbox"
)

func TestCheckedAnswers(t *testing.T) {
	meta := map[string]string{"check": "countdown", "numbers": "1 2 3", "target": "9"}
	for _, form := range []string{"", "auto", "checked"} {
		s, err := New([]PartSpec{{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: form}}})
		require.NoError(t, err)
		for _, c := range []struct {
			gold, response string
			meta           map[string]string
			want           Verdict
		}{
			{"(1+2)*3", `So \boxed{(1+2)*3}.`, meta, Correct},
			{"(1+2)*3", `First \boxed{1}, then \boxed{3\times(2+1)}.`, meta, Correct},
			{"(1+2)*3", `\boxed{3*3}`, meta, Wrong},
			{"(1+2)*3", `(1+2)*3`, meta, Wrong}, // no box
			{"(1+2)*3", `\boxed{}`, meta, Wrong},
			{"(1+2)*3", `\boxed{1}`, map[string]string{"check": "countdown"}, Error},
			{"(1+2)*3", `no answer`, map[string]string{"check": "riddle"}, Error},
			{"def f(): pass", "```python\ndef f(): pass\n```", map[string]string{"check": "program"}, Error},
		} {
			got := s.Score(t.Context(), Sample{Gold: c.gold, Response: c.response, Meta: c.meta, Finished: true})
			require.Equal(t, c.want, got.Verdict, "%q by %v: %+v", c.response, c.meta, got)
		}
	}
	s, err := New([]PartSpec{{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "checked"}}})
	require.NoError(t, err)
	got := s.Score(t.Context(), Sample{Gold: "1", Response: `\boxed{1}`, Finished: true})
	require.Equal(t, Error, got.Verdict, "a problem without a checker is nobody's wrong answer")
	require.Contains(t, got.Detail, `unknown ""`)
}

// TestCorrectRunsPrograms where the problem's checker says so.
func TestCorrectRunsPrograms(t *testing.T) {
	if err := sandbox.Check(); err != nil {
		t.Skip(err)
	}
	s, err := New([]PartSpec{{Kind: "correct", Weight: 1}})
	require.NoError(t, err)
	meta := map[string]string{"check": "program", "language": "python", "tests": "assert f(2) == 4"}
	for response, want := range map[string]Verdict{
		"```python\ndef f(x): return 2 * x\n```": Correct, "```python\ndef f(x): return x\n```": Wrong, "no program": Wrong,
	} {
		got := s.Score(t.Context(), Sample{Gold: "def f(x): return x + x", Response: response, Meta: meta, Finished: true})
		require.Equal(t, want, got.Verdict, "%q: %+v", response, got)
	}
}
