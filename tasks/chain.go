package tasks

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

const (
	// Operations are the letters of the chain domain's operations, sorted.
	Operations = "abcdefmn"
	// maxSteps bounds the length of a chain: 32 steps are about 400 characters of demonstration.
	maxSteps = 32
)

// Alphabet holds every character that prompts and demonstrations of the chain domain can have.
func Alphabet() string { return "0123456789" + Operations + "=;#?:" }

// apply is the domain's calculator for one step; ok is false for a letter that is no operation.
func apply(op byte, x, y int) (z int, ok bool) {
	switch op {
	case 'a':
		return (x + y) % 100, true
	case 'b':
		return (x - y + 100) % 100, true
	case 'c':
		if y%2 == 1 {
			return (x + 11) % 100, true
		}
		return (x + 5) % 100, true
	case 'd':
		return x/10*10 + y%10, true
	case 'e':
		return y/10*10 + x%10, true
	case 'f':
		return x%10*10 + y/10, true
	case 'm':
		return max(x, y), true
	case 'n':
		return min(x, y), true
	}
	return 0, false
}

// chain is a problem as numbers.
type chain struct {
	start    int
	ops      []byte
	operands []int
	tag      bool
}

func (c chain) body() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%02d", c.start)
	for i, op := range c.ops {
		fmt.Fprintf(&b, "%c%02d", op, c.operands[i])
	}
	return b.String()
}

func (c chain) prompt() string {
	if c.tag {
		return strings.Join(c.concepts(), "") + ":" + c.body() + "?"
	}
	return c.body() + "?"
}

func (c chain) concepts() []string {
	ops := slices.Sorted(slices.Values(c.ops))
	var out []string
	for _, op := range slices.Compact(ops) {
		out = append(out, string(op))
	}
	return out
}

// solve works the chain out; result changes the value of a step where it is not nil (to make noisy demonstrations).
func (c chain) solve(result func(step, z int) int) (answer int, steps []string) {
	x := c.start
	for i, op := range c.ops {
		z, _ := apply(op, x, c.operands[i])
		if result != nil {
			z = result(i, z)
		}
		steps = append(steps, fmt.Sprintf("%02d%c%02d=%02d", x, op, c.operands[i], z))
		x = z
	}
	return x, steps
}

func demonstration(steps []string, answer int) string {
	return fmt.Sprintf("%s#%02d", strings.Join(steps, ";"), answer)
}

func (c chain) problem() Problem {
	answer, steps := c.solve(nil)
	return Problem{
		ID: "chain:" + c.body(), Prompt: c.prompt(), Answer: fmt.Sprintf("%02d", answer), Solution: demonstration(steps, answer),
		Concepts: c.concepts(), Difficulty: len(c.ops), Source: "chain", Meta: map[string]string{"answer": "hash"},
	}
}

// Solve is the exact calculator of the chain domain: it parses a prompt, with or without its tag, and refuses any other text.
func Solve(prompt string) (answer, solution string, concepts []string, difficulty int, err error) {
	c, err := parseChain(prompt)
	if err != nil {
		return "", "", nil, 0, fmt.Errorf("tasks: chain problem %.80q: %w", prompt, err)
	}
	p := c.problem()
	return p.Answer, p.Solution, p.Concepts, p.Difficulty, nil
}

// ParseProblem makes a written prompt into a full problem, with the exact answer; it refuses what Solve refuses.
func ParseProblem(prompt string) (Problem, error) {
	c, err := parseChain(prompt)
	if err != nil {
		return Problem{}, fmt.Errorf("tasks: chain problem %.80q: %w", prompt, err)
	}
	return c.problem(), nil
}

func parseChain(prompt string) (chain, error) {
	var c chain
	tag, rest, tagged := strings.Cut(prompt, ":")
	if !tagged {
		rest = prompt
	}
	body, ok := strings.CutSuffix(rest, "?")
	if !ok {
		return c, errors.New("does not end in '?'")
	}
	if len(body) < 5 || (len(body)-2)%3 != 0 {
		return c, errors.New("is not a number followed by steps of a letter and two digits")
	}
	if steps := (len(body) - 2) / 3; steps > maxSteps {
		return c, fmt.Errorf("has %d steps, more than %d", steps, maxSteps)
	}
	var err error
	if c.start, err = twoDigits(body[:2]); err != nil {
		return c, err
	}
	for i := 2; i < len(body); i += 3 {
		if strings.IndexByte(Operations, body[i]) < 0 {
			return c, fmt.Errorf("unknown operation %q; known: %s", body[i], Operations)
		}
		y, err := twoDigits(body[i+1 : i+3])
		if err != nil {
			return c, err
		}
		c.ops, c.operands = append(c.ops, body[i]), append(c.operands, y)
	}
	if want := strings.Join(c.concepts(), ""); tagged && tag != want {
		return c, fmt.Errorf("is tagged %q, its operations are %q", tag, want)
	}
	c.tag = tagged
	return c, nil
}

