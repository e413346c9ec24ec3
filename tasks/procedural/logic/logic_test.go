package logic

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/tasks/procedural"
)

// some calls f with n problems of each difficulty from lo to hi.
func some(g procedural.Generator, lo, hi, n int, f func(p procedural.Problem)) {
	for d := lo; d <= hi; d++ {
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

// TestKnightsHaveOneSolution reads the claims of the prompt and tries all assignments.
func TestKnightsHaveOneSolution(t *testing.T) {
	said := regexp.MustCompile(`(?m)^(\w+) says: (.*)$`)
	forms := []struct {
		pattern *regexp.Regexp
		holds   func(m []string, speaker string, knight map[string]bool) bool
	}{
		{regexp.MustCompile(`^(\w+) is a (knight|knave)\.$`), func(m []string, _ string, k map[string]bool) bool { return k[m[1]] == (m[2] == "knight") }},
		{regexp.MustCompile(`^(\w+) and I are of the same kind\.$`), func(m []string, speaker string, k map[string]bool) bool { return k[m[1]] == k[speaker] }},
		{regexp.MustCompile(`^(\w+) and (\w+) are of different kinds\.$`), func(m []string, _ string, k map[string]bool) bool { return k[m[1]] != k[m[2]] }},
		{regexp.MustCompile(`^The number of knights among us is (\d)\.$`), func(m []string, _ string, k map[string]bool) bool {
			n := 0
			for _, is := range k {
				if is {
					n++
				}
			}
			return strconv.Itoa(n) == m[1]
		}},
		{regexp.MustCompile(`^(\w+) is a (knight|knave), or (\w+) is a knave, or both\.$`), func(m []string, _ string, k map[string]bool) bool {
			return k[m[1]] == (m[2] == "knight") || !k[m[3]]
		}},
	}
	used := map[int]bool{}
	some(Knights, 1, 10, 30, func(p procedural.Problem) {
		claims := said.FindAllStringSubmatch(p.Prompt, -1)
		require.Len(t, claims, p.Size)
		solutions := 0
		for bits := range 1 << len(claims) {
			knight, fits, answer := map[string]bool{}, true, []string{}
			for i, c := range claims {
				knight[c[1]] = bits>>i&1 == 1
				answer = append(answer, c[1]+"="+map[bool]string{true: "knight", false: "knave"}[knight[c[1]]])
			}
			for _, c := range claims {
				known := false
				for i, f := range forms {
					if m := f.pattern.FindStringSubmatch(c[2]); m != nil {
						known, used[i] = true, true
						fits = fits && f.holds(m, c[1], knight) == knight[c[1]]
					}
				}
				require.True(t, known, c[2])
			}
			if fits {
				solutions++
			}
			require.Equal(t, fits, accepts(t, Knights, p, strings.Join(answer, ", ")), p.Prompt)
		}
		require.Equal(t, 1, solutions)
		require.Equal(t, 1, strings.Count(p.Solution, "everything fits"))
	})
	require.Len(t, used, len(forms))
}

// TestZebrasHaveOneSolution reads things and clues of the prompt and tries all arrangements.
func TestZebrasHaveOneSolution(t *testing.T) {
	listed := regexp.MustCompile(`(?m)^- ([a-z ]+): (.*)$`)
	clues := regexp.MustCompile(`(?m)^\d+\. (.*)\.$`)
	some(Zebra, 1, 6, 8, func(p procedural.Problem) {
		var lists [][]string
		for _, m := range listed.FindAllStringSubmatch(p.Prompt, -1) {
			lists = append(lists, strings.Split(m[2], ", "))
		}
		told := clues.FindAllStringSubmatch(p.Prompt, -1)
		n := len(lists[0])
		require.Equal(t, p.Size, n*len(lists))
		house := map[string]int{}
		place := func(text string) int {
			words := strings.Fields(text)
			h, ok := house[words[len(words)-1]]
			require.True(t, ok, text)
			return h
		}
		holds := func(clue string) bool {
			switch {
			case strings.Contains(clue, " is in house "):
				thing, number, _ := strings.Cut(clue, " is in house ")
				return fmt.Sprint(place(thing)+1) == number
			case strings.Contains(clue, " is in the house directly to the left of "):
				a, b, _ := strings.Cut(clue, " is in the house directly to the left of ")
				return place(a)+1 == place(b)
			}
			both, same := strings.CutSuffix(clue, " are in the same house")
			if !same {
				var ok bool
				both, ok = strings.CutSuffix(clue, " are in neighbouring houses")
				require.True(t, ok, clue)
			}
			a, b, _ := strings.Cut(both, " and ")
			d := place(a) - place(b)
			return same && d == 0 || !same && (d == 1 || d == -1)
		}
		var found []string
		var try func(attribute int)
		try = func(attribute int) {
			if attribute == len(lists) {
				for _, c := range told {
					if !holds(c[1]) {
						return
					}
				}
				var answer []string
				for _, name := range lists[0] {
					for _, last := range lists[len(lists)-1] {
						if house[name] == house[last] {
							answer = append(answer, name+"="+last)
						}
					}
				}
				found = append(found, strings.Join(answer, ", "))
				return
			}
			for _, order := range permutations(n) {
				for i, thing := range lists[attribute] {
					house[thing] = order[i]
				}
				try(attribute + 1)
			}
		}
		try(0)
		require.Len(t, found, 1, p.Prompt)
		require.True(t, accepts(t, Zebra, p, found[0]), "%s\n%s", found[0], p.Prompt)
	})
}

// TestSudokusHaveOneSolution tries all ways to fill the empty cells.
func TestSudokusHaveOneSolution(t *testing.T) {
	some(Sudoku, 1, 5, 6, func(p procedural.Problem) {
		givens := strings.ReplaceAll(p.Meta["givens"], " ", "")
		require.Equal(t, p.Size, strings.Count(givens, "."))
		require.Contains(t, p.Prompt, strings.ReplaceAll(p.Meta["givens"], " ", "\n"))
		solutions := 0
		for code := range 1 << (2 * p.Size) {
			filled := []byte(givens)
			for i := range filled {
				if filled[i] == '.' {
					filled[i] = byte('1' + code&3)
					code >>= 2
				}
			}
			if accepts(t, Sudoku, p, string(filled)) {
				solutions++
				require.Equal(t, strings.ReplaceAll(p.Answer, " ", ""), string(filled))
			}
		}
		require.Equal(t, 1, solutions)
	})
	some(Sudoku, 6, 10, 10, func(p procedural.Problem) {
		require.Equal(t, p.Size, strings.Count(p.Solution, "Row "), "a step for each empty cell")
	})
}

// TestShortestPathsAreAllAccepted tries all simple paths.
func TestShortestPathsAreAllAccepted(t *testing.T) {
	several := 0
	some(Paths, 1, 7, 15, func(p procedural.Problem) {
		lengths := map[[2]string]int{}
		for _, e := range strings.Fields(p.Meta["edges"]) {
			n, err := strconv.Atoi(e[4:])
			require.NoError(t, err)
			lengths[[2]string{e[:1], e[2:3]}], lengths[[2]string{e[2:3], e[:1]}] = n, n
		}
		best, byLength := 1<<30, map[int][]string{}
		var walk func(path []string, length int)
		walk = func(path []string, length int) {
			at := path[len(path)-1]
			if at == p.Meta["to"] {
				best = min(best, length)
				byLength[length] = append(byLength[length], strings.Join(path, "-"))
				return
			}
			for e, n := range lengths {
				if e[0] == at && !slices.Contains(path, e[1]) {
					walk(append(slices.Clone(path), e[1]), length+n)
				}
			}
		}
		walk([]string{p.Meta["from"]}, 0)
		for length, paths := range byLength {
			for _, path := range paths {
				require.Equal(t, length == best, accepts(t, Paths, p, path), "%s\n%s", path, p.Prompt)
			}
		}
		if len(byLength[best]) > 1 {
			several++
		}
	})
	require.Positive(t, several, "no problem had two shortest paths")
}

// TestColouringsAreAllAccepted tries all assignments of colours.
func TestColouringsAreAllAccepted(t *testing.T) {
	some(Colouring, 1, 4, 10, func(p procedural.Problem) {
		right := 0
		for code := range pow(3, p.Size) {
			colour, answer := map[string]int{}, []string{}
			for i := range p.Size {
				name := string(rune('A' + i))
				colour[name] = code % 3
				code /= 3
				answer = append(answer, name+"="+colours[colour[name]])
			}
			proper := true
			for _, e := range strings.Fields(p.Meta["edges"]) {
				a, b, _ := strings.Cut(e, "-")
				proper = proper && colour[a] != colour[b]
			}
			if proper {
				right++
			}
			require.Equal(t, proper, accepts(t, Colouring, p, strings.Join(answer, ", ")))
		}
		require.GreaterOrEqual(t, right, 6, "colours can always be exchanged")
	})
}

func pow(b, e int) int {
	if e == 0 {
		return 1
	}
	return b * pow(b, e-1)
}
