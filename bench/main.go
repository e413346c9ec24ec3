// Command bench measures temper beside the tools its users know: both sides of a row run alternately, each as a process of its own, and the result is
// a ratio with its spread. It writes docs/benchmarks.json and docs/benchmarks.md.
//
//	go run ./bench                     # every row; the peers are installed into a virtual environment of their own
//	go run ./bench -rows 'train_A.*'   # some rows; the others keep what the files have
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "side" {
		exit(ourSide(os.Args[2:]))
		return
	}
	var o options
	pattern := flag.String("rows", ".*", "regular expression of the rows to measure")
	flag.IntVar(&o.pairs, "pairs", 3, "how often each side of a row runs")
	flag.StringVar(&o.out, "out", "docs", "folder of the tables")
	flag.StringVar(&o.stories, "stories", "../shared/data/model_stories260K_hf", "the stories260K checkpoint in the Hugging Face layout")
	flag.StringVar(&o.data, "data", "../shared/data", "the public data: GSM8K, MATH and tokenizers")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if flag.Arg(0) == "profile" {
		exit(profile(ctx, o.out))
		return
	}
	if flag.Arg(0) == "python" {
		exit(script(ctx, flag.Args()[1:]))
		return
	}
	exit(run(ctx, o, *pattern))
}

type options struct {
	pairs              int
	out, stories, data string
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, pattern string) error {
	want, err := regexp.Compile("^(" + pattern + ")$")
	if err != nil {
		return fmt.Errorf("-rows: %w", err)
	}
	python, err := peers(ctx)
	if err != nil {
		return err
	}
	b := &bench{options: o, python: python}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	results, err := readResults(filepath.Join(o.out, "benchmarks.json"))
	if err != nil {
		return err
	}
	matched := false
	for _, r := range rows {
		if !want.MatchString(r.work) {
			continue
		}
		matched = true
		result, err := b.measure(ctx, r)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
			fmt.Printf("%-24s left out: %v\n", r.work, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", r.work, err)
		}
		fmt.Printf("%-24s %.2f times as fast [%.2f to %.2f]: %s\n", r.work, result.Ratio, result.Spread[0], result.Spread[1], result.Detail)
		results.put(result)
		if err := results.write(o.out); err != nil {
			return err
		}
	}
	if !matched {
		return fmt.Errorf("-rows %q matches no row", pattern)
	}
	return nil
}

// measure runs both sides of a row alternately.
func (b *bench) measure(ctx context.Context, r row) (Result, error) {
	var ours, theirs, ratios, ourMB, theirMB []float64
	for pair := range b.pairs {
		b.peakMB = 0
		us, err := r.ours(ctx, b, pair)
		if err != nil {
			return Result{}, err
		}
		ourMB, b.peakMB = append(ourMB, b.peakMB), 0
		them, err := r.peer(ctx, b, pair)
		if err != nil {
			return Result{}, err
		}
		theirMB = append(theirMB, b.peakMB)
		ours, theirs, ratios = append(ours, us), append(theirs, them), append(ratios, them/us)
	}
	low, high := spread(ratios)
	return Result{Work: r.work, Ratio: round(median(ratios)), Spread: []float64{round(low), round(high)}, Pairs: b.pairs,
		Ours: median(ours), Peer: median(theirs), OursMB: math.Round(median(ourMB)), PeerMB: math.Round(median(theirMB)), Target: r.target, Detail: r.detail(median(ours), median(theirs)), Machine: machine(), Date: time.Now().Format(time.DateOnly)}, nil
}

// decode reads what a side prints: one JSON object.
func decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read a side's output %q: %w", data, err)
	}
	return nil
}
