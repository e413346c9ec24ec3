package mathanswer

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// formula draws an expression as LaTeX, and another way to write the same.
func drawFormula(t *rapid.T, depth int) (a, b string) {
	if depth == 0 {
		switch rapid.IntRange(0, 3).Draw(t, "leaf") {
		case 0:
			v := rapid.SampledFrom([]string{"x", "y", `\pi`, `\theta`, "a_1"}).Draw(t, "name")
			return v, "(" + v + ")"
		case 1:
			n := rapid.IntRange(1, 30).Draw(t, "square")
			return fmt.Sprint(n), fmt.Sprintf(`\sqrt{%d}`, n*n)
		case 2:
			n, d := rapid.IntRange(1, 99).Draw(t, "num"), rapid.IntRange(1, 99).Draw(t, "den")
			return fmt.Sprintf(`\frac{%d}{%d}`, n, d), fmt.Sprintf("(%d/%d)", 3*n, 3*d)
		}
		n := rapid.IntRange(0, 5000).Draw(t, "n")
		return fmt.Sprint(n), fmt.Sprintf("%d.0", n)
	}
	x, x2 := drawFormula(t, depth-1)
	y, y2 := drawFormula(t, depth-1)
	switch rapid.IntRange(0, 5).Draw(t, "op") {
	case 0:
		return "(" + x + ")+(" + y + ")", `\left(` + y2 + ` \right) + ` + x2
	case 1:
		return "(" + x + ")-(" + y + ")", "-(" + y2 + " - (" + x2 + "))"
	case 2:
		return "(" + x + `)\cdot(` + y + ")", "(" + y2 + ")(" + x2 + ")"
	case 3:
		return `\frac{` + x + `}{1+(` + y + ")^2}", "(" + x2 + ")/(((" + y2 + ")^{2})+1)"
	case 4:
		return `\sqrt{1+(` + x + ")^2}", "(1+(" + x2 + ")^2)^{1/2}"
	}
	return "(" + x + ")^2-(" + y + ")^2", "((" + x2 + ")-(" + y2 + "))((" + x2 + ")+(" + y2 + "))"
}

func TestFormulasEqualTheirRewriting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawFormula(t, rapid.IntRange(0, 3).Draw(t, "depth"))
		for _, p := range [][2]string{{a, b}, {b, a}, {a, a}} {
			if got := Equal(p[0], p[1]); got.Verdict != Correct {
				t.Fatalf("%q and %q: %+v", p[0], p[1], got)
			}
		}
		if got := Equal(a, "("+b+")+1"); got.Verdict != Wrong {
			t.Fatalf("%q and itself plus one: %+v", a, got)
		}
	})
}

// TestNumbersEqualByValue holds the verdict on numbers against math/big.
func TestNumbersEqualByValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		num := func(name string) (string, *big.Rat) {
			n, d := rapid.Int64Range(-60, 60).Draw(t, name), rapid.Int64Range(1, 12).Draw(t, name+" below")
			r := big.NewRat(n, d)
			switch rapid.IntRange(0, 2).Draw(t, name+" form") {
			case 0:
				return fmt.Sprintf(`\frac{%d}{%d}`, n, d), r
			case 1:
				return fmt.Sprintf("%d/%d", n, d), r
			}
			return fmt.Sprint(n), big.NewRat(n, 1)
		}
		a, x := num("a")
		b, y := num("b")
		want := Wrong
		if x.Cmp(y) == 0 {
			want = Correct
		}
		if got := Equal(a, b); got.Verdict != want {
			t.Fatalf("%q and %q: %+v, want %s", a, b, got, want)
		}
	})
}

// TestSetsHaveNoOrder shuffles lists and sets, and holds tuples to their order.
func TestSetsHaveNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfNDistinct(rapid.IntRange(-99, 99), 2, 6, rapid.ID).Draw(t, "values")
		text := func(v []int) string { return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(v)), ", "), "[]") }
		shuffled := rapid.Permutation(values).Draw(t, "shuffled")
		a, b := text(values), text(shuffled)
		for _, p := range [][2]string{{a, b}, {`\{` + a + `\}`, b}, {a, `\{` + b + `\}`}, {a, strings.ReplaceAll(b, ",", " or ")}} {
			if got := Equal(p[0], p[1]); got.Verdict != Correct {
				t.Fatalf("%q and %q: %+v", p[0], p[1], got)
			}
		}
		want := Wrong
		if a == b {
			want = Correct
		}
		if got := Equal("("+a+")", "("+b+")"); got.Verdict != want {
			t.Fatalf("tuples (%s) and (%s): %+v, want %s", a, b, got, want)
		}
		if got := Equal(a, text(values[1:])); got.Verdict != Wrong {
			t.Fatalf("%q and one less: %+v", a, got)
		}
	})
}

// TestGoldAnswersEqualThemselves sets the gold answers of MATH in the ways in which responses do; symmetry is that of the labels.
func TestGoldAnswersEqualThemselves(t *testing.T) {
	seen := map[string]bool{}
	each(t, "math_gold_variations.jsonl.gz", func(r variation) {
		if a, b := Equal(r.Gold, r.Pred), Equal(r.Pred, r.Gold); a.Verdict != b.Verdict && a.Verdict != Error && b.Verdict != Error && !asymmetric(r) {
			t.Errorf("%s: %q and %q: %+v, the other way %+v", r.Kind, r.Gold, r.Pred, a, b)
		}
		if seen[r.Gold] {
			return
		}
		seen[r.Gold] = true
		for _, form := range []string{"%s", " %s ", "$%s$", "%s.", `\boxed{%s}`, "so the answer is $%s$.", "Thus\n\\[\n\\boxed{%s}\n\\]\nas was to be shown.", "**Final Answer**\n\n$%s$"} {
			text := fmt.Sprintf(form, r.Gold)
			if strings.Count(r.Gold, "{") != strings.Count(r.Gold, "}") && strings.Contains(form, "boxed") || strings.Contains(r.Gold, `{\}`) {
				continue
			}
			if got := Equal(r.Gold, text); got.Verdict != Correct {
				t.Errorf("%q and %q: %+v", r.Gold, text, got)
			}
		}
	})
}

// asymmetric says whether the order matters: a tuple answers for a set, a set answers for a tuple in its order alone; a base that the
// problem names may be left out of the answer.
func asymmetric(r variation) bool { return r.Kind == "tuple_set" || strings.Contains(r.Gold, "_") }
