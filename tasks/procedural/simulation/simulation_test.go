package simulation

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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

func number(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}

// TestRobotBySecondReading follows the commands of the prompt with complex numbers.
func TestRobotBySecondReading(t *testing.T) {
	cell := regexp.MustCompile(`\((\d+), (\d+)\)`)
	facing := map[string]complex128{"north": 1i, "east": 1, "south": -1i, "west": -1}
	all(Robot, 40, func(p procedural.Problem) {
		lines := strings.Split(p.Prompt, "\n")
		side := number(t, regexp.MustCompile(`from 0 to (\d+)`).FindStringSubmatch(lines[0])[1])
		var cells []complex128
		for _, m := range cell.FindAllStringSubmatch(lines[1], -1) {
			cells = append(cells, complex(float64(number(t, m[1])), float64(number(t, m[2]))))
		}
		at, walls := cells[len(cells)-1], map[complex128]bool{}
		for _, c := range cells[:len(cells)-1] {
			walls[c] = true
		}
		words := strings.Fields(strings.Trim(lines[1], "."))
		heading, ok := facing[words[len(words)-1]]
		require.True(t, ok)
		commands := strings.Split(strings.TrimSuffix(strings.TrimPrefix(lines[2], "Commands: "), "."), ", ")
		require.Len(t, commands, p.Size)
		for _, c := range commands {
			switch c {
			case "left":
				heading *= 1i
			case "right":
				heading *= -1i
			default:
				for range number(t, strings.TrimPrefix(c, "forward ")) {
					to := at + heading
					if walls[to] || real(to) < 0 || imag(to) < 0 || real(to) > float64(side) || imag(to) > float64(side) {
						break
					}
					at = to
				}
			}
		}
		require.Equal(t, fmt.Sprintf("(%v, %v)", real(at), imag(at)), p.Answer, p.Prompt)
		require.True(t, accepts(t, Robot, p, fmt.Sprintf("%v,%v", real(at), imag(at))))
		require.False(t, accepts(t, Robot, p, fmt.Sprintf("%v", real(at))))
	})
}

// TestAutomatonBySecondReading rewrites the row by the table of the prompt.
func TestAutomatonBySecondReading(t *testing.T) {
	rules := regexp.MustCompile(`([01]{3}) gives ([01])`)
	start := regexp.MustCompile(`cells is ([01]+)\.`)
	steps := regexp.MustCompile(`after (\d+) steps?\?`)
	all(Automaton, 40, func(p procedural.Problem) {
		becomes := map[string]string{}
		for _, m := range rules.FindAllStringSubmatch(p.Prompt, -1) {
			becomes[m[1]] = m[2]
		}
		require.Len(t, becomes, 8)
		row := start.FindStringSubmatch(p.Prompt)[1]
		n := number(t, steps.FindStringSubmatch(p.Prompt)[1])
		require.Equal(t, p.Size, n*len(row))
		for range n {
			ring, next := row[len(row)-1:]+row+row[:1], ""
			for i := range row {
				next += becomes[ring[i:i+3]]
			}
			row = next
		}
		require.Equal(t, row, p.Answer)
	})
}

// TestQueueByMinutes lets time pass minute by minute.
func TestQueueByMinutes(t *testing.T) {
	arrives := regexp.MustCompile(`(?m)^\w+ arrives in minute (\d+) and needs (\d+) minutes\.$`)
	counters := regexp.MustCompile(`before (\d) counters?\.`)
	all(Queue, 30, func(p procedural.Problem) {
		customers := arrives.FindAllStringSubmatch(p.Prompt, -1)
		require.Len(t, customers, p.Size)
		busy := make([]int, number(t, counters.FindStringSubmatch(p.Prompt)[1])) // minutes left at each counter
		var waiting []int                                                        // what those in the queue need
		next, waited, left := 0, 0, 0
		for minute := 0; left == 0; minute++ {
			for next < len(customers) && number(t, customers[next][1]) == minute {
				waiting = append(waiting, number(t, customers[next][2]))
				next++
			}
			idle := 0
			for i := range busy {
				if busy[i] == 0 && len(waiting) > 0 {
					busy[i], waiting = waiting[0], waiting[1:]
				}
				if busy[i] == 0 {
					idle++
				} else {
					busy[i]--
				}
			}
			waited += len(waiting)
			if idle == len(busy) && next == len(customers) {
				left = minute
			}
		}
		want := waited
		if strings.Contains(p.Prompt, "last customer") {
			want = left
		}
		require.Equal(t, strconv.Itoa(want), p.Answer, p.Prompt)
	})
}

// TestMazeTakesAllShortestWays finds distances by relaxing all cells until nothing changes, and counts shortest ways by walking down them.
func TestMazeTakesAllShortestWays(t *testing.T) {
	several := 0
	all(Maze, 20, func(p procedural.Problem) {
		rows := strings.Fields(p.Meta["maze"])
		require.Contains(t, p.Prompt, strings.Join(rows, "\n"))
		at := func(c byte) (x, y int) {
			for y, row := range rows {
				if x := strings.IndexByte(row, c); x >= 0 {
					return x, y
				}
			}
			t.Fatal("no", string(c))
			return 0, 0
		}
		const far = 1 << 20
		distance := make([][]int, len(rows))
		for y, row := range rows {
			distance[y] = make([]int, len(row))
			for x := range row {
				distance[y][x] = far
			}
		}
		gx, gy := at('G')
		distance[gy][gx] = 0
		get := func(x, y int) int {
			if y < 0 || y >= len(rows) || x < 0 || x >= len(rows[y]) || rows[y][x] == '#' {
				return far
			}
			return distance[y][x]
		}
		for changed := true; changed; {
			changed = false
			for y, row := range rows {
				for x := range row {
					d := 1 + min(get(x-1, y), get(x+1, y), get(x, y-1), get(x, y+1))
					if row[x] != '#' && d < distance[y][x] {
						distance[y][x], changed = d, true
					}
				}
			}
		}
		x, y := at('S')
		require.Equal(t, distance[y][x], p.Size)
		require.Len(t, p.Answer, p.Size)
		var ways []string
		var walk func(x, y int, way string)
		walk = func(x, y int, way string) {
			d := get(x, y)
			if d == 0 {
				ways = append(ways, way)
				return
			}
			for _, m := range []struct {
				name string
				x, y int
			}{{"U", x, y - 1}, {"D", x, y + 1}, {"L", x - 1, y}, {"R", x + 1, y}} {
				if get(m.x, m.y) == d-1 {
					walk(m.x, m.y, way+m.name)
				}
			}
		}
		walk(x, y, "")
		for _, way := range ways {
			require.True(t, accepts(t, Maze, p, way), way)
		}
		if len(ways) > 1 {
			several++
		}
		back := map[byte]string{'U': "D", 'D': "U", 'L': "R", 'R': "L"}
		require.False(t, accepts(t, Maze, p, p.Answer[:1]+back[p.Answer[0]]+p.Answer), "a way with a detour")
	})
	require.Positive(t, several)
}
