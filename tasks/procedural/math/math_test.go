package math

import (
	"go/constant"
	"go/token"
	"go/types"
	"math/big"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/tasks/procedural"
)

// all calls f with problems of every difficulty.
func all(g procedural.Generator, f func(p procedural.Problem)) {
	for d := procedural.Easiest; d <= procedural.Hardest; d++ {
		for i := range 60 {
			f(g.Generate(rand.New(rand.NewPCG(uint64(i), uint64(d))), d))
		}
	}
}

// value evaluates an expression as Go's compiler evaluates constants: exactly.
func value(t *testing.T, expression string) constant.Value {
	v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, expression)
	require.NoError(t, err, expression)
	return constant.ToFloat(v.Value)
}

// between is what stands between two texts.
func between(t *testing.T, s, before, after string) string {
	_, rest, ok := strings.Cut(s, before)
	require.True(t, ok, s)
	out, _, ok := strings.Cut(rest, after)
	require.True(t, ok, s)
	return out
}

func TestArithmeticIsExact(t *testing.T) {
	all(Arithmetic, func(p procedural.Problem) {
		question := between(t, p.Prompt, "What is ", "?")
		require.Equal(t, value(t, question).ExactString(), value(t, p.Answer).ExactString(), p.Prompt)
		right, err := Arithmetic.Check(p, question)
		require.NoError(t, err)
		require.False(t, right, "the question is no answer")
		for _, step := range strings.Split(p.Solution, "\n")[:p.Size] {
			left, result, ok := strings.Cut(step, " = ")
			require.True(t, ok)
			require.Equal(t, value(t, result).ExactString(), value(t, left).ExactString(), step)
		}
	})
}

func TestEquationsHold(t *testing.T) {
	factor := regexp.MustCompile(`(\d)([x(])`)
	all(Equations, func(p procedural.Problem) {
		left, right, ok := strings.Cut(between(t, p.Prompt, "Solve for x: ", "\n"), " = ")
		require.True(t, ok)
		top, bottom, ok := strings.Cut(p.Answer, "/")
		if !ok {
			bottom = "1"
		}
		at := func(side string) string {
			side = factor.ReplaceAllString(side, "$1*$2")
			return value(t, strings.ReplaceAll(side, "x", "("+top+".0/"+bottom+".0)")).ExactString()
		}
		require.Equal(t, at(left), at(right), p.Prompt)
		for _, answer := range []string{"x = " + p.Answer, "x=" + p.Answer} {
			right, err := Equations.Check(p, answer)
			require.NoError(t, err)
			require.True(t, right)
		}
	})
}

func TestModularIsExact(t *testing.T) {
	numbers := regexp.MustCompile(`when (\d+)\^(\d+) is divided by (\d+)`)
	all(Modular, func(p procedural.Problem) {
		var n [3]*big.Int
		for i, s := range numbers.FindStringSubmatch(p.Prompt)[1:] {
			n[i], _ = new(big.Int).SetString(s, 10)
		}
		require.Equal(t, new(big.Int).Exp(n[0], n[1], n[2]).String(), p.Answer)
		require.Equal(t, n[1].BitLen(), p.Size)
	})
}

func TestCountdownAcceptsOtherWays(t *testing.T) {
	all(Countdown, func(p procedural.Problem) {
		numbers := strings.Fields(p.Meta["numbers"])
		require.NotContains(t, numbers, p.Meta["target"])
		require.Len(t, numbers, p.Size)
		for answer, want := range map[string]bool{
			"(" + p.Answer + ")":                true,
			p.Answer + " = " + p.Meta["target"]: true,
			"-(-(" + p.Answer + "))":            true,
			strings.NewReplacer("*", `\times `, "/", `\div `).Replace(p.Answer): true,
			p.Answer + " + 0":     false,
			p.Answer + "*1*1*1":   false,
			p.Answer + " = 0":     false,
			p.Meta["target"]:      false,
			"0" + p.Answer[:1]:    false,
			p.Answer + ", " + "1": false,
		} {
			right, err := Countdown.Check(p, answer)
			require.NoError(t, err)
			require.Equal(t, want, right, "%s for %s", answer, p.Prompt)
		}
	})
}

func TestBezoutAcceptsAllSolutions(t *testing.T) {
	all(Bezout, func(p procedural.Problem) {
		var n [3]*big.Int
		for i, name := range []string{"a", "b", "c"} {
			n[i], _ = new(big.Int).SetString(p.Meta[name], 10)
		}
		g := new(big.Int).GCD(nil, nil, n[0], n[1])
		x, y, _ := strings.Cut(p.Answer, ", ")
		for k := int64(-3); k <= 3; k++ {
			first, _ := new(big.Int).SetString(x, 10)
			second, _ := new(big.Int).SetString(y, 10)
			first.Add(first, new(big.Int).Mul(big.NewInt(k), new(big.Int).Div(n[1], g)))
			second.Sub(second, new(big.Int).Mul(big.NewInt(k), new(big.Int).Div(n[0], g)))
			right, err := Bezout.Check(p, first.String()+", "+second.String())
			require.NoError(t, err)
			require.True(t, right)
			right, err = Bezout.Check(p, first.String()+", "+second.Add(second, big.NewInt(1)).String())
			require.NoError(t, err)
			require.False(t, right)
		}
	})
}
