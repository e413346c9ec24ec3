// Package jinja evaluates chat templates: the part of Jinja (https://jinja.palletsprojects.com) that the templates
// of Hugging Face tokenizers are written in, with the settings that transformers uses: trim_blocks and
// lstrip_blocks, no HTML escaping, loop controls, a {% generation %} block, tojson as json.dumps writes it.
// Values are Python's, so that a template gives the same text here as there. A template comes with a model and is
// not trusted: it reads what it is given, can change none of it, and is stopped when it goes on for too long.
//
// gonja (v2.7.0), which would do for plain templates, reads neither [::-1] nor {% set %} blocks, has no order in
// mappings and no loop.previtem, and writes other JSON: it fails Qwen3's template.
//
// It may import the standard library.
package jinja

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// Template is immutable after [Parse] and safe for concurrent use.
type Template struct{ body []node }

// Output is a rendered template.
type Output struct {
	Text string
	// Generation has the byte ranges [from, to) of Text that {% generation %} blocks wrote, in order.
	Generation [][2]int
}

// failure is what stops parsing or rendering; it is raised by panic and caught in [Parse] and [Template.Render].
type failure struct {
	line int
	text string
}

func (f failure) Error() string {
	if f.line == 0 {
		return f.text
	}
	return fmt.Sprintf("line %d: %s", f.line, f.text)
}

func fail(line int, format string, args ...any) {
	panic(failure{line, fmt.Sprintf(format, args...)})
}

// caught turns a failure into an error; any other panic goes on.
func caught(err *error) {
	switch r := recover().(type) {
	case nil:
	case failure:
		*err = r
	default:
		panic(r)
	}
}

// Parse reads a template. Its errors name the line.
func Parse(source string) (t *Template, err error) {
	defer caught(&err)
	p := &parser{tokens: scan(strings.ReplaceAll(source, "\r\n", "\n"))}
	return &Template{p.statements()}, nil
}

// Render evaluates the template. Variables are nil, bool, int64, float64, string, *[List] and *[Dict]; now is what
// strftime_now tells; zero: there is no such function. An error names the line, and for raise_exception what the template says.
func (t *Template) Render(variables map[string]any, now time.Time) (out Output, err error) {
	defer caught(&err)
	root := &writer{}
	r := &run{root: root, out: root, now: now}
	top := &scope{vars: maps.Clone(variables), parent: &scope{vars: r.globals()}}
	if top.vars == nil {
		top.vars = map[string]any{}
	}
	r.block(t.body, top)
	return Output{root.String(), r.generation}, nil
}

// Limits of a template that does not end.
const (
	maxSteps = 4_000_000 // expressions
	maxBytes = 64 << 20  // of output or of one value
	maxDepth = 200       // of calls
	maxRange = 100_000   // of range(), as in Jinja's sandbox
)

type writer struct{ strings.Builder }

// run is one rendering.
type run struct {
	root, out  *writer // out: where text goes now
	now        time.Time
	generation [][2]int
	steps      int
	depth      int
	line       int // of the statement or expression at hand
}

func (r *run) fail(format string, args ...any) { fail(r.line, format, args...) }

func (r *run) write(s string) {
	if r.out.Len()+len(s) > maxBytes {
		r.fail("the text is longer than %d bytes", maxBytes)
	}
	r.out.WriteString(s)
}

// capture gives what f writes.
func (r *run) capture(f func()) string {
	before := r.out
	r.out = &writer{}
	defer func() { r.out = before }()
	f()
	return r.out.String()
}

// scope holds variables; what is set in an inner scope is not seen outside.
type scope struct {
	vars   map[string]any
	parent *scope
}

func (s *scope) inner() *scope { return &scope{vars: map[string]any{}, parent: s} }

func (s *scope) get(name string) (any, bool) {
	for ; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v, true
		}
	}
	return nil, false
}
