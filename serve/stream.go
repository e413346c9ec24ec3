package serve

import (
	"encoding/json"
	"net/http"

	"temper/serve/engine"
)

// sse writes server-sent events. The status goes out with the first.
type sse struct {
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

func newSSE(w http.ResponseWriter) *sse { return &sse{w: w, control: http.NewResponseController(w)} }

func (s *sse) send(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.line(data)
}

func (s *sse) line(data []byte) error {
	if !s.begun {
		s.begun = true
		s.w.Header().Set("Content-Type", "text/event-stream")
		s.w.Header().Set("Cache-Control", "no-cache")
		s.w.WriteHeader(http.StatusOK)
	}
	if _, err := s.w.Write(append(append([]byte("data: "), data...), "\n\n"...)); err != nil {
		return err
	}
	return s.control.Flush()
}

// stream sends a job's events as they come, each as chunk makes it, then what last makes, then [DONE]. An error after the first event is sent as
// the last one.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, j engine.Job, f *feed, first []any, chunk func(event) any, last func() any) error {
	out := newSSE(w)
	for _, v := range first {
		if err := out.send(v); err != nil {
			return nil // the client has gone; its context ends the job
		}
	}
	for running := true; running; {
		select {
		case <-f.ready:
		case <-j.Done():
			running = false
		}
		for _, e := range f.take() {
			if err := out.send(chunk(e)); err != nil {
				return nil
			}
		}
	}
	if err := j.Err(); err != nil {
		if r.Context().Err() != nil {
			return nil
		}
		e := errorOf(err)
		s.options.Log.Error("an answer broke off", "path", r.URL.Path, "error", err)
		_ = out.send(e) // a client that has gone needs no error
		return nil
	}
	if v := last(); v != nil {
		if err := out.send(v); err != nil {
			return nil
		}
	}
	_ = out.line([]byte("[DONE]"))
	return nil
}
