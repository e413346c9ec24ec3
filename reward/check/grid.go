package check

import (
	"fmt"
	"strings"
)

// sudoku accepts every completion of meta "givens", a 4x4 grid of digits and dots, row by row. Separators in the answer do not count.
func sudoku(answer, _ string, meta map[string]string) (bool, error) {
	const side = 4
	givens := strings.Join(strings.Fields(meta["givens"]), "")
	if len(givens) != side*side || strings.Trim(givens, ".1234") != "" {
		return false, fmt.Errorf("givens: %q is not a grid of 16 digits from 1 to 4 and dots", meta["givens"])
	}
	digits := strings.NewReplacer(" ", "", ",", "", ";", "", "/", "", "|", "", "[", "", "]", "", "{", "", "}", "", "(", "", ")", "", `\`, "").Replace(answer)
	if len(digits) != side*side || strings.Trim(digits, "1234") != "" {
		return false, nil
	}
	seen := map[[3]int]bool{} // kind of unit, its number, digit
	for i := range digits {
		if givens[i] != '.' && givens[i] != digits[i] {
			return false, nil
		}
		row, column := i/side, i%side
		for kind, unit := range []int{row, column, row/2*2 + column/2} {
			key := [3]int{kind, unit, int(digits[i])}
			if seen[key] {
				return false, nil
			}
			seen[key] = true
		}
	}
	return true, nil
}

// moves reads "RRD", "R, R, D" or "right right down".
func moves(s string) (string, bool) {
	words := strings.NewReplacer("right", "r", "left", "l", "up", "u", "down", "d").Replace(strings.ToLower(unwrap(s)))
	out := strings.NewReplacer(" ", "", ",", "", "->", "", "-", "").Replace(words)
	return out, out != "" && strings.Trim(out, "udlr") == ""
}

// maze accepts every way from S to G in meta "maze", rows of S, G, . and # between spaces, that has as few moves as the gold one, which is a shortest.
func maze(answer, gold string, meta map[string]string) (bool, error) {
	rows := strings.Fields(meta["maze"])
	want, ok := moves(gold)
	if !ok || !walk(rows, want) {
		return false, fmt.Errorf("the gold answer %q does not lead from S to G", gold)
	}
	got, ok := moves(answer)
	return ok && len(got) == len(want) && walk(rows, got), nil
}

// walk says whether the moves lead from S to G without meeting a wall or leaving the maze.
func walk(rows []string, moves string) bool {
	x, y := -1, -1
	for j, row := range rows {
		if i := strings.IndexByte(row, 'S'); i >= 0 {
			x, y = i, j
		}
	}
	if y < 0 {
		return false
	}
	for _, m := range moves {
		switch m {
		case 'u':
			y--
		case 'd':
			y++
		case 'l':
			x--
		case 'r':
			x++
		}
		if y < 0 || y >= len(rows) || x < 0 || x >= len(rows[y]) || rows[y][x] == '#' {
			return false
		}
	}
	return rows[y][x] == 'G'
}
