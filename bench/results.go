package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"temper/device/kernel"
)

// Result is one measured row: how many times as fast as the peer temper is.
type Result struct {
	Work    string    `json:"work"`
	Ratio   float64   `json:"ratio"`  // median over the pairs of runs
	Spread  []float64 `json:"spread"` // least and greatest
	Target  float64   `json:"target,omitempty"`
	Ours    float64   `json:"ours_seconds"`
	Peer    float64   `json:"peer_seconds"`
	OursMB  float64   `json:"ours_peak_mb,omitempty"` // resident memory at its greatest
	PeerMB  float64   `json:"peer_peak_mb,omitempty"`
	Pairs   int       `json:"pairs"`
	Detail  string    `json:"detail"`
	Machine string    `json:"machine"`
	Date    string    `json:"date"`
}

// Results are all rows measured so far.
type Results struct {
	Rows []Result `json:"rows"`
}

func readResults(path string) (r Results, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// put adds a row, or takes the place of an older one of the same machine; rows keep the order of the table of rows.
func (r *Results) put(result Result) {
	r.Rows = append(slices.DeleteFunc(r.Rows, func(x Result) bool { return x.Work == result.Work && x.Machine == result.Machine }), result)
	place := func(x Result) int { return slices.IndexFunc(rows, func(r row) bool { return r.work == x.Work }) }
	slices.SortStableFunc(r.Rows, func(a, b Result) int { return place(a) - place(b) })
}

func (r Results) write(dir string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "benchmarks.json"), append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "benchmarks.md"), r.markdown(), 0o644)
}

func (r Results) markdown() []byte {
	var b bytes.Buffer
	b.WriteString(`# Benchmarks

Written by ` + "`make bench`" + `, which runs both sides of a row alternately, each in a fresh process, on one machine. A ratio above 1 means that temper is
faster; the spread is the least and the greatest ratio of a pair of runs. Each machine has rows of its own. Shapes: A has 0.9M parameters, B 25.7M (` + "`bench/side/shapes.go`" + `); all in float32.
Training is one optimizer step (16×256 tokens for A, 4×512 for B); decoding draws 192 tokens after 64;
encoding is timed on one thread. The peers' versions are in
` + "`bench/peers/requirements.txt`" + `.

| work | ratio | spread | to reach | temper, then the peer | peak memory, MB | machine | date |
|---|---|---|---|---|---|---|---|
`)
	for _, x := range r.Rows {
		target := "–"
		if x.Target > 0 {
			target = fmt.Sprint(x.Target)
		}
		fmt.Fprintf(&b, "| %s | **%.2f** | %.2f – %.2f (%d) | %s | %s | %s | %s | %s |\n", x.Work, x.Ratio, x.Spread[0], x.Spread[1], x.Pairs, target, x.Detail, memory(x), x.Machine, x.Date)
	}
	explained := map[string]bool{}
	for _, x := range r.Rows {
		if limit := limits[x.Work]; limit != "" && x.Ratio < x.Target && !explained[x.Work] {
			fmt.Fprintf(&b, "\n%s is below its target: %s.\n", x.Work, limit)
			explained[x.Work] = true
		}
	}
	return b.Bytes()
}

// machine names the processor, the cores in use and the kernels' instruction set.
func machine() string {
	name := runtime.GOARCH
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(data), "model name"); ok {
			line, _, _ := strings.Cut(rest, "\n")
			name = strings.TrimSpace(strings.TrimLeft(line, "\t :"))
		}
	}
	return fmt.Sprintf("%s, %d cores, %s", name, runtime.NumCPU(), kernel.ISA())
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	if n := len(s); n%2 == 0 && n > 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

func spread(x []float64) (low, high float64) { return slices.Min(x), slices.Max(x) }

func round(x float64) float64 { return math.Round(x*100) / 100 }

func memory(x Result) string {
	if x.OursMB == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f, %.0f", x.OursMB, x.PeerMB)
}
