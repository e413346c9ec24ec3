package sandbox

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// ErrUnavailable is what Check and Run return, wrapped with the cause, where no sandbox can be had.
var ErrUnavailable = errors.New("no sandbox for untrusted programs")

// Mount shows a file or folder of the machine, read-only, at Target in the sandbox; without a Source an empty folder, to hide one that another
// mount shows. All other files of the machine are absent.
type Mount struct{ Source, Target string }

// Limits of one run. Zero values take those of DefaultLimits.
type Limits struct {
	Wall         time.Duration // from the start to the end of the last process
	CPU          time.Duration // processor time of each process, rounded up to seconds
	Memory       int64         // bytes that all processes and files of the sandbox hold together
	AddressSpace int64         // bytes of virtual memory of each process
	FileSize     int64         // bytes of one file
	Disk         int64         // bytes of /tmp, which is in memory
	Inodes       int64         // files and folders in /tmp
	Processes    int           // processes and threads at a time
	OpenFiles    int           // of each process
	Output       int64         // bytes of each of the standard output, the standard error and the report
}

// DefaultLimits are generous for an answer to an exercise.
func DefaultLimits() Limits {
	const mib = 1 << 20
	return Limits{Wall: 10 * time.Second, CPU: 10 * time.Second, Memory: 512 * mib, AddressSpace: 1024 * mib, FileSize: 16 * mib, Disk: 64 * mib, Inodes: 4096,
		Processes: 32, OpenFiles: 64, Output: 1 * mib}
}

// Spec is a program and what it gets.
type Spec struct {
	Argv   []string          // the program, by its path in the sandbox, and its arguments
	Env    map[string]string // the whole environment
	Stdin  []byte
	Files  map[string][]byte // files by their absolute path in the sandbox; they can be read and run
	Mounts []Mount
	Limits Limits
}

// Result is how a program ended. A program that was stopped for a limit has no exit status of its own.
type Result struct {
	ExitCode int    // 128 and the signal's number for a program that a signal ended
	Stdout   []byte // cut at the limit
	Stderr   []byte
	// Report is what the program wrote to file descriptor 3. It is apart from the output, so that a program that passes its descriptors
	// on with care can say what its children cannot forge.
	Report      []byte
	TimedOut    bool // the wall-clock deadline passed
	OutOfMemory bool // all processes together held more than Limits.Memory, or too many files
	OutputCut   bool // it wrote more than Limits.Output
	Wall        time.Duration
}

// Stopped says which limit ended the program, "" if it ended by itself.
func (r Result) Stopped() string {
	switch {
	case r.TimedOut:
		return "ran past the deadline"
	case r.OutOfMemory:
		return "held more memory or files than allowed"
	case r.OutputCut:
		return "wrote more output than allowed"
	}
	return ""
}

// Run runs a program to its end or its limits. When it returns, no process of the program is left. An error says that the sandbox failed and
// nothing about the program; it wraps ErrUnavailable where there is no sandbox on this machine.
func Run(ctx context.Context, spec Spec) (Result, error) {
	b, err := box()
	if err != nil {
		return Result{}, err
	}
	if err := spec.check(); err != nil {
		return Result{}, fmt.Errorf("sandbox: %w", err)
	}
	spec.Limits = spec.Limits.withDefaults()
	return b.run(ctx, spec)
}

// Check reports whether programs can be run here. It tries the sandbox once in the life of a process.
func Check() error {
	_, err := box()
	return err
}

var box = sync.OnceValues(find)

func (s Spec) check() error {
	if len(s.Argv) == 0 || !path.IsAbs(s.Argv[0]) {
		return errors.New("argv: the program must be given by its absolute path in the sandbox")
	}
	for _, m := range s.Mounts {
		if m.Source != "" && !filepath.IsAbs(m.Source) || !path.IsAbs(m.Target) || path.Clean(m.Target) == "/" {
			return fmt.Errorf("mounts: %q at %q: both must be absolute paths below /", m.Source, m.Target)
		}
	}
	for name := range s.Files {
		if !path.IsAbs(name) || path.Clean(name) != name {
			return fmt.Errorf("files: %q must be a clean absolute path", name)
		}
	}
	for name, value := range s.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(value, 0) {
			return fmt.Errorf("env: %q is no variable", name)
		}
	}
	for _, a := range s.Argv {
		if strings.ContainsRune(a, 0) {
			return errors.New("argv: an argument has a zero byte")
		}
	}
	return nil
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	fill(&l.Wall, d.Wall)
	fill(&l.CPU, d.CPU)
	fill(&l.Memory, d.Memory)
	fill(&l.AddressSpace, d.AddressSpace)
	fill(&l.FileSize, d.FileSize)
	fill(&l.Disk, d.Disk)
	fill(&l.Inodes, d.Inodes)
	fill(&l.Processes, d.Processes)
	fill(&l.OpenFiles, d.OpenFiles)
	fill(&l.Output, d.Output)
	return l
}

func fill[T int | int64 | time.Duration](v *T, or T) {
	if *v <= 0 {
		*v = or
	}
}
