// Command chaos trains a small model again and again while its processes are killed, its store fails and its disk fills up, and holds what comes out
// against a run that nothing happened to: the same weights, bit for bit, trained on the same prompts.
//
//	go run ./chaos                      # every fault
//	go run ./chaos -faults 'kill.*'     # some
//	go run ./chaos -hours 1             # all of them in turn until the time is over
//	go run ./chaos -minio bin/minio     # with a MinIO server as the store
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// chaos is what all rows share.
type chaos struct {
	temper, pipeline, minio string
	dir                     string
	seed                    uint64
	times                   int // that a fault of share 1 strikes
	log                     func(format string, args ...any)
	judge                   *judge

	undisturbed outcome
}

func main() {
	c := &chaos{log: func(format string, args ...any) { fmt.Printf(format+"\n", args...) }}
	pattern := flag.String("faults", ".*", "regular expression of the whole names of the faults to try")
	hours := flag.Float64("hours", 0, "how long to go on; 0: each fault once")
	out := flag.String("out", "docs/chaos.md", "file of the table; empty: none")
	flag.StringVar(&c.temper, "temper", "bin/temper", "the program")
	flag.StringVar(&c.minio, "minio", "", "a MinIO server's binary, for the store of the processes that run apart")
	flag.IntVar(&c.times, "times", 50, "how often a fault strikes; the slow ones less often, in proportion")
	flag.Uint64Var(&c.seed, "seed", uint64(time.Now().UnixNano()), "of the moments at which faults strike")
	flag.StringVar(&c.pipeline, "pipeline", "chaos/chaos.yaml", "what is run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, c, *pattern, time.Duration(*hours*float64(time.Hour)), *out); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, c *chaos, pattern string, long time.Duration, out string) (err error) {
	want, err := regexp.Compile("^(" + pattern + ")$")
	if err != nil {
		return fmt.Errorf("-faults: %w", err)
	}
	var names []string
	for _, f := range faults {
		names = append(names, f.name)
	}
	if !slices.ContainsFunc(names, want.MatchString) {
		return fmt.Errorf("-faults: %q is the whole name of none; there are:\n  %s", pattern, strings.Join(names, "\n  "))
	}
	for _, path := range []*string{&c.temper, &c.pipeline, &c.minio} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
		if _, err := os.Stat(*path); err != nil {
			return err
		}
	}
	if c.dir, err = os.MkdirTemp("", "temper-chaos-"); err != nil {
		return err
	}
	c.log("seed %d, data in %s", c.seed, c.dir)
	if c.judge, err = newJudge(); err != nil {
		return err
	}
	defer c.judge.close()
	if c.pipeline, err = c.judge.pipeline(c.pipeline, c.dir); err != nil {
		return err
	}
	if err := c.reference(ctx); err != nil {
		return fmt.Errorf("the run that nothing happens to: %w", err)
	}
	var results table
	for began, cycle := time.Now(), 0; cycle == 0 || time.Since(began) < long; cycle++ {
		for i, f := range faults {
			if !want.MatchString(f.name) {
				continue
			}
			r, err := c.row(ctx, f, uint64(cycle*len(faults)+i))
			switch {
			case errors.Is(err, errLeftOut):
				c.log("%s: %v", f.name, err)
				r = result{fault: f.name, note: err.Error()}
			case err != nil:
				return fmt.Errorf("%s: %w", f.name, err)
			}
			results.add(r)
		}
	}
	text := results.markdown()
	fmt.Println(text)
	if out != "" {
		if err := results.write(out, c); err != nil {
			return err
		}
	}
	if err := results.failure(); err != nil {
		return fmt.Errorf("%w (what is left is in %s)", err, c.dir)
	}
	return os.RemoveAll(c.dir)
}

// reference is the undisturbed run.
func (c *chaos) reference(ctx context.Context) error {
	s, err := c.stand(ctx, together, "undisturbed")
	if err != nil {
		return err
	}
	defer s.close()
	began := time.Now()
	id, err := s.start(ctx)
	if err != nil {
		return err
	}
	out, err := s.await(ctx, id)
	if err != nil {
		return err
	}
	c.log("undisturbed: %s in %s", id, time.Since(began).Round(time.Second))
	c.undisturbed, err = s.outcome(ctx, out)
	return err
}

func (c *chaos) stand(ctx context.Context, make func(context.Context, *chaos, string) (*stand, error), name string) (*stand, error) {
	dir := filepath.Join(c.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return make(ctx, c, dir)
}

// runWithin bounds a run with its faults.
const runWithin = 20 * time.Minute

// row runs the pipeline under a fault, as often as it takes for the fault to strike often enough.
func (c *chaos) row(ctx context.Context, f fault, stream uint64) (result, error) {
	s, err := c.stand(ctx, f.on, fmt.Sprintf("%02d", stream))
	if err != nil {
		return result{}, err
	}
	defer s.close()
	r := result{fault: f.name}
	random := rand.New(rand.NewPCG(c.seed, stream))
	began := time.Now()
	for r.want = max(1, int(f.share*float64(c.times))); r.times < r.want; {
		if err := c.once(ctx, s, f, random, &r); err != nil {
			return r, fmt.Errorf("run %d, after %d faults: %w\n%s", r.runs+1, r.times, err, s.logs())
		}
		c.log("%-38s %3d times in %d runs, %d with equal digests, %d with the same prompts, %s", f.name, r.times, r.runs, r.digests, r.prompts, time.Since(began).Round(time.Second))
	}
	r.seconds = time.Since(began).Seconds()
	return r, nil
}

// once is one run with its faults.
func (c *chaos) once(ctx context.Context, s *stand, f fault, random *rand.Rand, r *result) error {
	ctx, cancel := context.WithTimeout(ctx, runWithin)
	defer cancel()
	id, err := s.start(ctx)
	if err != nil {
		return err
	}
	striking, stop := context.WithCancel(ctx)
	struck := make(chan error, 1)
	go func() { struck <- strikes(striking, s, f, random, r) }()
	out, err := s.await(ctx, id)
	stop()
	if strikeErr := <-struck; strikeErr != nil {
		return fmt.Errorf("strike: %w", strikeErr)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	if err := s.ready(ctx, s.bucket.Endpoint); err != nil {
		return err
	}
	got, err := s.outcome(ctx, out)
	if err != nil {
		return err
	}
	digests, prompts := got.differences(c.undisturbed)
	r.runs++
	if len(digests) == 0 {
		r.digests++
	}
	if len(prompts) == 0 {
		r.prompts++
	}
	r.wrong = append(append(r.wrong, digests...), prompts...)
	return nil
}

// strikes lets the fault happen at random moments until the run has ended, or it has happened often enough.
func strikes(ctx context.Context, s *stand, f fault, random *rand.Rand, r *result) error {
	for r.times < r.want {
		wait := time.Duration(random.ExpFloat64() * float64(f.mean))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(min(wait, 4*f.mean)):
		}
		err := f.strike(ctx, s, random)
		switch {
		case err == nil:
			r.times++
		case errors.Is(err, errMissed) || ctx.Err() != nil:
		default:
			return err
		}
	}
	return nil
}
