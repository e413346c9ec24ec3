package math

import (
	"fmt"
	"math/rand/v2"
	"strconv"

	"temper/tasks/procedural"
)

// Arithmetic asks for the value of an expression in whole numbers.
var Arithmetic = procedural.Generator{
	Name: "arithmetic", Domain: domain, What: "the value of an expression with +, - and *",
	Dial: "operations, from 1 to 10, and numbers, up to 20 and 110", Measure: "operations", Make: makeArithmetic,
}

// node is a number or an operation on two nodes.
type node struct {
	op          byte // 0 for a number
	value       int
	left, right *node
}

var operationNames = map[byte]string{'+': "addition", '-': "subtraction", '*': "multiplication"}

func makeArithmetic(rng *rand.Rand, difficulty int) procedural.Problem {
	tree := growNode(rng, difficulty, 10+10*difficulty)
	var steps, concepts []string
	value := tree.work(func(op byte, a, b, c int) {
		steps = append(steps, fmt.Sprintf("%s %c %s = %d", signed(a), op, signed(b), c))
		concepts = append(concepts, operationNames[op])
	})
	p := procedural.Ask(fmt.Sprintf("What is %s?", tree.text()), "a whole number", strconv.Itoa(value), steps, "number")
	p.Concepts, p.Size = procedural.Distinct(concepts), difficulty
	return p
}

// growNode draws an expression with the given number of operations and numbers from 2 to most; products have one factor of at most 12, so that
// values stay within nineteen digits.
func growNode(rng *rand.Rand, operations, most int) *node {
	if operations == 0 {
		return &node{value: procedural.Between(rng, 2, most)}
	}
	n := &node{op: procedural.Pick(rng, []byte{'+', '-', '*'})}
	onLeft := rng.IntN(operations)
	if n.op == '*' {
		n.left, n.right = growNode(rng, operations-1, most), growNode(rng, 0, min(most, 12))
		return n
	}
	n.left, n.right = growNode(rng, onLeft, most), growNode(rng, operations-1-onLeft, most)
	return n
}

// work evaluates the tree, from its leaves on, and tells each step.
func (n *node) work(tell func(op byte, a, b, c int)) int {
	if n.op == 0 {
		return n.value
	}
	a, b := n.left.work(tell), n.right.work(tell)
	c := 0
	switch n.op {
	case '+':
		c = a + b
	case '-':
		c = a - b
	case '*':
		c = a * b
	}
	tell(n.op, a, b, c)
	return c
}

// text writes the tree with the parentheses that it needs.
func (n *node) text() string {
	if n.op == 0 {
		return strconv.Itoa(n.value)
	}
	left, right := n.left.text(), n.right.text()
	if n.op == '*' && n.left.op != 0 && n.left.op != '*' {
		left = "(" + left + ")"
	}
	if n.right.op == '+' || n.right.op == '-' {
		right = "(" + right + ")"
	}
	return fmt.Sprintf("%s %c %s", left, n.op, right)
}

// signed puts a negative number in parentheses.
func signed(n int) string {
	if n < 0 {
		return fmt.Sprintf("(%d)", n)
	}
	return strconv.Itoa(n)
}
