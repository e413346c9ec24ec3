package overlap

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// testdata/measures.json is of `python testdata/measures.py 60` with rouge-score 0.1.2 and sacrebleu 2.6.0.
func TestMeasures(t *testing.T) {
	for _, c := range golden[struct {
		Gold, Response                             string
		Rouge1, Rouge2, RougeL, BLEU, ChrF, ChrFPP float64
	}](t, "measures.json") {
		for name, m := range map[string][2]float64{
			"rouge1": {c.Rouge1, RougeN(1, c.Response, c.Gold)}, "rouge2": {c.Rouge2, RougeN(2, c.Response, c.Gold)}, "rougeL": {c.RougeL, RougeL(c.Response, c.Gold)},
			"bleu": {c.BLEU / 100, BLEU(c.Response, c.Gold)}, "chrf": {c.ChrF / 100, ChrF(0, c.Response, c.Gold)}, "chrf++": {c.ChrFPP / 100, ChrF(2, c.Response, c.Gold)},
		} {
			require.InDelta(t, m[0], m[1], 1e-12, "%s %q %q", name, c.Response, c.Gold)
		}
	}
}

func subsequenceByTable(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		last := 0
		for j, y := range b {
			up := row[j+1]
			if x == y {
				row[j+1] = last + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			last = up
		}
	}
	return row[len(b)]
}

func TestCommonSubsequence(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 200)
		a, b := words.Draw(rt, "a"), words.Draw(rt, "b")
		if got, want := CommonSubsequence(a, b), subsequenceByTable(a, b); got != want {
			rt.Fatalf("%d, want %d", got, want)
		}
	})
}

func TestMeasuresStayWithinBounds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ab .,\n-]{0,30}`), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
		a, b := text.Draw(rt, "a"), text.Draw(rt, "b")
		for i, v := range []float64{RougeN(1, a, b), RougeN(2, a, b), RougeL(a, b), BLEU(a, b), ChrF(0, a, b), ChrF(2, a, b)} {
			if !(v >= 0 && v <= 1+1e-12) {
				rt.Fatalf("measure %d is %v", i, v)
			}
		}
	})
}

func TestMeasuresOfLongTexts(t *testing.T) {
	start := time.Now()
	gold := strings.Repeat("the cat, sat. on 3.5 mats ", 100)
	for _, long := range []string{strings.Repeat("a ", 1<<19), strings.Repeat(gold, 400), strings.Repeat("\xff.", 1<<19), strings.Repeat("é", 1<<19), strings.Repeat(" ", 1<<20)} {
		for _, f := range []func(a, b string) float64{RougeL, BLEU, func(a, b string) float64 { return ChrF(2, a, b) }, func(a, b string) float64 { return RougeN(2, a, b) }} {
			f(long, gold)
		}
	}
	t.Log(time.Since(start))
	require.Less(t, time.Since(start), 2*time.Minute)
}
