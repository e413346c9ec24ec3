package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"temper/tasks/procedural"
)

// Maze asks for a shortest way through a maze.
var Maze = procedural.Generator{
	Name: "maze", Domain: domain, What: "the moves of a shortest way through a maze",
	Dial: "moves, from 3 to 12, and the side of the maze, from 4 to 9", Measure: "moves", Make: makeMaze,
}

// moveNames are the moves with their steps, in a picture whose rows go down.
var moveNames = []struct {
	name byte
	step point
}{{'U', point{0, -1}}, {'D', point{0, 1}}, {'L', point{-1, 0}}, {'R', point{1, 0}}}

func makeMaze(rng *rand.Rand, difficulty int) procedural.Problem {
	side, length := 4+difficulty/2, difficulty+2
	for {
		rows := make([][]byte, side)
		for y := range rows {
			rows[y] = make([]byte, side)
			for x := range rows[y] {
				rows[y][x] = ".#"[min(1, rng.IntN(10)/7)] // three walls in ten cells
			}
		}
		start := point{rng.IntN(side), rng.IntN(side)}
		rows[start.y][start.x] = 'S'
		ways := explore(rows, start)
		var goals []point
		for p, way := range ways {
			if len(way) == length {
				goals = append(goals, p)
			}
		}
		if len(goals) == 0 {
			continue
		}
		slices.SortFunc(goals, func(a, b point) int { return a.y*side + a.x - b.y*side - b.x })
		goal := procedural.Pick(rng, goals)
		rows[goal.y][goal.x] = 'G'
		picture := make([]string, side)
		for y := range rows {
			picture[y] = string(rows[y])
		}
		p := procedural.Ask(fmt.Sprintf("Find a shortest way from S to G in this maze. # is a wall. Each move goes to a neighbouring cell: U up, D down, L left, R right.\n\n%s", strings.Join(picture, "\n")),
			"the letters of the moves; any shortest way will do", ways[goal], follow(start, ways[goal]), "maze", "maze", strings.Join(picture, " "))
		p.Concepts, p.Size = []string{"grid navigation", "shortest paths"}, length
		return p
	}
}

// explore finds a shortest way to each cell that can be reached, breadth first.
func explore(rows [][]byte, start point) map[point]string {
	ways, queue := map[point]string{start: ""}, []point{start}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, m := range moveNames {
			to := point{at.x + m.step.x, at.y + m.step.y}
			if to.y < 0 || to.y >= len(rows) || to.x < 0 || to.x >= len(rows) || rows[to.y][to.x] == '#' {
				continue
			}
			if _, seen := ways[to]; !seen {
				ways[to] = ways[at] + string(m.name)
				queue = append(queue, to)
			}
		}
	}
	return ways
}

func follow(at point, way string) []string {
	steps := []string{fmt.Sprintf("S is in row %d, column %d.", at.y+1, at.x+1)}
	for i := range len(way) {
		for _, m := range moveNames {
			if m.name == way[i] {
				at = point{at.x + m.step.x, at.y + m.step.y}
			}
		}
		steps = append(steps, fmt.Sprintf("%c: row %d, column %d", way[i], at.y+1, at.x+1))
	}
	return append(steps, "That is G. A search by rings around S reaches it in no fewer moves.")
}
