//go:build !linux || !amd64

package sandbox

import (
	"context"
	"fmt"
	"runtime"
)

type bubblewrap struct{}

func find() (*bubblewrap, error) {
	return nil, fmt.Errorf("%w: it is made for Linux on x86-64, this is %s on %s", ErrUnavailable, runtime.GOOS, runtime.GOARCH)
}

func (*bubblewrap) run(context.Context, Spec) (Result, error) { return Result{}, ErrUnavailable }

// Program finds a program's mounts; nothing can be run here, so there is none.
func Program(string, ...string) ([]Mount, error) { return nil, ErrUnavailable }

// Interpreter is a Python as a sandbox sees it.
type Interpreter struct {
	Argv   []string
	Env    map[string]string
	Mounts []Mount
}

// Python finds none.
func Python() (Interpreter, error) { return Interpreter{}, ErrUnavailable }
