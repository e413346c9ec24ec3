// Package logic generates puzzles and problems on graphs. Puzzles that have one solution are proved to have only one by a search through all.
package logic

import "temper/tasks/procedural"

// All lists the domain's generators.
var All = []procedural.Generator{Colouring, Knights, Paths, Sudoku, Zebra}

const domain = "logic"
