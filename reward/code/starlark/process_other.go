//go:build !unix

package starlark

import (
	"context"
	"errors"
	"time"
)

// Limits of one program.
type Limits struct {
	Wall   time.Duration
	Memory int64
}

var errHere = errors.New("starlark: a process that limits its own memory needs a Unix")

// Judge judges nothing here.
func Judge(context.Context, Program, Limits) (Outcome, error) { return Outcome{}, errHere }

// Check reports whether programs can be judged here.
func Check() error { return errHere }
