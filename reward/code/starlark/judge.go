package starlark

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Program is an answer and its tests, in Python.
type Program struct {
	Answer string `json:"answer"`
	Tests  string `json:"tests"` // assertions, and functions test_* that are called
}

// Outcome is what became of a program.
type Outcome struct {
	Verdict string `json:"verdict"` // correct, wrong or error, as in package code
	Detail  string `json:"detail"`
}

// judge runs the answer, then its tests with the answer's names. An answer's functions cannot tell the tests' own apart, and have no way to
// the verdict: there are no objects that equal everything, no exits, nothing to write to.
func judge(p Program) Outcome {
	d := &doubts{}
	err := d.judge(p)
	switch {
	case err == nil:
		return Outcome{"correct", ""}
	case d.of != "" && errors.As(err, new(failed)):
		return Outcome{"error", err.Error() + " fails, and depends on " + d.of}
	}
	return outcome(err)
}

func (d *doubts) judge(p Program) error {
	answer, _, err := run("answer", p.Answer, d.builtins())
	if err != nil {
		return err
	}
	asked, err := words(p.Tests)
	if err != nil {
		return err
	}
	names := d.builtins()
	for _, name := range answer.Keys() {
		switch {
		case names.Has(name) || starlark.Universe.Has(name):
			// An abs of the answer's own would pass any test by abs; one that is asked for must not be taken for Starlark's.
			if asked[name] {
				return refused("the answer defines " + name + ", which tests use")
			}
		case !strings.HasPrefix(name, "_"):
			names[name] = answer[name]
		}
	}
	tests, reached, err := run("tests", p.Tests, names)
	if err != nil {
		return err
	}
	for _, name := range tests.Keys() {
		f, ok := tests[name].(*starlark.Function)
		if !ok || !strings.HasPrefix(name, "test") {
			continue
		}
		if _, err := starlark.Call(thread("tests"), f, nil, nil); err != nil {
			return err
		}
	}
	if *reached == 0 {
		return refused("the tests assert nothing")
	}
	return nil
}

// failed is an assertion that does not hold.
type failed string

func (f failed) Error() string { return string(f) }

// run runs a module and counts the assertions that hold.
func run(name, python string, names starlark.StringDict) (starlark.StringDict, *int, error) {
	t, err := translate(python)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	reached := new(int)
	names[own+"assert"] = starlark.NewBuiltin("assert", two(func(holds, number starlark.Value) (starlark.Value, error) {
		if !holds.Truth() {
			return nil, failed("assert " + t.asserts[must(starlark.AsInt32(number))])
		}
		*reached++
		return starlark.None, nil
	}))
	options := &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}
	file, err := options.Parse(name, t.source, 0)
	if err != nil {
		return nil, nil, refused(err.Error())
	}
	rewrite(file, name == "tests")
	program, err := starlark.FileProgram(file, names.Has)
	if err != nil {
		return nil, nil, refused(err.Error())
	}
	globals, err := program.Init(thread(name), names)
	return globals, reached, err
}

func thread(name string) *starlark.Thread { return &starlark.Thread{Name: name} }

// sameErrors are those that Python raises for the same cause.
var sameErrors = []string{"out of range", " by zero", "not in dict", "not found in list", "empty list", "invalid literal", "int: invalid"}

// outcome is a failure's verdict: wrong where Python would fail as well, otherwise error.
func outcome(err error) Outcome {
	at := ""
	var trace *starlark.EvalError
	if errors.As(err, &trace) {
		for _, frame := range trace.CallStack {
			if frame.Pos.Line > 0 {
				at = fmt.Sprintf("%s: line %d: ", frame.Pos.Filename(), frame.Pos.Line)
			}
		}
	}
	var f failed
	var r raised
	if errors.As(err, &f) || errors.As(err, &r) {
		return Outcome{"wrong", at + err.Error()}
	}
	var no refused
	if !errors.As(err, &no) && trace != nil {
		for _, a := range sameErrors {
			if strings.Contains(err.Error(), a) {
				return Outcome{"wrong", at + err.Error()}
			}
		}
	}
	return Outcome{"error", at + err.Error()}
}
