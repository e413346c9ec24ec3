package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// errInterrupted is the cause of a context that a signal ended.
var errInterrupted = errors.New("interrupted")

// exitSignal is the exit code of a process that a second signal ends at once.
const exitSignal = 130

// withSignals ends the context at the first SIGINT or SIGTERM, and the process at the second.
func (a *app) withSignals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case <-signals:
			cancel(errInterrupted)
			fmt.Fprintln(a.err, "temper: stopping; a second signal ends the process at once")
		case <-done:
			return
		}
		select {
		case <-signals:
			os.Exit(exitSignal)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}
