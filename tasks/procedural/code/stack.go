package code

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"temper/tasks/procedural"
)

// Stack asks what is on the stack after a program of a small stack machine.
var Stack = procedural.Generator{
	Name: "stack", Domain: domain, What: "what a program of a small machine leaves on its stack",
	Dial: "instructions, from 4 to 22", Measure: "instructions", Make: makeStack,
}

// instruction takes values from the top of the stack and puts others there, in order.
type instruction struct {
	name, does string
	takes      int
	apply      func(top []int) []int
}

var instructions = []instruction{
	{"ADD", "takes the two top numbers and pushes their sum", 2, func(t []int) []int { return []int{t[0] + t[1]} }},
	{"SUB", "takes the two top numbers and pushes the lower one minus the top one", 2, func(t []int) []int { return []int{t[0] - t[1]} }},
	{"MUL", "takes the two top numbers and pushes their product", 2, func(t []int) []int { return []int{t[0] * t[1]} }},
	{"DUP", "pushes the top number again", 1, func(t []int) []int { return []int{t[0], t[0]} }},
	{"SWAP", "exchanges the two top numbers", 2, func(t []int) []int { return []int{t[1], t[0]} }},
	{"DROP", "removes the top number", 1, func([]int) []int { return nil }},
}

func makeStack(rng *rand.Rand, difficulty int) procedural.Problem {
	for {
		stack := []int{}
		var program, steps []string
		for range 2 + 2*difficulty {
			name, next := step(rng, stack)
			stack, program = next, append(program, name)
			steps = append(steps, fmt.Sprintf("%s: %s", name, procedural.Join(stack, ", ")))
		}
		if len(stack) == 0 || large(stack) {
			continue
		}
		var rules strings.Builder
		for _, i := range instructions {
			fmt.Fprintf(&rules, "\n%s %s.", i.name, i.does)
		}
		p := procedural.Ask(fmt.Sprintf("A machine has a stack of numbers, which is empty at first. PUSH n puts n on top.%s\n\nWhat is on the stack after this program?\n\n%s",
			rules.String(), strings.Join(program, "\n")), "the numbers from the bottom to the top, with commas between them", procedural.Join(stack, ", "), steps, "list")
		p.Concepts, p.Size = []string{"stack machines"}, len(program)
		return p
	}
}

// step draws an instruction that the stack has the numbers for, and gives the stack after it. Products of large numbers are left out.
func step(rng *rand.Rand, stack []int) (name string, after []int) {
	i := procedural.Pick(rng, instructions)
	if len(stack) < i.takes || len(stack) < 2 || rng.IntN(3) == 0 {
		n := procedural.Between(rng, 1, 12)
		return fmt.Sprintf("PUSH %d", n), append(stack[:len(stack):len(stack)], n)
	}
	cut := len(stack) - i.takes
	after = append(stack[:cut:cut], i.apply(stack[cut:])...)
	if large(after) {
		return "DROP", stack[:len(stack)-1]
	}
	return i.name, after
}

// large says that a number has more than four digits.
func large(stack []int) bool {
	for _, n := range stack {
		if n > 9999 || n < -9999 {
			return true
		}
	}
	return false
}
