// Package devstack runs everything that temper needs beside its own workers in this
// process: a Temporal server on a SQLite file, Temporal's web UI, and an S3 store over
// a local folder. It listens on the loopback only, and what it keeps survives a killed
// process. It alone may import go.temporal.io/server, temporalio/ui-server and
// versitygw; of this module it imports artifact/s3.
package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"temper/artifact/s3"
)

// loopback is the only address that anything here listens on.
const loopback = "127.0.0.1"

// readyTimeout is how long a part may take until it answers.
const readyTimeout = 60 * time.Second

// Options say where the stack keeps its data and how it is reached.
type Options struct {
	// Dir holds all data; it is made if absent.
	Dir string
	// Ports on the loopback; 0 takes a free one.
	TemporalPort, UIPort, S3Port int
	// Namespace of Temporal; "default" if empty.
	Namespace string
	// Bucket of the S3 store; "temper" if empty.
	Bucket string
	// SearchAttributes that workflows of the namespace may set. More can be added at a
	// later start; none is removed.
	SearchAttributes map[string]enumspb.IndexedValueType
	// Only, where set, is the one server to run.
	Only Server
	// Logger gets a few lines about the stack itself. The Temporal server's own log is
	// the file temporal/server.log in Dir.
	Logger *slog.Logger
}

// Server is a part of the stack that can run alone.
type Server string

// The servers of a stack.
const (
	Temporal Server = "temporal" // with its UI
	S3       Server = "s3"
)

func (o Options) runs(s Server) bool { return o.Only == "" || o.Only == s }

// Stack is a running stack. It prints without its secret. What it does not run is empty.
type Stack struct {
	Dir             string
	TemporalAddress string // host:port
	Namespace       string
	UIURL           string // http://host:port
	S3Endpoint      string // host:port
	Bucket          string
	AccessKey       string
	SecretKey       string

	log    *slog.Logger
	failed chan error
	// parts are stopped last to first.
	parts []part

	stopOnce sync.Once
	stopped  chan struct{}
	stopErr  error
}

// part is something that was started.
type part struct {
	name string
	stop func() error
}

// running guards against a second stack in one process: the S3 gateway keeps
// process-wide state.
var running atomic.Bool

// ErrRunning says that this process runs a stack already.
var ErrRunning = errors.New("this process runs a stack already")

// Start starts the stack, and returns when all of it answers. Only one stack can run in
// a process, and only one process can use a folder.
//
// While the stack runs, the working directory of the process is the store's folder,
// for its gateway uses relative paths: make paths absolute before Start, and do not
// change the directory until Stop, which restores it.
func Start(ctx context.Context, options Options) (*Stack, error) {
	s, err := start(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("start the local stack: %w", err)
	}
	return s, nil
}

func start(ctx context.Context, o Options) (_ *Stack, err error) {
	if o, err = o.resolve(); err != nil {
		return nil, err
	}
	if !running.CompareAndSwap(false, true) {
		return nil, ErrRunning
	}
	s := &Stack{Dir: o.Dir, Namespace: o.Namespace, Bucket: o.Bucket,
		log: o.Logger, failed: make(chan error, 1), stopped: make(chan struct{})}
	s.started("process", func() error { running.Store(false); return nil })
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}()

	// Everything that can be refused is refused before anything is made.
	if err := probeLock(o.Dir); err != nil {
		return nil, err
	}
	ports, err := choosePorts(o)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	unlock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	s.started("lock", unlock)
	began := time.Now()
	if o.runs(S3) {
		if err := s.startS3(ctx, ports.s3); err != nil {
			return nil, err
		}
	}
	if o.runs(Temporal) {
		if err := s.startTemporal(ctx, ports, o); err != nil {
			return nil, err
		}
		if err := s.startUI(ctx, ports.ui); err != nil {
			return nil, err
		}
	}
	o.Logger.Info("local stack is ready", "after", time.Since(began).Round(time.Millisecond), "temporal", s.TemporalAddress,
		"ui", s.UIURL, "s3", s.S3Endpoint, "dir", s.Dir)
	return s, nil
}

func (o Options) resolve() (Options, error) {
	if o.Dir == "" {
		return o, errors.New("the data folder is not set")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return o, fmt.Errorf("data folder %s: %w", o.Dir, err)
	}
	o.Dir = dir
	if o.Only != "" && o.Only != Temporal && o.Only != S3 {
		return o, fmt.Errorf("no server is named %q: want %s or %s", o.Only, Temporal, S3)
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	if o.Bucket == "" {
		o.Bucket = "temper"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

func (s *Stack) started(name string, stop func() error) {
	s.parts = append(s.parts, part{name, stop})
}

// S3 returns the options that open the stack's bucket.
func (s *Stack) S3() s3.Options {
	return s3.Options{Endpoint: s.S3Endpoint, AccessKey: s.AccessKey, SecretKey: s.SecretKey, Region: region, Bucket: s.Bucket}
}

// Failed delivers an error if a part ends by itself; the stack should be stopped then.
func (s *Stack) Failed() <-chan error { return s.failed }

// fail notes the first failure.
func (s *Stack) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// Stop stops the UI, the server and the store, in this order, and gives the folder
// free. It may be called any number of times, by several at once; each call returns
// when all has stopped, or when ctx ends, with the stopping going on.
func (s *Stack) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		go func() {
			defer close(s.stopped)
			for _, p := range slices.Backward(s.parts) {
				if err := p.stop(); err != nil {
					s.stopErr = errors.Join(s.stopErr, fmt.Errorf("stop %s: %w", p.name, err))
				}
			}
		}()
	})
	select {
	case <-s.stopped:
		return s.stopErr
	case <-ctx.Done():
		return fmt.Errorf("the local stack is still stopping: %w", ctx.Err())
	}
}

// String describes the stack without its secret.
func (s *Stack) String() string {
	return fmt.Sprintf("local stack in %s: temporal %s, ui %s, s3 %s (bucket %s, access key %s, secret key [redacted])",
		s.Dir, s.TemporalAddress, s.UIURL, s.S3Endpoint, s.Bucket, s.AccessKey)
}

// Format prints String for every verb.
func (s *Stack) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue logs String.
func (s *Stack) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText encodes String, so that no encoder finds the secret.
func (s *Stack) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// until tries a check, often at first, until it succeeds, ctx or readyTimeout ends, or
// the stack fails.
func (s *Stack) until(ctx context.Context, what string, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	wait := 10 * time.Millisecond
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case failure := <-s.failed:
			timer.Stop()
			return failure
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%s does not answer (%w): %w", what, ctx.Err(), err)
		case <-timer.C:
			wait = min(2*wait, 200*time.Millisecond)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
