package science

import (
	"math/big"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/reward/check"
	"temper/tasks/procedural"
)

// all calls f with problems of every difficulty.
func all(g procedural.Generator, n int, f func(p procedural.Problem)) {
	for d := procedural.Easiest; d <= procedural.Hardest; d++ {
		for i := range n {
			f(g.Generate(rand.New(rand.NewPCG(uint64(i), uint64(d))), d))
		}
	}
}

func accepts(t *testing.T, g procedural.Generator, p procedural.Problem, answer string) bool {
	right, err := g.Check(p, answer)
	require.NoError(t, err)
	return right
}

func rat(t *testing.T, s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	require.True(t, ok, s)
	return r
}

func TestReactionsAreBalanced(t *testing.T) {
	for _, r := range reactions {
		e, err := check.ParseEquation(r.text(false))
		require.NoError(t, err)
		var n []*big.Int
		before, after := 0, 0
		for i, c := range r.coefficients {
			n = append(n, big.NewInt(int64(c)))
			if i < r.left {
				before += c * mass(r.formulas[i])
			} else {
				after += c * mass(r.formulas[i])
			}
		}
		balanced, err := e.Balanced(n)
		require.NoError(t, err)
		require.True(t, balanced, r.text(true))
		require.Equal(t, before, after, "mass is kept")
		require.Len(t, r.formulas, len(r.coefficients))
		require.Equal(t, 2, r.left)
	}
	require.Equal(t, 18, mass("H2O"))
	require.Equal(t, 74, mass("Ca(OH)2"))
}

// TestStoichiometryKeepsMass works the amount out from the prompt: what each reactant allows, and the least of that.
func TestStoichiometryKeepsMass(t *testing.T) {
	amount := regexp.MustCompile(`([\d.]+) (mol|g) of (\w+)`)
	asked := regexp.MustCompile(`How much (\S+) can be made, (?:at most|with a yield of (\d+)%), in (mol|g)\?`)
	yields := 0
	all(Stoichiometry, 60, func(p procedural.Problem) {
		lines := strings.Split(p.Prompt, "\n")
		coefficient := map[string]*big.Rat{}
		for _, term := range strings.FieldsFunc(lines[0], func(r rune) bool { return strings.ContainsRune("+->", r) }) {
			n, formula, ok := strings.Cut(strings.TrimSpace(term), " ")
			if !ok {
				n, formula = "1", n
			}
			if formula != "" {
				coefficient[formula] = rat(t, n)
			}
		}
		moleOf := func(formula string) *big.Rat {
			atoms, err := check.Atoms(formula)
			require.NoError(t, err)
			total := 0
			for e, n := range atoms {
				require.Contains(t, lines[2], e+" ")
				total += n * masses[e]
			}
			return big.NewRat(int64(total), 1)
		}
		var runs *big.Rat
		for _, m := range amount.FindAllStringSubmatch(lines[1], -1) {
			n := rat(t, m[1])
			if m[2] == "g" {
				n.Quo(n, moleOf(m[3]))
			}
			n.Quo(n, coefficient[m[3]])
			if runs == nil || n.Cmp(runs) < 0 {
				runs = n
			}
		}
		m := asked.FindStringSubmatch(lines[1])
		require.NotNil(t, m, lines[1])
		result := new(big.Rat).Mul(runs, coefficient[m[1]])
		if m[3] == "g" {
			result.Mul(result, moleOf(m[1]))
		}
		if m[2] != "" {
			yields++
			result.Mul(result, new(big.Rat).Quo(rat(t, m[2]), big.NewRat(100, 1)))
		}
		require.Zero(t, result.Cmp(rat(t, p.Answer)), p.Prompt)
		require.True(t, accepts(t, Stoichiometry, p, p.Answer+" "+m[3]))
	})
	require.Positive(t, yields)
}

func TestBalanceAcceptsEquations(t *testing.T) {
	all(Balance, 40, func(p procedural.Problem) {
		_, written, ok := strings.Cut(p.Solution, "Balanced: ")
		require.True(t, ok)
		written, _, _ = strings.Cut(written, "\n")
		require.True(t, accepts(t, Balance, p, written), written)
		if strings.Trim(p.Answer, "1, ") != "" {
			require.False(t, accepts(t, Balance, p, p.Meta["equation"]), "it is not balanced as it is asked")
		}
		require.True(t, accepts(t, Balance, p, "("+strings.ReplaceAll(p.Answer, " ", "")+")"))
	})
}

