package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestChaos is a short form of make chaos.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("trains models; left out by -short")
	}
	temper := filepath.Join(t.TempDir(), "temper")
	out, err := exec.Command("go", "build", "-o", temper, "../cmd/temper").CombinedOutput()
	require.NoError(t, err, string(out))
	table := filepath.Join(t.TempDir(), "chaos.md")
	c := &chaos{temper: temper, pipeline: "chaos.yaml", seed: 5, times: 3, log: t.Logf}
	require.NoError(t, run(t.Context(), c, "kill -9 of everything|a damaged snapshot|all of these at once", 0, table))
	text, err := os.ReadFile(table)
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(string(text), "\n| ")-1, string(text))
}

// TestDifferencesAreFound: a run whose weights or prompts are others does not pass.
func TestDifferencesAreFound(t *testing.T) {
	calm := outcome{models: map[string]string{"sft": "a", "rl": "b"}, trained: map[string]int{"rl, round 1: prompt x": 1, "rl, round 2: prompt y": 1}}
	digests, prompts := calm.differences(calm)
	require.Empty(t, digests)
	require.Empty(t, prompts)
	other := outcome{models: map[string]string{"sft": "a", "rl": "c"}, trained: map[string]int{"rl, round 1: prompt x": 2, "rl, round 3: prompt z": 1}}
	digests, prompts = other.differences(calm)
	require.Equal(t, []string{"model of stage rl: c, undisturbed b"}, digests)
	require.Equal(t, []string{"rl, round 1: prompt x: trained 2 times, undisturbed 1", "rl, round 2: prompt y: trained 0 times, undisturbed 1",
		"rl, round 3: prompt z: trained 1 times, undisturbed 0"}, prompts)
	digests, _ = outcome{}.differences(calm)
	require.Len(t, digests, 2, "a model that is missing differs")

	results := table{{fault: "x", times: 1, runs: 1, digests: 1, prompts: 1}}
	require.NoError(t, results.failure())
	results.add(result{fault: "x", times: 2, runs: 1, prompts: 1, wrong: []string{"model of stage rl"}})
	require.ErrorContains(t, results.failure(), "x: model of stage rl")
	require.Contains(t, results.markdown(), "| x | 3 | 2 | 1 | 2 | 0 |")
}

// TestTheProxySpoils what it is told to, in every way, and nothing else.
func TestTheProxySpoils(t *testing.T) {
	const body = 10000
	reached := 0
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached++
		_, _ = w.Write(make([]byte, body))
	}))
	defer store.Close()
	port, err := freePorts(1)
	require.NoError(t, err)
	p, err := newProxy(local(port[0]), strings.TrimPrefix(store.URL, "http://"), 1)
	require.NoError(t, err)
	defer p.close()
	get := func() (status int, read int, err error) {
		r, err := http.Get("http://" + p.address)
		if err != nil {
			return 0, 0, err
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		return r.StatusCode, len(b), err
	}
	for range 20 {
		status, read, err := get()
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, body, read)
	}
	require.Zero(t, p.spoilt.Load())
	p.set(1, 0)
	seen, before := map[string]int{}, reached
	for range 60 {
		switch status, read, err := get(); {
		case status >= 500:
			seen["error"]++
		case errors.Is(err, io.ErrUnexpectedEOF) && read > 0 && read < body:
			seen["cut"]++
		case err != nil:
			seen["hung up"]++
		default:
			seen["whole"]++
		}
	}
	require.GreaterOrEqual(t, p.spoilt.Load(), int64(60), "clients ask again by themselves")
	require.Positive(t, seen["error"])
	require.Positive(t, seen["cut"])
	require.Positive(t, seen["hung up"])
	require.Zero(t, seen["whole"], "%v", seen)
	require.Greater(t, reached-before, seen["cut"], "some requests were done and their answers lost")
}
