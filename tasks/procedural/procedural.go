// Package procedural is what all generators of problems have in common: what a generator is, and how a problem is put together. The generators
// are in the folders below, one folder for each domain and one file for each generator; package tasks lists them all.
//
// It may import the standard library and the checkers of answers (reward/check).
package procedural

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"temper/reward/check"
)

// The dial: every generator makes problems of difficulty 1 to 10.
const (
	Easiest = 1
	Hardest = 10
)

// Problem is one thing to solve. Everything in it is ASCII.
type Problem struct {
	Prompt   string            // the question, and the form that the answer should have
	Answer   string            // a right answer; where there are several, the checker accepts the others too
	Solution string            // steps that end with the answer in \boxed{…}; for programs, the program in a Markdown fence
	Concepts []string          // what must be known to solve it, sorted and distinct
	Size     int               // what Generator.Measure names
	Meta     map[string]string // "answer" and "check" for the reward, and what the checker needs
}

// Generator makes problems of one kind.
type Generator struct {
	Name    string // as a pipeline's YAML has it
	Domain  string // the folder
	What    string // what is asked, in a line
	Dial    string // what difficulty changes
	Measure string // what Problem.Size counts; it does not fall as difficulty rises
	Make    func(rng *rand.Rand, difficulty int) Problem
}

// Generate makes the problem that rng decides. Difficulty must lie in [Easiest, Hardest].
func (g Generator) Generate(rng *rand.Rand, difficulty int) Problem { return g.Make(rng, difficulty) }

// Check says whether the answer, given without \boxed, is right. Programs are not judged here: that is an error.
func (g Generator) Check(p Problem, answer string) (bool, error) {
	right, err := check.Answer(p.Meta["check"], answer, p.Answer, p.Meta)
	if err != nil {
		return false, fmt.Errorf("%s: %w", g.Name, err)
	}
	return right, nil
}

// Ask puts a problem together: the question, what \boxed{} should hold, the answer, the steps to it and the checker with what it needs, in pairs.
func Ask(question, form, answer string, steps []string, checker string, pairs ...string) Problem {
	p := Problem{
		Prompt:   fmt.Sprintf("%s\n\nEnd with \\boxed{...} around the answer, which is %s.", question, form),
		Answer:   answer,
		Solution: fmt.Sprintf("%s\nThe answer is \\boxed{%s}.", strings.Join(steps, "\n"), answer),
		Meta:     map[string]string{"answer": "checked", "check": checker},
	}
	for i := 0; i < len(pairs); i += 2 {
		p.Meta[pairs[i]] = pairs[i+1]
	}
	return p
}

// Write puts a problem together that asks for a program.
func Write(question, language, program, tests string) Problem {
	return Problem{
		Prompt:   fmt.Sprintf("%s\n\nGive the whole program in one Markdown fence marked %s.", question, language),
		Answer:   program,
		Solution: fmt.Sprintf("```%s\n%s```", language, program),
		Meta:     map[string]string{"answer": "checked", "check": check.Program, "language": language, "tests": tests},
	}
}
