package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"temper/tasks/procedural"
)

// Queue asks how long customers wait at some counters.
var Queue = procedural.Generator{
	Name: "queue", Domain: domain, What: "how long customers wait in one queue before one to three counters",
	Dial: "customers, from 3 to 12, and counters, from 1 to 3", Measure: "customers", Make: makeQueue,
}

func makeQueue(rng *rand.Rand, difficulty int) procedural.Problem {
	for {
		if p, waited := drawQueue(rng, difficulty+2, 1+(difficulty-1)/4); waited {
			return p
		}
	}
}

// drawQueue draws a problem with n customers; waited is false where nobody has to wait.
func drawQueue(rng *rand.Rand, n, counters int) (p procedural.Problem, waited bool) {
	names := procedural.Persons[:n]
	now, total, last := 0, 0, 0
	free := make([]int, counters) // when each counter is free
	var told, steps []string
	for _, name := range names {
		now += procedural.Between(rng, 0, 4) + 1
		needs := procedural.Between(rng, 2*counters, 5*counters)
		told = append(told, fmt.Sprintf("%s arrives in minute %d and needs %d minutes.", name, now, needs))
		at := slices.Index(free, slices.Min(free))
		begins := max(now, free[at])
		free[at] = begins + needs
		total += begins - now
		last = max(last, free[at])
		steps = append(steps, fmt.Sprintf("%s goes to counter %d in minute %d after waiting %d, and leaves in minute %d. Waited so far: %d.", name, at+1, begins, begins-now, free[at], total))
	}
	question, answer := "How many minutes do all customers together wait before they are served?", total
	if rng.IntN(2) == 0 {
		question, answer = "In which minute does the last customer to be done leave?", last
	}
	p = procedural.Ask(fmt.Sprintf("There is one queue before %s. Customers are served in the order of arrival, each by the counter that is free first.\n%s\n%s",
		map[bool]string{true: "1 counter", false: fmt.Sprintf("%d counters", counters)}[counters == 1], strings.Join(told, "\n"), question), "a whole number", strconv.Itoa(answer), steps, "number")
	p.Concepts, p.Size = []string{"queues"}, n
	return p, total > 0
}
