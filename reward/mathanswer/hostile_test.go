package mathanswer

import (
	"fmt"
	"strings"
	"testing"
)

// hostile are texts that cost a careless reader quadratic time, deep recursion or huge numbers: a unit over and over, perhaps between ends.
var hostile = []struct{ unit, before, after string }{
	{"(", "", ""}, {")", "", ""}, {"()", "", ""}, {"{", "", ""}, {"}", "", ""}, {"[", "", ""}, {`\{`, "", ""}, {"|", "", ""}, {"|x", "", ""}, {"$", "", ""}, {"$ ", "", ""}, {"$$", "", ""}, {"$x ", "", ""}, {"$x\n", "", ""},
	{`\$`, "", ""}, {"$1 and some words ", "", ""}, {`\(`, "", ""}, {`\[`, "", ""}, {`\]`, "", ""}, {`\[$`, "", ""},
	{`\frac{`, "", ""}, {`\frac`, "", ""}, {`\sqrt`, "", ""}, {`\sqrt{`, "", ""}, {`\sqrt[`, "", ""}, {"^", "", ""}, {"x^", "", ""}, {"2^", "", "2"}, {"x^{", "", ""}, {"x_", "", "x"}, {`\log_`, "", ""}, {`\sum_`, "", ""}, {`\sin `, "", "x"},
	{`\boxed{`, "", ""}, {`\boxed{}`, "", ""}, {`\boxed{1}`, "", ""}, {`\boxed `, "", ""}, {`\boxed    `, "", ""}, {`\\boxed{`, "", ""}, {"\boxed{", "", ""}, {`\begin{pmatrix}`, "", ""}, {`\end{pmatrix}`, "", ""},
	{"1&", `\begin{pmatrix}`, `1\end{pmatrix}`}, {"&", "", ""}, {`\\`, "", ""}, {`\left(`, "", ""}, {`\text{`, "", ""}, {`\mathbf{`, "", ""}, {`\text{ and }`, "", ""}, {"9", "", ""}, {"1,", "", "1"}, {",000", "1", ""}, {" 000", "1", ""},
	{"0", "0.", ""}, {`\overline{3}`, "0.", ""}, {"1e9", "", ""}, {"1/", "", "1"}, {"-", "", "1"}, {"+-", "", "1"}, {`1\pm`, "", "1"}, {"!", "5", ""}, {"'", "f", ""}, {"%", "5", ""}, {"x=", "", "1"}, {"x<", "", "1"}, {`[1,2]\cup`, "", "[1,2]"},
	{"1,", `\{`, `2\}`}, {"x+", "", "1"}, {"xy", "", ""}, {"word ", "", ""}, {"answer is ", "", ""}, {"the answer: ", "", ""}, {"####", "", ""}, {"#### 1\n", "", ""}, {". ", "", ""}, {"\x00", "", ""}, {"\xff", "", ""}, {"√", "", ""},
	{`\begin{pmatrix}1&1\\1&1\end{pmatrix}`, "", ""}, {`\begin{pmatrix}x&1\\1&x\end{pmatrix}+`, "", "1"}, {"1 1/2 ", "", ""}, {"1 and ", "", ""}, {"</think>", "", ""}, {"<|im_start|>", "", ""},
}

func many(n int, unit, before, after string) string {
	return before + strings.Repeat(unit, max(1, n/len(unit))) + after
}

// TestHostileTextsTakeLinearSteps counts steps, which do not depend on the machine: ten times the text takes ten times the steps at most.
func TestHostileTextsTakeLinearSteps(t *testing.T) {
	steps := func(s string) int {
		f := &finder{}
		a, ok := f.find(s, false)
		if !ok || len(a) > maxAnswer {
			return f.steps
		}
		w := work{}
		_, _ = readings(a, &w)
		return f.steps + w.steps
	}
	for _, h := range hostile {
		small := 1 << 14
		switch h.unit {
		case "(", `\frac{`, "^", "{": // ten megabytes of these
			small = 1 << 20
		}
		s, l := many(small, h.unit, h.before, h.after), many(10*small, h.unit, h.before, h.after)
		a, b := steps(s), steps(l)
		if a > 64*len(s)+maxWork || b > 64*len(l)+maxWork || b > 11*a+maxWork {
			t.Errorf("%q: %d steps for %d bytes, %d for %d", h.unit, a, len(s), b, len(l))
		}
		if small < 1<<20 {
			continue
		}
		if got := Equal("7041776", l); got.Verdict != Wrong {
			t.Errorf("%q of %d bytes: %+v", h.unit, len(l), got)
		}
	}
}

