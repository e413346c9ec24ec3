package overlap

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func golden[T any](t *testing.T, name string) (out []T) {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(body, &out))
	require.NotEmpty(t, out)
	return out
}

// testdata/difflib.json is of `python3 testdata/pairs.py 40` (Python 3.11).
func TestDifflib(t *testing.T) {
	for _, c := range golden[struct {
		A, B, Diff string
		Ratio      float64
	}](t, "difflib.json") {
		got, err := Ratio(t.Context(), c.A, c.B)
		require.NoError(t, err)
		require.InDelta(t, c.Ratio, got, 1e-15, "%q %q", c.A, c.B)
		diff, err := UnifiedDiff(t.Context(), c.A, c.B)
		require.NoError(t, err)
		require.Equal(t, c.Diff, diff, "%q %q", c.A, c.B)
	}
}

func TestSplitLines(t *testing.T) {
	require.Equal(t, []string{"a", "b", "c", "", "d", "e", "f", "g", "h"}, SplitLines("a\rb\r\nc\n\nd\x0be\u0085f\u2028g\x1ch\r"))
	require.Empty(t, SplitLines(""))
	require.Equal(t, []string{"", "a"}, SplitLines("\na"))
}

// longestByTable is the rule of the longest block in its simplest form.
func longestByTable(x, y []rune) (bi, bj, size int) {
	for i := range x {
		for j := range y {
			k := 0
			for i+k < len(x) && j+k < len(y) && x[i+k] == y[j+k] {
				k++
			}
			if k > size {
				bi, bj, size = i, j, k
			}
		}
	}
	return bi, bj, size
}

func TestLongestIsTheFirstOfTheLongest(t *testing.T) {
	var m automaton
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.SliceOfN(rapid.SampledFrom([]rune("abc")), 0, 14)
		x, y := text.Draw(rt, "x"), text.Draw(rt, "y")
		i, j, size := m.longest(x, y)
		wi, wj, want := longestByTable(x, y)
		if size != want || size > 0 && (i != wi || j != wj) {
			rt.Fatalf("%q %q: %d %d %d, want %d %d %d", string(x), string(y), i, j, size, wi, wj, want)
		}
	})
}

func TestRatioOfLongTexts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := func(n int, alphabet string) string {
		out := make([]byte, n)
		for i := range out {
			out[i] = alphabet[random.IntN(len(alphabet))]
		}
		return string(out)
	}
	start := time.Now()
	for _, c := range [][2]string{
		{noise(1<<20, "abcdefghijklmnop \n"), noise(2000, "abcdefghijklmnop \n")}, {strings.Repeat("a", 1<<20), strings.Repeat("a", 1<<19)},
		{strings.Repeat("ab", 1<<19), "b" + strings.Repeat("ba", 1<<19)}, {strings.Repeat("\xff", 1<<20), "\xff"},
	} {
		got, err := Ratio(t.Context(), c[0], c[1])
		require.NoError(t, err)
		require.True(t, got > 0 && got <= 1)
	}
	t.Log(time.Since(start))
	require.Less(t, time.Since(start), time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Ratio(ctx, "a", "b")
	require.ErrorIs(t, err, context.Canceled)
}
