package logic

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"temper/tasks/procedural"
)

// Knights asks who tells the truth.
var Knights = procedural.Generator{
	Name: "knights", Domain: domain, What: "who is a knight and tells the truth, and who is a knave and lies",
	Dial: "persons, from 2 to 7", Measure: "persons", Make: makeKnights,
}

// claim is what one person says.
type claim struct {
	text  string
	holds func(knight []bool) bool
}

func makeKnights(rng *rand.Rand, difficulty int) procedural.Problem {
	n := 2 + difficulty/2
	for {
		names := procedural.Some(rng, procedural.Persons, n)
		claims := make([]claim, n)
		for i := range claims {
			claims[i] = drawClaim(rng, names, i)
		}
		solutions := islanders(claims, 2)
		if len(solutions) != 1 {
			continue
		}
		var said, answer []string
		for i, name := range names {
			said = append(said, fmt.Sprintf("%s says: %s", name, claims[i].text))
			answer = append(answer, name+"="+kind(solutions[0][i]))
		}
		p := procedural.Ask(fmt.Sprintf("On an island everybody is either a knight, who always tells the truth, or a knave, who always lies.\n%s\nWho is what?", strings.Join(said, "\n")),
			"a list of all names, as in Name=knight, Name=knave", strings.Join(answer, ", "), suppose(names, claims), "assignment")
		p.Concepts, p.Size = []string{"knights and knaves"}, n
		return p
	}
}

func kind(knight bool) string {
	if knight {
		return "knight"
	}
	return "knave"
}

func drawClaim(rng *rand.Rand, names []string, speaker int) claim {
	others := []int{}
	for i := range names {
		if i != speaker {
			others = append(others, i)
		}
	}
	a := procedural.Pick(rng, others)
	b := procedural.Pick(rng, others)
	for len(others) > 1 && a == b {
		b = procedural.Pick(rng, others)
	}
	truth := rng.IntN(2) == 0
	most := 5
	if a == b {
		most = 3 // two persons: claims about two others do not apply
	}
	switch rng.IntN(most) {
	case 0:
		return claim{fmt.Sprintf("%s is a %s.", names[a], kind(truth)), func(k []bool) bool { return k[a] == truth }}
	case 1:
		return claim{fmt.Sprintf("%s and I are of the same kind.", names[a]), func(k []bool) bool { return k[a] == k[speaker] }}
	case 2:
		number := procedural.Between(rng, 1, len(names)-1)
		return claim{fmt.Sprintf("The number of knights among us is %d.", number), func(k []bool) bool { return knights(k) == number }}
	case 3:
		return claim{fmt.Sprintf("%s is a %s, or %s is a knave, or both.", names[a], kind(truth), names[b]), func(k []bool) bool { return k[a] == truth || !k[b] }}
	}
	return claim{fmt.Sprintf("%s and %s are of different kinds.", names[a], names[b]), func(k []bool) bool { return k[a] != k[b] }}
}

func knights(k []bool) (n int) {
	for _, is := range k {
		if is {
			n++
		}
	}
	return n
}

// liar is the first person whose claim does not fit what the person is, or -1.
func liar(claims []claim, k []bool) int {
	for i, c := range claims {
		if c.holds(k) != k[i] {
			return i
		}
	}
	return -1
}

// islanders searches all assignments for those that fit the claims, up to most of them.
func islanders(claims []claim, most int) [][]bool {
	var out [][]bool
	for bits := range 1 << len(claims) {
		if k := assigned(bits, len(claims)); liar(claims, k) < 0 {
			if out = append(out, k); len(out) == most {
				break
			}
		}
	}
	return out
}

// assigned makes person i a knave where bit n-1-i is set, so that counting up changes the last person first.
func assigned(bits, n int) []bool {
	k := make([]bool, n)
	for i := range k {
		k[i] = bits>>(n-1-i)&1 == 0
	}
	return k
}

// suppose goes through the assignments and says whose claim does not fit. Assignments that begin with the same persons are told at once where the
// claim does not fit whatever the others are.
func suppose(names []string, claims []claim) []string {
	var steps []string
	n := len(claims)
	for prefix := 0; prefix < 1<<n; {
		k := assigned(prefix, n)
		// The fewest first persons who already contradict each other, whatever the others are.
		shown, who := n, liar(claims, k)
		for m := 1; m < n && who >= 0; m++ {
			if i := always(claims, prefix, m); i >= 0 {
				shown, who = m, i
				break
			}
		}
		var parts []string
		for i := range shown {
			parts = append(parts, fmt.Sprintf("%s a %s", names[i], kind(k[i])))
		}
		text := "Suppose " + strings.Join(parts, ", ")
		if who < 0 {
			steps = append(steps, text+": everything fits.")
		} else {
			steps = append(steps, fmt.Sprintf("%s: then what %s says does not fit.", text, names[who]))
		}
		prefix += 1 << (n - shown)
	}
	return steps
}

// always is a person whose claim does not fit what the person is, for all assignments that begin with the first m persons of bits; -1 if there is none.
func always(claims []claim, bits, m int) int {
	n := len(claims)
	for who := range m {
		every := true
		for rest := range 1 << (n - m) {
			k := assigned(bits>>(n-m)<<(n-m)|rest, n)
			if claims[who].holds(k) == k[who] {
				every = false
				break
			}
		}
		if every {
			return who
		}
	}
	return -1
}
