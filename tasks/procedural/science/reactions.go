package science

import (
	"strings"

	"temper/reward/check"
)

// reaction is a balanced equation.
type reaction struct {
	formulas     []string
	coefficients []int
	left         int // how many of the formulas are used up
}

// reactions are balanced; a test holds that.
var reactions = []reaction{
	{[]string{"H2", "O2", "H2O"}, []int{2, 1, 2}, 2},
	{[]string{"CH4", "O2", "CO2", "H2O"}, []int{1, 2, 1, 2}, 2},
	{[]string{"C3H8", "O2", "CO2", "H2O"}, []int{1, 5, 3, 4}, 2},
	{[]string{"C2H6O", "O2", "CO2", "H2O"}, []int{1, 3, 2, 3}, 2},
	{[]string{"C6H12O6", "O2", "CO2", "H2O"}, []int{1, 6, 6, 6}, 2},
	{[]string{"N2", "H2", "NH3"}, []int{1, 3, 2}, 2},
	{[]string{"NH3", "O2", "NO", "H2O"}, []int{4, 5, 4, 6}, 2},
	{[]string{"Mg", "O2", "MgO"}, []int{2, 1, 2}, 2},
	{[]string{"Al", "O2", "Al2O3"}, []int{4, 3, 2}, 2},
	{[]string{"Fe", "O2", "Fe2O3"}, []int{4, 3, 2}, 2},
	{[]string{"Fe2O3", "CO", "Fe", "CO2"}, []int{1, 3, 2, 3}, 2},
	{[]string{"Al", "Fe2O3", "Fe", "Al2O3"}, []int{2, 1, 2, 1}, 2},
	{[]string{"SO2", "O2", "SO3"}, []int{2, 1, 2}, 2},
	{[]string{"CaO", "H2O", "Ca(OH)2"}, []int{1, 1, 1}, 2},
	{[]string{"Na", "H2O", "NaOH", "H2"}, []int{2, 2, 2, 1}, 2},
	{[]string{"CaC2", "H2O", "C2H2", "Ca(OH)2"}, []int{1, 2, 1, 1}, 2},
}

// masses are atomic masses in g/mol, rounded to whole numbers.
var masses = map[string]int{"H": 1, "C": 12, "N": 14, "O": 16, "Na": 23, "Mg": 24, "Al": 27, "S": 32, "Ca": 40, "Fe": 56}

// mass is that of a mole, in grams. The formula is one of reactions.
func mass(formula string) int {
	atoms, err := check.Atoms(formula)
	if err != nil {
		panic(err) // a table of this package is wrong
	}
	total := 0
	for element, n := range atoms {
		total += n * masses[element]
	}
	return total
}

// text writes the equation, with coefficients or without.
func (r reaction) text(balanced bool) string {
	var sides [2][]string
	for i, f := range r.formulas {
		side := 0
		if i >= r.left {
			side = 1
		}
		if balanced && r.coefficients[i] > 1 {
			f = times(r.coefficients[i], f)
		}
		sides[side] = append(sides[side], f)
	}
	return strings.Join(sides[0], " + ") + " -> " + strings.Join(sides[1], " + ")
}