// TestHostileAnswersAreWrong judges answers at the limit of length, which are read in full, and the same as gold answers.
func TestHostileAnswersAreWrong(t *testing.T) {
	for _, n := range []int{200, maxAnswer - 32} {
		for _, h := range hostile {
			s := many(n, h.unit, h.before, h.after)
			if got := Equal("7041776", s); got.Verdict != Wrong {
				t.Errorf("%q of %d bytes: %+v", h.unit, n, got)
			}
			if got := Equal(s, "7041776"); got.Verdict == Correct {
				t.Errorf("gold %q of %d bytes: %+v", h.unit, n, got)
			}
		}
	}
}

// TestHugeValues names numbers that nobody should compute, each with an answer that costs its own side only.
func TestHugeValues(t *testing.T) {
	for _, s := range []string{"1e999999999", "1e-999999999", "10^{10^{10}}", "9^{9^{9^{9}}}", "2^{999999999999999999999}", "99999999999!", "(10^9)!", `\binom{10^9}{5}`, "((((3!)!)!)!)!", "e^{e^{e^{e^{e}}}}", `\exp(10^{12})`,
		`\sin(10^{100})`, `\sqrt[10^{9}]{2}`, "0^{-1}", "0^0", "1/0", `\log 0`, `\log_1 5`, `\tan 90^\circ`, "x^{x^{x^{x^{x}}}}", "2^{2^{2^{2^{2^{2}}}}}", `\left(1+\frac{1}{10^{9}}\right)^{10^{9}}`, strings.Repeat("9", 1999), strings.Repeat("9", 2001)} {
		if got := Equal("5", s); got.Verdict != Wrong {
			t.Errorf("%s for 5: %+v", clip(s), got)
		}
		if got := Equal(s, "5"); got.Verdict == Correct {
			t.Errorf("5 for %s: %+v", clip(s), got)
		}
		if got := Equal(s, " "+s); got.Verdict != Correct {
			t.Errorf("%s for itself: %+v", clip(s), got)
		}
	}
}

// TestNestedMixedNumbersAreReadOnce nests what the parser looks ahead for.
func TestNestedMixedNumbersAreReadOnce(t *testing.T) {
	s := "1"
	for range 12 {
		s = `2\frac{` + s + `}{3}`
	}
	w := work{}
	_, err := readings(s, &w)
	if err != nil || w.steps > 4000 {
		t.Errorf("%d steps, %v", w.steps, err)
	}
}

func FuzzEqual(f *testing.F) {
	for _, h := range hostile {
		s := many(300, h.unit, h.before, h.after)
		f.Add(s, "1")
		f.Add(`\frac{1}{2}`, s)
	}
	for _, s := range []string{"1e999999999", "10^{10^{10}}", `\begin{pmatrix}1&2\\3&4\end{pmatrix}`, `\{x|x>2\}`, `(1,2]\cup[3,\infty)`, `x=\pm\sqrt{2}`, `4210_5`, "12:30 PM", `5\text{ cm}`, "$1$ and $2$", `0.\overline{3}`, `\sum_{k=1}^n k`, `2\frac{1}{2}`, "(A) 5"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, gold, pred string) {
		got := Equal(gold, pred)
		switch got.Verdict {
		case Correct, Wrong, Error:
		default:
			t.Fatalf("verdict %q", got.Verdict)
		}
		if r := Equal("7041776", pred); r.Verdict == Error {
			t.Fatalf("%+v for a gold answer that can be read", r)
		}
		if again := Equal(gold, pred); again != got {
			t.Fatalf("%+v, then %+v", got, again)
		}
		fd := &finder{}
		if a, ok := fd.find(pred, false); ok && len(a) <= maxAnswer {
			w := work{}
			_, _ = readings(a, &w)
			if w.steps > maxWork+maxAnswer {
				t.Fatalf("reading took %d steps", w.steps)
			}
		}
		if limit := 64*len(pred) + 1024; fd.steps > limit {
			t.Fatalf("finding took %d steps for %d bytes", fd.steps, len(pred))
		}
	})
}

func BenchmarkEqual(b *testing.B) {
	for _, p := range [][2]string{{"1024", "1024.0"}, {`\frac{3}{4}`, "0.75"}, {`\frac{1+\sqrt5}{2}`, `\frac{2}{\sqrt5-1}`}, {"x^2-1", "(x-1)(x+1)"}, {`\sin^2 x`, `1-\cos^2 x`}} {
		b.Run(fmt.Sprintf("%.20s", p[0]), func(b *testing.B) {
			for b.Loop() {
				if Equal(p[0], p[1]).Verdict != Correct {
					b.Fatal("not equal")
				}
			}
		})
	}
}
