package devstack

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// ports are all that the stack listens on. Those from http on are of no interest to
// users, and free ones are taken.
type ports struct {
	temporal, ui, s3                 int
	http, history, matching, workers int
}

// choosePorts checks the wanted ports and finds free ones for the rest. The servers
// bind them a moment later by themselves (two of them end the process when they
// cannot), so a port that is taken must be found here.
func choosePorts(o Options) (ports, error) {
	var p ports
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	// Wanted ones first, so that no free one happens to be a wanted one; all are held
	// until the last is found, so that no two are the same.
	var errs []error
	take := func(wanted int, setting string, into *int) {
		l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", loopback, wanted))
		if err != nil {
			errs = append(errs, portError(wanted, setting, err))
			return
		}
		held = append(held, l)
		*into = l.Addr().(*net.TCPAddr).Port
	}
	type want struct {
		port    int
		setting string
		into    *int
	}
	var wanted []want
	if o.runs(Temporal) {
		wanted = append(wanted, want{o.TemporalPort, "temporal.port", &p.temporal}, want{o.UIPort, "temporal.ui_port", &p.ui})
	}
	if o.runs(S3) {
		wanted = append(wanted, want{o.S3Port, "s3.port", &p.s3})
	}
	seen := map[int]string{}
	for _, w := range wanted {
		if other := seen[w.port]; w.port != 0 && other != "" {
			return p, fmt.Errorf("port %d is both %s and %s: set one of them to another", w.port, other, w.setting)
		}
		seen[w.port] = w.setting
		if w.port < 0 || w.port > 65535 {
			return p, fmt.Errorf("port %d (%s) is no port: want 1 to 65535, or 0 for a free one", w.port, w.setting)
		}
	}
	for _, w := range wanted {
		if w.port != 0 {
			take(w.port, w.setting, w.into)
		}
	}
	for _, w := range wanted {
		if w.port == 0 {
			take(0, w.setting, w.into)
		}
	}
	for _, into := range []*int{&p.http, &p.history, &p.matching, &p.workers} {
		take(0, "internal", into)
	}
	return p, errors.Join(errs...)
}

func portError(port int, setting string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d (%s) is taken by another process: stop it or set %s", port, setting, setting)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("port %d (%s) needs privileges that this process lacks: set %s to one above 1023", port, setting, setting)
	}
	return fmt.Errorf("port %d (%s): %w", port, setting, err)
}

func address(port int) string { return fmt.Sprintf("%s:%d", loopback, port) }
