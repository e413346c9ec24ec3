package check

import (
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// problems are one for each checker, with answers that are right and answers that are not.
var problems = map[string]struct {
	gold         string
	meta         map[string]string
	right, wrong []string
}{
	"assignment": {"Ann=knight, Bob=knave", nil,
		[]string{"Bob=knave, Ann=knight", "Ann: knight; Bob: knave", "ann = KNIGHT, bob = Knave", "Ann is a knight, and Bob is a knave", `\text{Ann}=\text{knight}, \text{Bob}=\text{knave}`, "{Ann=knight, Bob=knave}"},
		[]string{"Ann=knave, Bob=knight", "Ann=knight", "Ann=knight, Bob=knave, Cy=knave", "Ann=knight, Ann=knight, Bob=knave", "knight, knave", "Ann=, Bob=knave", "=knight, Bob=knave"}},
	"automaton": {"0110", nil, []string{"0110", "0 1 1 0", "[0, 1, 1, 0]"}, []string{"110", "01100", "0111", "", "6", "0b0110"}},
	"balance": {"2, 1, 2", map[string]string{"equation": "H2 + O2 -> H2O"},
		[]string{"2,1,2", "(2, 1, 2)", "2 H2 + O2 -> 2 H2O", "2H2 + 1O2 -> 2H2O", `2 \text{H}_2 + \text{O}_2 \rightarrow 2 \text{H}_2\text{O}`, "O2 + 2H2 → 2H2O"},
		[]string{"4, 2, 4", "1, 1, 1", "2, 1", "2, 1, 2, 0", "-2, -1, -2", "0, 0, 0", "1, 0.5, 1", "H2 + O2 -> H2O", "2H2 + O2 -> 2H2O2", "2 H2O -> 2 H2 + O2", "2H2 + 2H2 -> 2H2O"}},
	"bezout": {"3, -7", map[string]string{"a": "12", "b": "5", "c": "1"},
		[]string{"3, -7", "-2, 5", "8,-19", "(8, -19)", "x = -2, y = 5", "1000003, -2400007"}, []string{"-7, 3", "3", "3, -7, 0", "2.5, -5.8", "y=5, x=-2", "x, y", "3, -7/1e3", "x=3, x=-7"}},
	"colouring": {"A=red, B=blue, C=red", map[string]string{"edges": "A-B B-C", "colours": "red blue"},
		[]string{"A=blue, B=red, C=blue", "c: red, b: blue, a: red"},
		[]string{"A=red, B=blue", "A=red, B=red, C=blue", "A=red, B=blue, C=green", "A=red, B=blue, C=red, D=red", "A=, B=blue, C=", "red, blue, red"}},
	"countdown": {"(1+2)*3", map[string]string{"numbers": "1 2 3 9 9", "target": "9"},
		[]string{"(1+2)*3", "3*(2+1)", "9", "9*(3-2)", "9/(3-2)*1", "(1 + 2) * 3 = 9", `(1+2)\times 3`, `3 \cdot \left(1+2\right)`, `\frac{9}{3-2}`, "-(1-2)*9", "9/3*(2+1)", "[1+2]*3"},
		[]string{"3*3", "10-1", "(1+2)*3=10", "1+2+3+9", "9*1*1", "9/(2-2)", "9/0", "19-10", "9-9+9", "3**2", "3^2", "9.0", "(1+2)*3 or 9", "(1+2*3", "1+2)*3", "", "9 9/9", "target", "--", "2*9/2"}},
	"list": {"[3, -1, 10]", nil,
		[]string{"[3,-1,10]", "(3, -1, 10)", "3, -1, and 10", "3 -1 10", "3; -1; 10", `\left[3,\; -1,\; 10\right]`, "3.0, -1, 10"}, []string{"[3, 10, -1]", "[3, -1]", "[3, -1, 10, 10]", "", "[]", "3110", "3, -1, ten"}},
	"maze": {"RD", map[string]string{"maze": "S. .G"}, []string{"DR", "rd", "R, D", "right, down", "R -> D", "(D, R)"}, []string{"R", "RRD", "RDLR", "DRUD", "RDx", "", "UD", "LL"}},
	"number": {"3/4", map[string]string{"unit": "m/s", "variable": "x"},
		[]string{"3/4", "0.75", ".75", "6/8", `\frac{3}{4}`, "+0.750", "x = 3/4", "0.75 m/s", `0.75\,\text{m/s}`, "75%", `75\%`, "$0.75$", "0 3/4", "3 / 4."},
		[]string{"4/3", "-3/4", "0.7500001", "3/0", "0.75 km/s", "1/2+1/4", "y = 3/4", "3/4 or 1", "", "m/s", "0.75..", "0.7.5", "1e-3", "١", "3/4/1", "0x1"}},
	"path": {"A-B-D", map[string]string{"edges": "A-B:2 B-D:3 A-C:4 C-D:1 B-C:2 A-D:6", "from": "A", "to": "D"},
		[]string{"A-B-D", "a -> c -> d", "A, C, D", `A \to C \to D`, "A → B → D", "A B D", "A-B-C-D"},
		[]string{"A-D", "D-B-A", "A-B", "B-D", "A-B-B-D", "A-B-A-B-D", "", "A", "A-X-D"}},
	"set":    {"Ada, Ben, Cleo", nil, []string{"Cleo, Ada, Ben", "{ada, ben, cleo}", "Ben, Cleo and Ada", `\{Ada, Ben, Cleo\}`, `"Ada", "Ben", "Cleo"`}, []string{"Ada, Ben", "Ada, Ben, Cleo, Dan", "Ada, Ada, Ben, Cleo", "", "AdaBenCleo"}},
	"sudoku": {"1234 3412 2143 4321", map[string]string{"givens": "1... .... .... ...."}, []string{"1234341221434321", "1234\n3421\n2143\n4312", "1234/3412/2143/4321", "1 2 3 4 | 3 4 1 2 | 2 1 4 3 | 4 3 2 1"}, []string{"2134 3412 1243 4321", "1234 3412 2143 432", "1234 1234 1234 1234", "1234 3412 2143 4322", "", "1234 3412 2143 43210", "5234 3412 2143 4321"}},
	"word":   {"New York", nil, []string{"new york", `\text{New York}`, `"New  York"`, "New York.", "(New York)"}, []string{"York", "NewYork", "", "New York, Rome"}},
}

func TestEveryCheckerHasExamples(t *testing.T) {
	require.Equal(t, Names(), slices.Sorted(maps.Keys(problems)))
}

func TestAnswers(t *testing.T) {
	for name, p := range problems {
		for _, answer := range append([]string{p.gold}, p.right...) {
			got, err := Answer(name, answer, p.gold, p.meta)
			require.NoError(t, err)
			require.True(t, got, "%s: %q is right", name, answer)
		}
		for _, answer := range append([]string{"I do not know", strings.Repeat("(", maxAnswer), strings.Repeat("1", maxAnswer), strings.Repeat(p.gold+" ", maxAnswer/len(p.gold)), "{}", "-", ",,", "\xff"}, p.wrong...) {
			got, err := Answer(name, answer, p.gold, p.meta)
			require.NoError(t, err)
			require.False(t, got, "%s: %q is wrong", name, answer)
		}
	}
}

func TestProblemsThatCannotBeJudged(t *testing.T) {
	for name, c := range map[string]struct {
		check, gold string
		meta        map[string]string
		want        string
	}{
		"unknown":       {"riddle", "1", nil, `unknown "riddle"; known: assignment, `},
		"program":       {Program, "x", nil, "with the part code"},
		"no number":     {"number", "four", nil, `gold answer "four" is not a number`},
		"no list":       {"list", "", nil, "no gold answer"},
		"no set":        {"set", " ", nil, "no gold answer"},
		"no word":       {"word", "", nil, "no gold answer"},
		"no cells":      {"automaton", "012", nil, "not a row of 0 and 1"},
		"no pairs":      {"assignment", "a", nil, "not a list of name=value"},
		"no target":     {"countdown", "", map[string]string{"numbers": "1"}, "target"},
		"no numbers":    {"countdown", "", map[string]string{"target": "1"}, "numbers"},
		"no a":          {"bezout", "", map[string]string{"b": "1", "c": "1"}, "a:"},
		"no edges":      {"path", "A-B", nil, "edges"},
		"bad edge":      {"path", "A-B", map[string]string{"edges": "A-B:0"}, "not an edge"},
		"bad length":    {"path", "A-B", map[string]string{"edges": "A-B:x"}, "not a length"},
		"no path":       {"path", "A-C", map[string]string{"edges": "A-B", "from": "A", "to": "C"}, "no path"},
		"no colours":    {"colouring", "", map[string]string{"edges": "A-B"}, "colours"},
		"no givens":     {"sudoku", "", map[string]string{"givens": "12"}, "givens"},
		"no maze":       {"maze", "R", nil, "does not lead"},
		"no equation":   {"balance", "1", nil, "has no ->"},
		"wrong formula": {"balance", "1", map[string]string{"equation": "h2 -> H2"}, `formula "h2"`},
	} {
		_, err := Answer(c.check, "1", c.gold, c.meta)
		require.ErrorContains(t, err, c.want, name)
	}
}

func TestAtoms(t *testing.T) {
	for formula, want := range map[string]map[string]int{
		"H2O":         {"H": 2, "O": 1},
		"Ca(OH)2":     {"Ca": 1, "O": 2, "H": 2},
		"Al2(SO4)3":   {"Al": 2, "S": 3, "O": 12},
		"Fe4(Fe(C)2)": {"Fe": 5, "C": 2},
		"CH3CH2OH":    {"C": 2, "H": 6, "O": 1},
	} {
		got, err := Atoms(formula)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, formula := range []string{"", "2H", "H0", "(H", "H)", "h", "()", "H99999", "H-", strings.Repeat("(", 100)} {
		_, err := Atoms(formula)
		require.Error(t, err, formula)
	}
}

func TestBalanced(t *testing.T) {
	e, err := ParseEquation("Fe2O3 + CO -> Fe + CO2")
	require.NoError(t, err)
	for want, n := range map[bool][]int64{true: {1, 3, 2, 3}, false: {1, 1, 2, 3}} {
		var numbers []*big.Int
		for _, x := range n {
			numbers = append(numbers, big.NewInt(x))
		}
		got, err := e.Balanced(numbers)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// FuzzAnswer holds for every checker: no panic, no error for a problem that can be read, and an answer in bounded time.
func FuzzAnswer(f *testing.F) {
	for name, p := range problems {
		for _, answer := range append(p.right, p.wrong...) {
			f.Add(slices.Index(Names(), name), answer)
		}
	}
	f.Add(0, strings.Repeat("-(", maxAnswer/2))
	f.Add(5, strings.Repeat("-", maxAnswer))
	f.Fuzz(func(t *testing.T, checker int, answer string) {
		name := Names()[((checker%len(problems))+len(problems))%len(problems)]
		p := problems[name]
		start := time.Now()
		_, err := Answer(name, answer, p.gold, p.meta)
		if err != nil {
			t.Fatalf("%s: %q: %v", name, answer, err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Fatalf("%s: %q took %v", name, answer, took)
		}
	})
}

// FuzzEquation holds: no panic, and an equation that can be read has formulas that can be.
func FuzzEquation(f *testing.F) {
	for _, s := range []string{"H2 + O2 -> H2O", "Ca(OH)2 -> CaO + H2O", "->", "(", "A(", "A)->B"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseEquation(s)
		if err != nil {
			return
		}
		for _, formula := range e.Formulas {
			if _, err := Atoms(formula); err != nil {
				t.Fatal(err)
			}
		}
	})
}
