package check

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Program is what problems have in Meta["check"] whose answers are programs. No checker runs programs: package reward/code does, in a sandbox.
const Program = "program"

// maxAnswer bounds an answer, in bytes; longer ones are wrong. The longest answer that a generator asks for has some hundred.
const maxAnswer = 4096

// checker judges an answer that has been through plain. An error says that the problem cannot be read.
type checker func(answer, gold string, meta map[string]string) (bool, error)

var checkers = map[string]checker{
	"assignment": assignment, // name=value, …, in any order
	"automaton":  cells,      // cells as 0 and 1
	"balance":    balance,    // coefficients of a chemical equation
	"bezout":     bezout,     // x, y with a*x + b*y = c
	"colouring":  colouring,  // node=colour, …, neighbours differ
	"countdown":  countdown,  // an expression that makes the target from the numbers
	"list":       list,       // values in the gold answer's order
	"maze":       maze,       // moves, as few as the gold answer's
	"number":     number,     // one number
	"path":       path,       // nodes, as short as the gold answer's path
	"set":        set,        // values in any order
	"sudoku":     sudoku,     // the filled grid
	"word":       word,       // one name or word
}

// Names lists the checkers, sorted.
func Names() []string { return slices.Sorted(maps.Keys(checkers)) }

// Known refuses a name that no checker has.
func Known(name string) error {
	switch _, ok := checkers[name]; {
	case ok:
		return nil
	case name == Program:
		return errors.New("check: a program is judged by running its tests, with the part code in place of correct")
	}
	return fmt.Errorf("check: unknown %q; known: %s", name, strings.Join(Names(), ", "))
}

// Answer says whether the answer is right, by the checker with the given name. The answer is what the response gives as its last word, without
// \boxed. An error says that the problem cannot be judged, and nothing about the answer.
func Answer(name, answer, gold string, meta map[string]string) (bool, error) {
	if err := Known(name); err != nil {
		return false, err
	}
	if len(answer) > maxAnswer {
		return false, nil
	}
	right, err := checkers[name](plain(answer), plain(gold), meta)
	if err != nil {
		return false, fmt.Errorf("check: %s: %w", name, err)
	}
	return right, nil
}

// latex is what does not change an answer, or says in LaTeX what ASCII says too.
var latex = strings.NewReplacer(
	`\left`, "", `\right)`, ")", `\right]`, "]", `\right\}`, "}", `\rightarrow`, "->", `\longrightarrow`, "->", `\to`, "->",
	`\times`, "*", `\cdot`, "*", `\div`, "/", `\dfrac`, `\frac`, `\tfrac`, `\frac`, `\texttt`, "", `\textbf`, "", `\text`, "", `\mathrm`, "", `\mathtt`, "", `\mathbf`, "",
	`\quad`, " ", `\;`, " ", `\,`, " ", `\!`, "", `\ `, " ", `\_`, "_", `\%`, "%", `\{`, "{", `\}`, "}", "$", "", "~", " ", "`", "",
	"×", "*", "·", "*", "÷", "/", "−", "-", "–", "-", "→", "->", "⟶", "->", "\u00a0", " ", "\t", " ", "\r", " ", "\n", " ",
)

// plain writes an answer in ASCII where it can, on one line and without space around it.
func plain(s string) string {
	s = strings.TrimSpace(latex.Replace(s))
	return strings.TrimSpace(strings.TrimSuffix(s, "."))
}
