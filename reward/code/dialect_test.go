package code

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// leftOut skips a test where each process takes a second to start, under the race detector.
func leftOut(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("hundreds of processes; left out by -short")
	}
}

// TestReferencesInStarlark judges the reference answers. None is wrong; how many have a verdict is logged.
func TestReferencesInStarlark(t *testing.T) {
	leftOut(t)
	for _, set := range []string{"HumanEval", "MBPP"} {
		t.Run(set, func(t *testing.T) {
			_, programs := references(t, set)
			start, correct := time.Now(), 0
			for _, j := range verifyAll(t, programs, Limits{Sandbox: Starlark}) {
				assert.NotEqual(t, Wrong, j.Verdict, j.Detail)
				if j.Verdict == Correct {
					correct++
				}
			}
			t.Logf("%d of %d reference answers are correct, the others have no verdict; %.0f a second", correct, len(programs), float64(len(programs))/time.Since(start).Seconds())
			assert.Greater(t, float64(correct), 0.7*float64(len(programs)))
		})
	}
}

func TestStarlarkJudgesNoGo(t *testing.T) {
	j := Verify(t.Context(), Program{Language: "go", Completion: "func F() {}", Tests: "func TestF(t *testing.T) {}"}, Limits{Sandbox: Starlark})
	assert.Equal(t, Error, j.Verdict)
	assert.Contains(t, j.Detail, "go")
}

// TestStarlarkAgreesWithPython judges reference answers and changed ones both ways: where Starlark has a verdict, it is Python's. How many have one is logged.
func TestStarlarkAgreesWithPython(t *testing.T) {
	leftOut(t)
	needsSandbox(t)
	var names []string
	var programs []Program
	for kind, all := range mutants(t) {
		for i, name := range slices.Sorted(maps.Keys(all)) {
			if i%*every != 0 {
				continue
			}
			names, programs = append(names, name+", "+kind), append(programs, all[name])
		}
	}
	limits := Limits{Timeout: 5 * time.Second, Sandbox: Starlark}
	as := verifyAll(t, programs, limits)
	count := map[Verdict]int{}
	var asked []Program
	var at []int
	for i, j := range as {
		count[j.Verdict]++
		if j.Verdict != Error {
			asked, at = append(asked, programs[i]), append(at, i)
		}
	}
	t.Logf("changed answers in Starlark: %d wrong, %d correct, %d without a verdict", count[Wrong], count[Correct], count[Error])
	limits.Sandbox = Bubblewrap
	for n, j := range verifyAll(t, asked, limits) {
		assert.Equal(t, j.Verdict, as[at[n]].Verdict, "%s: %v in Starlark, %v in Python", names[at[n]], as[at[n]], j)
	}
}
