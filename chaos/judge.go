package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
)

// judge is the reward service of all runs: the share of digits in a response. It can be told to fail in every way.
type judge struct {
	url    string
	server *http.Server

	mu      sync.Mutex
	failing func(w http.ResponseWriter, r *http.Request) // nil: it judges

	failed atomic.Int64
}

// judgeAddress stands in the pipeline's file for the service's.
const judgeAddress = "http://judge.invalid/"

func newJudge() (*judge, error) {
	l, err := net.Listen("tcp", local(0))
	if err != nil {
		return nil, err
	}
	j := &judge{url: "http://" + l.Addr().String() + "/"}
	j.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: j}
	go j.server.Serve(l) //nolint:errcheck // it ends with Close
	return j, nil
}

func (j *judge) close() { _ = j.server.Close() }

func (j *judge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	j.mu.Lock()
	fail := j.failing
	j.mu.Unlock()
	if fail != nil {
		j.failed.Add(1)
		fail(w, r)
		return
	}
	var in struct {
		Samples []struct {
			Response string `json:"response"`
		} `json:"samples"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rewards := []float64{}
	for _, x := range in.Samples {
		digits := 0
		for _, c := range x.Response {
			if unicode.IsDigit(c) {
				digits++
			}
		}
		rewards = append(rewards, float64(digits)/float64(max(1, len(x.Response))))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"rewards": rewards})
}

// pipeline writes the pipeline's file with the service's address into dir.
func (j *judge) pipeline(path, dir string) (string, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, filepath.Base(path))
	return out, os.WriteFile(out, []byte(strings.ReplaceAll(string(body), judgeAddress, j.url)), 0o600)
}

// failures are the ways in which people's reward functions fail.
var failures = []func(w http.ResponseWriter, r *http.Request){
	func(w http.ResponseWriter, _ *http.Request) { // it throws
		http.Error(w, "Traceback (most recent call last): KeyError: 'answer'", http.StatusInternalServerError)
	},
	func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, // it hangs
	func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"rewards": [NaN]}`) },
	func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"rewards": [1, 0, 1]}`) }, // the wrong count
	func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },                 // it is gone
}

// failJudge lets the reward service fail for some seconds.
func failJudge(ctx context.Context, s *stand, r *rand.Rand) error {
	j := s.chaos.judge
	before := j.failed.Load()
	j.set(pick(r, failures))
	defer j.set(nil)
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(1+r.IntN(8)) * time.Second):
	}
	return hit(j.failed.Load() > before)
}

func (j *judge) set(failing func(http.ResponseWriter, *http.Request)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failing = failing
}