func twoDigits(s string) (int, error) {
	if s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' {
		return 0, fmt.Errorf("%q are not two digits", s)
	}
	return int(s[0]-'0')*10 + int(s[1]-'0'), nil
}

// Compose makes a new problem of the given number of steps that has each of the operations at least once, as far as the steps
// suffice (the first ones otherwise), in an order that rng decides; the remaining steps repeat operations of the list.
func Compose(ops []string, steps int, rng *rand.Rand) (Problem, error) {
	if len(ops) == 0 {
		return Problem{}, errors.New("tasks: compose a chain: needs at least one operation")
	}
	if steps < 1 || steps > maxSteps {
		return Problem{}, fmt.Errorf("tasks: compose a chain: steps must lie in [1, %d], is %d", maxSteps, steps)
	}
	for _, op := range ops {
		if len(op) != 1 || !strings.Contains(Operations, op) {
			return Problem{}, fmt.Errorf("tasks: compose a chain: unknown operation %q; known: %s", op, Operations)
		}
	}
	c := chain{start: rng.IntN(100)}
	for i := range steps {
		op := ops[min(i, len(ops)-1)]
		if i >= len(ops) {
			op = ops[rng.IntN(len(ops))]
		}
		c.ops, c.operands = append(c.ops, op[0]), append(c.operands, rng.IntN(100))
	}
	rng.Shuffle(steps, func(i, j int) { c.ops[i], c.ops[j] = c.ops[j], c.ops[i] })
	return c.problem(), nil
}

// counterRNG is the generator for item i of a seed: every item has its own, so that none depends on the others.
func counterRNG(seed uint64, i int) *rand.Rand { return rand.New(rand.NewPCG(seed, mix(uint64(i)))) }

// mix is the finaliser of SplitMix64: neighbouring counters become unrelated seeds.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// chainAt draws problem i: the number of steps, then the chain, then what is spoilt. What is spoilt is drawn last, so two sources
// that differ in noise, direct or mislabel alone ask the same questions.
func (s Source) chainAt(i int) (Problem, error) {
	lo, hi, ops := 1, 3, s.concepts()
	if len(s.Difficulty) == 2 {
		lo, hi = s.Difficulty[0], s.Difficulty[1]
	}
	if len(ops) == 0 {
		ops = strings.Split(Operations, "")
	}
	if lo < 1 || hi < lo {
		return Problem{}, fmt.Errorf("tasks: %s: difficulty: must be [lo, hi] with 1 <= lo <= hi, is %v", s, s.Difficulty)
	}
	rng := counterRNG(s.Seed, i)
	c := chain{tag: s.Tag}
	steps := lo + rng.IntN(hi-lo+1)
	c.start = rng.IntN(100)
	for range steps {
		c.ops = append(c.ops, ops[rng.IntN(len(ops))][0])
		c.operands = append(c.operands, rng.IntN(100))
	}
	p := c.problem()
	s.spoil(&p, c, rng)
	return p, nil
}

// spoil applies noise, direct and mislabel to the problem's demonstration and answer.
func (s Source) spoil(p *Problem, c chain, rng *rand.Rand) {
	if s.Noise == 0 && s.Direct == 0 && s.Mislabel == 0 {
		return
	}
	noisy, last := false, len(c.ops)-1
	mislabel := rng.Float64() < s.Mislabel
	final, steps := c.solve(func(step, z int) int {
		if mislabel && step == last {
			truth, _ := c.solve(nil)
			return wrongValue(truth, rng)
		}
		if rng.Float64() < s.Noise {
			noisy = true
			return wrongValue(z, rng)
		}
		return z
	})
	p.Solution = demonstration(steps, final)
	if rng.Float64() < s.Direct {
		p.Solution = demonstration(nil, final)
	}
	if mislabel {
		p.Answer = fmt.Sprintf("%02d", final)
		p.Meta["mislabelled"] = "true"
	}
	if noisy {
		p.Meta["noisy"] = "true"
	}
}

// wrongValue is another number: off by one or by ten, in either direction, or any, each with a fifth of the chance.
func wrongValue(z int, rng *rand.Rand) int {
	delta := []int{1, 99, 10, 90, 1 + rng.IntN(99)}[rng.IntN(5)]
	return (z + delta) % 100
}
