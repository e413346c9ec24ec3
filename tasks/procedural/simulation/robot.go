package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"temper/tasks/procedural"
)

// Robot asks where a robot is after some commands.
var Robot = procedural.Generator{
	Name: "robot", Domain: domain, What: "where a robot on a board with obstacles is after its commands",
	Dial: "commands, from 4 to 22, and the side of the board, from 5 to 10", Measure: "commands", Make: makeRobot,
}

// point is a cell of a board; y grows to the north.
type point struct{ x, y int }

var directions = []struct {
	name string
	step point
}{{"north", point{0, 1}}, {"east", point{1, 0}}, {"south", point{0, -1}}, {"west", point{-1, 0}}}

func makeRobot(rng *rand.Rand, difficulty int) procedural.Problem {
	for {
		if p, moved := drawRobot(rng, 5+difficulty/2, difficulty+1, 2+2*difficulty); moved {
			return p
		}
	}
}

// drawRobot draws a problem; moved is false where the robot ends where it started.
func drawRobot(rng *rand.Rand, side, walls, count int) (p procedural.Problem, moved bool) {
	free := make([]point, 0, side*side)
	for x := range side {
		for y := range side {
			free = append(free, point{x, y})
		}
	}
	free = procedural.Some(rng, free, len(free))
	at, obstacles := free[0], free[1:1+walls]
	blocked := map[point]bool{}
	var texts []string
	for _, o := range obstacles {
		blocked[o] = true
		texts = append(texts, fmt.Sprintf("(%d, %d)", o.x, o.y))
	}
	facing, first := rng.IntN(4), at
	start := fmt.Sprintf("at (%d, %d) and faces %s", at.x, at.y, directions[facing].name)
	var commands, steps []string
	for i := range count {
		if i%2 == 1 {
			turn := rng.IntN(2)
			commands = append(commands, []string{"left", "right"}[turn])
			facing = (facing + 3 + 2*turn) % 4
			steps = append(steps, fmt.Sprintf("%s: faces %s", commands[i], directions[facing].name))
			continue
		}
		far := procedural.Between(rng, 1, side-1)
		commands = append(commands, fmt.Sprintf("forward %d", far))
		d, stopped := directions[facing].step, ""
		for range far {
			to := point{at.x + d.x, at.y + d.y}
			if to.x < 0 || to.y < 0 || to.x >= side || to.y >= side || blocked[to] {
				stopped = ", where it is stopped"
				break
			}
			at = to
		}
		steps = append(steps, fmt.Sprintf("%s: at (%d, %d)%s", commands[i], at.x, at.y, stopped))
	}
	p = procedural.Ask(fmt.Sprintf(`A robot is on a board whose cells are (x, y) with x and y from 0 to %d. North is larger y, east is larger x. "forward n" moves it up to n cells; it stops before an obstacle and at the edge of the board. "left" and "right" turn it on the spot.
Obstacles: %s. The robot is %s.
Commands: %s.
Where is it in the end?`, side-1, strings.Join(texts, ", "), start, strings.Join(commands, ", ")), "its cell as (x, y)", fmt.Sprintf("(%d, %d)", at.x, at.y), steps, "list")
	p.Concepts, p.Size = []string{"grid navigation"}, len(commands)
	return p, at != first
}
