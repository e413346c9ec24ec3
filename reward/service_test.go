package reward

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// served is a scorer with a service whose n-th answer (from 1) is given by answer; it does not wait long between tries.
func served(t *testing.T, spec PartSpec, answer func(n int, w http.ResponseWriter, samples []Sample)) *Scorer {
	t.Helper()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(asked.Add(1))
		var body struct {
			Samples []Sample `json:"samples"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer(n, w, body.Samples)
	}))
	t.Cleanup(server.Close)
	if spec.Kind = "service"; spec.Options == nil {
		spec.Options = &ServiceOptions{}
	}
	spec.Options.(*ServiceOptions).URL = server.URL
	s, err := New([]PartSpec{{Kind: "format", Weight: 1, Options: &FormatOptions{Pattern: "x"}}, spec})
	require.NoError(t, err)
	s.parts[1].remote.pause = time.Millisecond
	return s
}

func lengths(w http.ResponseWriter, samples []Sample) {
	var rewards []float64
	for _, x := range samples {
		rewards = append(rewards, float64(len(x.Response)))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"rewards": rewards})
}

func TestServiceJudges(t *testing.T) {
	var sizes []int
	s := served(t, PartSpec{Weight: 0.5, Bound: []float64{0, 1}, Options: &ServiceOptions{Batch: 2}}, func(_ int, w http.ResponseWriter, samples []Sample) {
		sizes = append(sizes, len(samples))
		lengths(w, samples)
	})
	scores, err := s.ScoreAll(t.Context(), []Sample{{Response: "x"}, {Response: "abc"}, {Response: ""}}, 4)
	require.NoError(t, err)
	require.Equal(t, []int{2, 1}, sizes)
	require.Equal(t, []float64{1.5, 1, 0}, []float64{scores[0].Reward, scores[1].Reward, scores[2].Reward})
	require.Equal(t, map[string]float64{"format": 1, "service": 0.5}, scores[0].Parts)
	require.InDelta(t, 1.5, s.Score(t.Context(), Sample{Response: "x"}).Reward, 0)

	null := served(t, PartSpec{Weight: 1}, func(_ int, w http.ResponseWriter, _ []Sample) { fmt.Fprint(w, `{"rewards": [2, null]}`) })
	scores, err = null.ScoreAll(t.Context(), []Sample{{Response: "x"}, {Response: "y"}}, 1)
	require.NoError(t, err)
	require.Equal(t, []Verdict{Ungraded, Error}, []Verdict{scores[0].Verdict, scores[1].Verdict})
}

// TestAServiceThatFailsIsAskedAgain, and what it failed to judge is not wrong.
func TestAServiceThatFailsIsAskedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		fail func(w http.ResponseWriter)
		says string
	}{
		"throws":         {func(w http.ResponseWriter) { http.Error(w, "Traceback: KeyError", http.StatusInternalServerError) }, "500 Internal Server Error: Traceback: KeyError"},
		"wrong count":    {func(w http.ResponseWriter) { fmt.Fprint(w, `{"rewards": [1, 2, 3]}`) }, "3 rewards for 2 samples"},
		"NaN":            {func(w http.ResponseWriter) { fmt.Fprint(w, `{"rewards": [1, NaN]}`) }, "invalid character 'N'"},
		"hangs":          {func(http.ResponseWriter) { time.Sleep(300 * time.Millisecond) }, "Client.Timeout"},
		"something else": {func(w http.ResponseWriter) { fmt.Fprint(w, `<html>`) }, "<html>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			samples := []Sample{{Response: "x"}, {Response: "yy"}}
			for _, failures := range []int{remoteTries - 1, remoteTries} {
				s := served(t, PartSpec{Weight: 1, Options: &ServiceOptions{TimeoutSeconds: 0.1}}, func(n int, w http.ResponseWriter, samples []Sample) {
					if n <= failures {
						c.fail(w)
						return
					}
					lengths(w, samples)
				})
				scores, err := s.ScoreAll(t.Context(), samples, 2)
				if failures < remoteTries {
					require.NoError(t, err)
					require.InDelta(t, 2, scores[1].Reward, 0)
					continue
				}
				require.ErrorIs(t, err, ErrUnavailable)
				require.ErrorContains(t, err, c.says)
				require.Nil(t, scores)
			}
		})
	}
	s := served(t, PartSpec{Weight: 1}, func(_ int, w http.ResponseWriter, _ []Sample) { w.WriteHeader(http.StatusServiceUnavailable) })
	s.parts[1].remote.pause = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := s.ScoreAll(ctx, []Sample{{}}, 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, ErrUnavailable)
}

func TestServiceIsChecked(t *testing.T) {
	for says, spec := range map[string]PartSpec{
		"service: url: must be given":     {Kind: "service"},
		"is no http or https address":     {Kind: "service", Options: &ServiceOptions{URL: "localhost:80"}},
		"must not hold a password":        {Kind: "service", Options: &ServiceOptions{URL: "http://me:secret@host/"}},
		"batch: must be at least 1":       {Kind: "service", Options: &ServiceOptions{URL: "http://host/", Batch: -1}},
		"timeout_seconds: must be finite": {Kind: "service", Options: &ServiceOptions{URL: "http://host/", TimeoutSeconds: -1}},
		"distinct: options are a":         {Kind: "distinct", Options: &ServiceOptions{URL: "http://host/"}},
	} {
		require.ErrorContains(t, spec.Validate(), says)
	}
}

// TestPauseThatIsAskedFor: a service that is busy says for how long.
func TestPauseThatIsAskedFor(t *testing.T) {
	var first time.Time
	var waited time.Duration
	s := served(t, PartSpec{Weight: 1}, func(n int, w http.ResponseWriter, samples []Sample) {
		if n == 1 {
			first = time.Now()
			w.Header().Set("Retry-After", "1")
			http.Error(w, "busy", http.StatusTooManyRequests)
			return
		}
		waited = time.Since(first)
		fmt.Fprint(w, `{"rewards": [0.5]}`)
	})
	got := s.Score(t.Context(), Sample{Response: "x"})
	require.NotEqual(t, Error, got.Verdict, got.Detail)
	require.GreaterOrEqual(t, waited, time.Second)
	for header, want := range map[string]time.Duration{"": 0, "soon": 0, "-3": 0, "7": 7 * time.Second, "99999999999": remotePatience, "Mon, 02 Jan 2006 15:04:05 GMT": 0} {
		require.Equal(t, want, retryAfter(header), header)
	}
	require.Greater(t, retryAfter(time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)), 50*time.Second)
}
