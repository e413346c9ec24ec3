package reward

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// DefaultDeadline is how long one sample may take to be judged. The built-in parts need microseconds.
const DefaultDeadline = 10 * time.Second

// errNoAnswer says that the response holds no answer in the form asked for: that is wrong, not an error.
var errNoAnswer = errors.New("no answer found")

// Part judges one aspect of a sample. An error means that it cannot judge.
type Part func(ctx context.Context, x Sample) (value float64, err error)

// Scorer adds up the parts of a reward. It is immutable and safe for use by many goroutines.
type Scorer struct {
	parts    []part
	deadline time.Duration
}

type part struct {
	name string
	spec PartSpec
	judge
}

// Option changes how New builds a Scorer.
type Option func(*settings)

type settings struct {
	deadline *time.Duration
	extra    map[string]Part
}

// WithDeadline sets how long one sample may take.
func WithDeadline(d time.Duration) Option { return func(o *settings) { o.deadline = &d } }

// WithPart adds a kind of part. A built-in kind cannot be replaced.
func WithPart(kind string, p Part) Option { return func(o *settings) { o.extra[kind] = p } }

// PartError is what is wrong with the part at Index, from 0.
type PartError struct {
	Index int
	Err   error
}

func (e *PartError) Error() string { return fmt.Sprintf("part %d: %v", e.Index+1, e.Err) }
func (e *PartError) Unwrap() error { return e.Err }

// New builds a Scorer; an error names the part and the option that is wrong.
func New(specs []PartSpec, opts ...Option) (*Scorer, error) {
	o := settings{extra: map[string]Part{}}
	for _, set := range opts {
		set(&o)
	}
	if len(specs) == 0 {
		return nil, errors.New("reward: needs at least one part")
	}
	if o.deadline != nil && *o.deadline <= 0 {
		return nil, fmt.Errorf("reward: deadline must be above 0, is %v", *o.deadline)
	}
	s := &Scorer{deadline: DefaultDeadline}
	count := map[string]int{}
	for i, spec := range specs {
		p := part{spec: spec, name: spec.Kind}
		if count[spec.Kind]++; count[spec.Kind] > 1 {
			p.name = fmt.Sprintf("%s#%d", spec.Kind, count[spec.Kind]) // partKind reads it
		}
		if err := p.build(o.extra); err != nil {
			return nil, &PartError{i, err}
		}
		s.parts = append(s.parts, p)
		s.deadline += p.needs
	}
	if o.deadline != nil {
		s.deadline = *o.deadline
	}
	if err := s.checkVerdict(); err != nil {
		return nil, err
	}
	return s, nil
}

// checkVerdict refuses a part that goes by the verdict where no part decides one.
func (s *Scorer) checkVerdict() error {
	decided := false
	for _, p := range s.parts {
		decided = decided || p.verdict != nil
	}
	for i, p := range s.parts {
		if p.given != nil && !decided {
			return &PartError{i, fmt.Errorf("reward: %s: needs a part beside it that decides what is correct: correct or code", p.spec.Kind)}
		}
	}
	return nil
}

// partKind is the kind of a part by its name in Score.Parts.
func partKind(name string) string {
	kind, _, _ := strings.Cut(name, "#")
	return kind
}

func (p *part) build(extra map[string]Part) error {
	if own, ok := extra[p.spec.Kind]; ok {
		if _, builtin := registry[p.spec.Kind]; builtin {
			return fmt.Errorf("reward: %s: is built in and cannot be replaced", p.spec.Kind)
		}
		var errs []error
		p.value = own
		p.spec.checkCommon(reporter(p.spec.Kind, &errs))
		return errors.Join(errs...)
	}
	if err := p.spec.Validate(); err != nil {
		return err
	}
	k := registry[p.spec.Kind]
	var err error
	if p.judge, err = p.spec.options(k).build(); err != nil {
		return fmt.Errorf("reward: %s: %w", p.spec.Kind, err)
	}
	return nil
}

// Score judges one sample. It always returns: a part that panics, gives a number that is not finite, or is still running at the
// deadline makes the verdict Error with the part's name in Detail. A part that ignores its context goes on in the background.
func (s *Scorer) Score(ctx context.Context, x Sample) Score {
	said, err := s.services(ctx, []Sample{x})
	if err != nil {
		return Score{Verdict: Error, Detail: err.Error()}
	}
	return s.within(ctx, x, said, 0)
}

