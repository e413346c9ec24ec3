package workers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// health is the page that whoever supervises the process asks: /healthz says that it lives, /readyz that it takes work.
type health struct {
	address string
	ready   atomic.Bool
	server  *http.Server
	done    chan error
}

// reachTimeout bounds the question to the Temporal server that a readiness check asks.
const reachTimeout = 2 * time.Second

// serveHealth listens on address. An address without a host (":8080") is one of the loopback; name 0.0.0.0 to be seen from outside.
func serveHealth(ctx context.Context, address string, queues []string, reach func(context.Context) error) (*health, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("worker.health: %w", err)
	}
	if host == "" {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("worker.health: %w", err)
	}
	h := &health{address: l.Addr().String(), done: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "alive", queues, "")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if !h.ready.Load() {
			answer(w, http.StatusServiceUnavailable, "starting or draining", queues, "")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), reachTimeout)
		defer cancel()
		if err := reach(ctx); err != nil {
			answer(w, http.StatusServiceUnavailable, "no server", queues, err.Error())
			return
		}
		answer(w, http.StatusOK, "ready", queues, "")
	})
	h.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { h.done <- h.server.Serve(l) }()
	return h, nil
}

func answer(w http.ResponseWriter, code int, status string, queues []string, problem string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(struct { // whoever asked has gone when this fails
		Status  string   `json:"status"`
		Queues  []string `json:"queues"`
		Problem string   `json:"problem,omitempty"`
	}{status, queues, problem})
}

func (h *health) close() error {
	err := h.server.Close()
	if served := <-h.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
