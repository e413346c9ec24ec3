package procedural

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAGeneratorsOwnAnswerIsRight: a problem that is put together here has what its checker needs, and an answer that it accepts.
func TestAGeneratorsOwnAnswerIsRight(t *testing.T) {
	g := Generator{Name: "sum", Make: func(rng *rand.Rand, difficulty int) Problem {
		return Ask("What is 1 + 1?", "a whole number", "2", []string{"1 + 1 = 2"}, "number")
	}}
	p := g.Generate(rand.New(rand.NewPCG(1, 2)), Easiest)
	require.Equal(t, "What is 1 + 1?\n\nEnd with \\boxed{...} around the answer, which is a whole number.", p.Prompt)
	require.Equal(t, "1 + 1 = 2\nThe answer is \\boxed{2}.", p.Solution)
	require.Equal(t, map[string]string{"answer": "checked", "check": "number"}, p.Meta)
	for answer, want := range map[string]bool{"2": true, "3": false} {
		right, err := g.Check(p, answer)
		require.NoError(t, err)
		require.Equal(t, want, right, answer)
	}
	paired := Ask("?", "a word", "x", nil, "number", "limit", "7")
	require.Equal(t, "7", paired.Meta["limit"])
}

func TestAProgramHasItsTests(t *testing.T) {
	p := Write("Write f.", "python", "def f(): return 1", "assert f() == 1")
	require.Contains(t, p.Prompt, "one Markdown fence marked python")
	require.Contains(t, p.Solution, "```python\ndef f(): return 1")
	require.Equal(t, "program", p.Meta["check"])
	require.Equal(t, "assert f() == 1", p.Meta["tests"])
	require.Equal(t, "python", p.Meta["language"])
}