// within scores sample i of those that services have judged.
func (s *Scorer) within(ctx context.Context, x Sample, said map[string][]judged, i int) Score {
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	done := make(chan Score, 1)
	var running progress
	go func() {
		done <- s.score(ctx, x, func(part string) judged { return said[part][i] }, &running)
	}()
	select {
	case out := <-done:
		return out
	case <-ctx.Done():
		return Score{Verdict: Error, Detail: fmt.Sprintf("part %s: not done in time: %v", running.get(), ctx.Err())}
	}
}

// services asks what is outside for its values, by part. Without them there are no scores, so an error is that of all samples.
func (s *Scorer) services(ctx context.Context, samples []Sample) (map[string][]judged, error) {
	out := map[string][]judged{}
	for _, p := range s.parts {
		if p.outside == nil {
			continue
		}
		values, err := p.outside(ctx, samples)
		if err != nil {
			return nil, fmt.Errorf("part %s: %w", p.name, err)
		}
		out[p.name] = values
	}
	return out, nil
}

func (s *Scorer) score(ctx context.Context, x Sample, said func(part string) judged, running *progress) Score {
	out := Score{Verdict: Ungraded, Parts: make(map[string]float64, len(s.parts))}
	fail := func(name string, err error) Score {
		return Score{Verdict: Error, Parts: out.Parts, Answer: out.Answer, Detail: fmt.Sprintf("part %s: %v", name, err)}
	}
	for _, last := range []bool{false, true} { // parts that go by the verdict come last
		for i := range s.parts {
			p := &s.parts[i]
			if last != (p.given != nil) {
				continue
			}
			running.set(p.name)
			value, err := p.run(ctx, x, said, &out)
			if err != nil {
				return fail(p.name, err)
			}
			contribution := p.spec.Weight * value
			if !finite(contribution) {
				return fail(p.name, fmt.Errorf("gave %v times weight %v, which is not finite", value, p.spec.Weight))
			}
			if b := p.spec.Bound; b != nil {
				contribution = math.Min(math.Max(contribution, b[0]), b[1])
			}
			out.Parts[p.name] = contribution
		}
	}
	for _, p := range s.parts {
		out.Reward += out.Parts[p.name]
	}
	if !finite(out.Reward) {
		return fail("sum", fmt.Errorf("the reward %v is not finite", out.Reward))
	}
	return out
}

// run gives the part's value with a panic turned into an error, and keeps verdict and answer of a part that decides in out.
func (p *part) run(ctx context.Context, x Sample, said func(part string) judged, out *Score) (value float64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v at %s", r, panicSite(string(debug.Stack())))
		}
	}()
	switch {
	case p.outside != nil:
		if v := said(p.name); v != nil {
			return *v, nil
		}
		return 0, errors.New("it gave no value for this sample")
	case p.given != nil:
		return p.given(x, out.Verdict)
	case p.verdict == nil:
		return p.value(ctx, x)
	}
	got, err := p.verdict(ctx, x)
	if err != nil {
		return 0, err
	}
	out.Answer = or(out.Answer, got.answer)
	out.Detail = or(got.detail, out.Detail)
	if !got.right {
		out.Verdict = Wrong
		return 0, nil
	}
	if out.Verdict == Ungraded {
		out.Verdict = Correct
	}
	return 1, nil
}

// panicSite finds the source line below the runtime's own frames in a stack.
func panicSite(stack string) string {
	lines := strings.Split(stack, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "panic(") && i+3 < len(lines) {
			site, _, _ := strings.Cut(strings.TrimSpace(lines[i+3]), " ")
			return site
		}
	}
	return "unknown place"
}

// ScoreAll judges the samples with up to parallel goroutines; scores[i] belongs to samples[i]. Samples that cannot be judged have
// verdict Error; the error returned is the context's, or ErrUnavailable of a service, and then no scores are returned.
func (s *Scorer) ScoreAll(ctx context.Context, samples []Sample, parallel int) ([]Score, error) {
	said, err := s.services(ctx, samples)
	if err != nil {
		return nil, fmt.Errorf("reward: scoring %d samples: %w", len(samples), err)
	}
	parallel = max(1, min(parallel, len(samples)))
	scores := make([]Score, len(samples))
	next := make(chan int)
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for i := range next {
				scores[i] = s.within(ctx, samples[i], said, i)
			}
		})
	}
	for i := range samples {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("reward: scoring %d samples: %w", len(samples), err)
	}
	return scores, nil
}

// progress names the part that is running, for the message when the deadline passes.
type progress struct {
	mu   sync.Mutex
	name string
}

func (p *progress) set(name string) { p.mu.Lock(); p.name = name; p.mu.Unlock() }
func (p *progress) get() string     { p.mu.Lock(); defer p.mu.Unlock(); return p.name }
