package configs

import (
	"errors"
	"strconv"
	"strings"
)

// Error is one thing wrong in what a person wrote. It reads "file:line: path: message", leaving out what is unknown.
type Error struct {
	File string // as the person named it, or "--set", or an environment variable
	Line int    // from 1; 0 is unknown
	Path string // dotted, as in stages.rl1.tasks[1]
	Msg  string
	Err  error // the cause, if there is one; its text is already in Msg
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			b.WriteString(":" + strconv.Itoa(e.Line))
		}
		b.WriteString(": ")
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	return b.String() + e.Msg
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// AllErrors lists the *Error values inside err, which may be joined.
func AllErrors(err error) []*Error {
	var one *Error
	switch joined, ok := err.(interface{ Unwrap() []error }); {
	case ok:
		var out []*Error
		for _, e := range joined.Unwrap() {
			out = append(out, AllErrors(e)...)
		}
		return out
	case errors.As(err, &one):
		return []*Error{one}
	}
	return nil
}

// join puts a dotted path together; an index "[2]" follows without a dot.
func join(path, name string) string {
	if path == "" || strings.HasPrefix(name, "[") {
		return path + name
	}
	return path + "." + name
}
