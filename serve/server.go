// Package serve answers requests for text over HTTP, with OpenAI's API: completions, chat completions, models. serve/engine does the generation.
//
// It may import device, lm's file formats and tokenizer, and serve/engine. It knows nothing of pipelines, buckets or Temporal.
package serve

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// Options of a server.
type Options struct {
	APIKey      string        // that requests must bear; empty: none
	Fingerprint string        // names what computes the answers, beside the model: with it unchanged, a seed gives the same answer
	Drain       time.Duration // how long running answers may take to end when the server stops
	Log         *slog.Logger
}

// maxBody bounds a request.
const maxBody = 16 << 20

// Server answers for one model.
type Server struct {
	model   *Model
	options Options
}

// NewServer makes a server, which does not own the model.
func NewServer(m *Model, o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{model: m, options: o}
}

// Serve answers requests until ctx ends, and then those under way.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	base, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	h := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog: slog.NewLogLogger(s.options.Log.Handler(), slog.LevelWarn)}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.Drain)
	defer cancel()
	err := h.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		cut(errors.New("the server stops"))
		err = h.Close()
	}
	if err != nil {
		return fmt.Errorf("stop serving: %w", err)
	}
	return nil
}

// Handler answers the API's paths.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/healthz", s.on(http.MethodGet, s.health))
	for path, h := range map[string]http.Handler{
		"/v1/completions":      s.on(http.MethodPost, s.completions),
		"/v1/chat/completions": s.on(http.MethodPost, s.chat),
		"/v1/models":           s.on(http.MethodGet, s.models),
		"/v1/models/{name...}": s.on(http.MethodGet, s.named),
		"/":                    s.on("", func(_ http.ResponseWriter, r *http.Request) error { return noSuchPath(r) }),
	} {
		mux.Handle(path, s.authorized(h))
	}
	return mux
}

func noSuchPath(r *http.Request) error {
	return &apiError{status: http.StatusNotFound, kind: "invalid_request_error", code: "unknown_url", message: fmt.Sprintf("no such path: %s %s", r.Method, r.URL.Path)}
}

// on makes a handler of one method, or of all, and answers its errors.
func (s *Server) on(method string, f func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if method != "" && r.Method != method {
			w.Header().Set("Allow", method)
			s.fail(w, r, &apiError{status: http.StatusMethodNotAllowed, kind: "invalid_request_error", code: "method_not_allowed",
				message: fmt.Sprintf("%s takes %s, not %s", r.URL.Path, method, r.Method)})
			return
		}
		if err := f(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// fail answers with an error, unless the client has gone.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return
	}
	e := errorOf(err)
	if e.status >= http.StatusInternalServerError {
		s.options.Log.Error("request failed", "path", r.URL.Path, "error", err)
	}
	if e.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	s.write(w, e.status, e)
}

func (s *Server) write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // numbers that are not finite
		s.options.Log.Error("an answer cannot be written", "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"error":{"message":"the answer cannot be written","type":"server_error","param":null,"code":null}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that has gone needs no answer
}

// authorized lets requests with the key through.
func (s *Server) authorized(h http.Handler) http.Handler {
	if s.options.APIKey == "" {
		return h
	}
	want := sha256.Sum256([]byte(s.options.APIKey))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if got := sha256.Sum256([]byte(key)); subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			s.fail(w, r, &apiError{status: http.StatusUnauthorized, kind: "invalid_request_error", code: "invalid_api_key", message: "the API key is missing or wrong"})
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	running, waiting := s.model.Engine.Load()
	s.write(w, http.StatusOK, map[string]any{"status": "ok", "model": s.model.Name, "running": running, "waiting": waiting})
	return nil
}

type modelInfo struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
	Context int    `json:"max_model_len"`
}

func (s *Server) info() modelInfo {
	return modelInfo{s.model.Name, "model", s.model.Created.Unix(), "temper", s.model.Engine.Context()}
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) error {
	s.write(w, http.StatusOK, map[string]any{"object": "list", "data": []modelInfo{s.info()}})
	return nil
}

func (s *Server) named(w http.ResponseWriter, r *http.Request) error {
	if err := s.serves(r.PathValue("name")); err != nil {
		return err
	}
	s.write(w, http.StatusOK, s.info())
	return nil
}

// serves refuses another model than the one that is here.
func (s *Server) serves(name string) error {
	if name == s.model.Name {
		return nil
	}
	if name == "" {
		return invalid("model", "model is missing; this server has %s", s.model.Name)
	}
	return &apiError{status: http.StatusNotFound, kind: "invalid_request_error", code: "model_not_found", param: "model",
		message: fmt.Sprintf("there is no model %q here; this server has %s", name, s.model.Name)}
}

// body reads a request.
func body(w http.ResponseWriter, r *http.Request, into any) error {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return &apiError{status: http.StatusRequestEntityTooLarge, kind: "invalid_request_error", message: fmt.Sprintf("the request has more than %d bytes", big.Limit)}
	}
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	if e := decode(data, into); e != nil {
		return e
	}
	return nil
}
