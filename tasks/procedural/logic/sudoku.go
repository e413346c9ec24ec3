package logic

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"temper/tasks/procedural"
)

// Sudoku asks for the missing digits of a 4x4 grid.
var Sudoku = procedural.Generator{
	Name: "sudoku", Domain: domain, What: "the filled grid of a 4x4 sudoku",
	Dial: "empty cells, from 2 to 11", Measure: "empty cells", Make: makeSudoku,
}

const (
	side    = 4
	square  = side * side
	nothing = 0
)

// grid holds digits from 1 to 4, or nothing, row by row.
type grid [square]int

func makeSudoku(rng *rand.Rand, difficulty int) procedural.Problem {
	for {
		full := fill(rng)
		puzzle, left := full, difficulty+1
		for _, i := range rng.Perm(square) {
			if left == 0 {
				break
			}
			with := puzzle
			with[i] = nothing
			if completions(with, 2) == 1 {
				puzzle, left = with, left-1
			}
		}
		steps, done := deduce(puzzle)
		if left > 0 || !done {
			continue
		}
		p := procedural.Ask(fmt.Sprintf("Fill the empty cells, shown as dots, of this 4x4 sudoku, so that each row, each column and each 2x2 corner has 1, 2, 3 and 4 once.\n\n%s", puzzle.text("\n")),
			"the four rows from top to bottom, with spaces between them", full.text(" "), steps, "sudoku", "givens", puzzle.text(" "))
		p.Concepts, p.Size = []string{"sudoku"}, difficulty+1
		return p
	}
}

func (g grid) text(between string) string {
	var b strings.Builder
	for i, d := range g {
		if i > 0 && i%side == 0 {
			b.WriteString(between)
		}
		b.WriteByte(".1234"[d])
	}
	return b.String()
}

// units are what has each digit once.
var units = []struct {
	name string
	of   func(cell int) int
}{
	{"row", func(i int) int { return i / side }},
	{"column", func(i int) int { return i % side }},
	{"corner", func(i int) int { return i/side/2*2 + i%side/2 }},
}

// allows says whether the digit can stand in cell i.
func (g grid) allows(i, digit int) bool {
	for j, d := range g {
		for _, u := range units {
			if d == digit && i != j && u.of(i) == u.of(j) {
				return false
			}
		}
	}
	return true
}

// fill draws a filled grid: cell by cell it tries the digits in an order of the cell's own.
func fill(rng *rand.Rand) grid {
	var g grid
	var orders [square][]int
	for i := range orders {
		orders[i] = rng.Perm(side)
	}
	var try func(i int) bool
	try = func(i int) bool {
		if i == square {
			return true
		}
		for _, k := range orders[i] {
			if g.allows(i, k+1) {
				g[i] = k + 1
				if try(i + 1) {
					return true
				}
				g[i] = nothing
			}
		}
		return false
	}
	try(0)
	return g
}

// completions counts the ways to fill the grid, up to most.
func completions(g grid, most int) int {
	for i, d := range g {
		if d != nothing {
			continue
		}
		total := 0
		for digit := 1; digit <= side && total < most; digit++ {
			if g.allows(i, digit) {
				next := g
				next[i] = digit
				total += completions(next, most-total)
			}
		}
		return total
	}
	return 1
}

// deduce fills cells that only one digit fits, and digits that fit only one cell of a unit; done is false where that does not suffice.
func deduce(g grid) (steps []string, done bool) {
	for {
		i, digit, why := next(g)
		if why == "" {
			return steps, g.full()
		}
		g[i] = digit
		steps = append(steps, fmt.Sprintf("Row %d, column %d is %d: %s.", i/side+1, i%side+1, digit, why))
	}
}

func (g grid) full() bool {
	for _, d := range g {
		if d == nothing {
			return false
		}
	}
	return true
}

// next is a cell that can be filled, with the reason; no reason, no cell.
func next(g grid) (cell, digit int, why string) {
	for i, d := range g {
		if d != nothing {
			continue
		}
		var fits []int
		for digit := 1; digit <= side; digit++ {
			if g.allows(i, digit) {
				fits = append(fits, digit)
			}
		}
		if len(fits) == 1 {
			return i, fits[0], "no other digit fits there"
		}
	}
	for i, d := range g {
		for digit := 1; d == nothing && digit <= side; digit++ {
			if !g.allows(i, digit) {
				continue
			}
			for _, u := range units {
				if g.only(i, digit, u.of) {
					return i, digit, fmt.Sprintf("it fits nowhere else in its %s", u.name)
				}
			}
		}
	}
	return 0, 0, ""
}

// only says that the digit fits no other empty cell of the unit of cell i.
func (g grid) only(i, digit int, unit func(cell int) int) bool {
	for j, d := range g {
		if j != i && d == nothing && unit(i) == unit(j) && g.allows(j, digit) {
			return false
		}
	}
	return true
}