// TestUnitsAreConverted uses factors of its own.
func TestUnitsAreConverted(t *testing.T) {
	base := map[string]string{"mm": "1/1000", "cm": "1/100", "m": "1", "km": "1000", "mg": "1/1000", "g": "1", "kg": "1000",
		"s": "1", "min": "60", "h": "3600", "day": "86400", "mL": "1/1000", "cL": "1/100", "L": "1"}
	asked := regexp.MustCompile(`^How much is (\d+) (\S+) in (\S+)\?`)
	of := func(unit string) *big.Rat {
		out := big.NewRat(1, 1)
		above, below, _ := strings.Cut(unit, "/")
		for _, u := range strings.Split(above, "*") {
			out.Mul(out, rat(t, base[u]))
		}
		if below != "" {
			for _, u := range strings.Split(strings.Trim(below, "()"), "*") {
				out.Quo(out, rat(t, base[u]))
			}
		}
		return out
	}
	all(Units, 60, func(p procedural.Problem) {
		m := asked.FindStringSubmatch(p.Prompt)
		require.NotNil(t, m)
		want := new(big.Rat).Mul(rat(t, m[1]), of(m[2]))
		want.Quo(want, of(m[3]))
		require.Zero(t, want.Cmp(rat(t, p.Answer)), p.Prompt)
		require.True(t, accepts(t, Units, p, p.Answer+" "+m[3]))
		require.True(t, accepts(t, Units, p, p.Answer+`\,\text{`+m[3]+`}`))
		require.True(t, accepts(t, Units, p, want.RatString()))
		require.False(t, accepts(t, Units, p, p.Answer+" "+m[2]), "another unit")
	})
}

// TestCircuitsBySecondReading parses the circuit of the prompt.
func TestCircuitsBySecondReading(t *testing.T) {
	all(Circuits, 40, func(p procedural.Problem) {
		_, text, _ := strings.Cut(p.Prompt, "resistance of ")
		text, _, _ = strings.Cut(text, "?")
		require.Equal(t, p.Size, len(regexp.MustCompile(`\d+`).FindAllString(text, -1)))
		rest := strings.ReplaceAll(text, " ", "")
		var pair func() *big.Rat
		one := func() *big.Rat {
			if rest[0] == '(' {
				rest = rest[1:]
				r := pair()
				rest = rest[1:]
				return r
			}
			n := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
			r := rat(t, rest[:n])
			rest = rest[n:]
			return r
		}
		pair = func() *big.Rat {
			a := one()
			op := rest[0]
			rest = rest[1:]
			b := one()
			if op == '+' {
				return a.Add(a, b)
			}
			require.Equal(t, byte('|'), op)
			a, b = a.Inv(a), b.Inv(b) // conductances add
			return a.Inv(a.Add(a, b))
		}
		require.Zero(t, pair().Cmp(rat(t, p.Answer)), text)
	})
}

// TestGeneticsByCounting counts children over all combinations of what the parents pass on.
func TestGeneticsByCounting(t *testing.T) {
	parents := regexp.MustCompile(`have the genes (\w+) and (\w+)\.`)
	shows, hides, both := regexp.MustCompile(`^shows trait (\w)$`), regexp.MustCompile(`^does not show trait (\w)$`), regexp.MustCompile(`^has one (\w) and one (\w)$`)
	all(Genetics, 12, func(p procedural.Problem) {
		m := parents.FindStringSubmatch(p.Prompt)
		_, wanted, _ := strings.Cut(p.Prompt, "that a child ")
		wanted, _, _ = strings.Cut(wanted, "?")
		wants := strings.Split(wanted, ", and ")
		genes := len(m[1]) / 2
		require.Len(t, wants, genes)
		good, total := int64(0), int64(1)<<(2*genes)
		for code := range int(total) {
			child := ""
			for g := range genes {
				child += m[1][2*g+code>>(2*g)&1:][:1] + m[2][2*g+code>>(2*g+1)&1:][:1]
			}
			fits := true
			for _, w := range wants {
				if x := shows.FindStringSubmatch(w); x != nil {
					fits = fits && strings.Contains(child, x[1])
				} else if x := hides.FindStringSubmatch(w); x != nil {
					fits = fits && !strings.Contains(child, x[1])
				} else {
					x := both.FindStringSubmatch(w)
					require.NotNil(t, x, w)
					fits = fits && strings.Contains(child, x[1]) && strings.Contains(child, x[2])
				}
			}
			if fits {
				good++
			}
		}
		require.Zero(t, big.NewRat(good, total).Cmp(rat(t, p.Answer)), p.Prompt)
		require.True(t, accepts(t, Genetics, p, big.NewRat(good, total).FloatString(20)), "as a decimal")
	})
}
