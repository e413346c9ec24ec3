// Package engine generates for many requests at once on one device, with continuous batching (Yu et al. 2022, Orca): sequences join and leave the
// running batch between chunks of a few tokens. It may import device and lm; it knows tokens, no text.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
)

// Options say how much an engine takes on.
type Options struct {
	MaxBatch   int // sequences that run at once; a power of two
	MaxWaiting int // sequences and scorings that wait for their turn
	Context    int // tokens that a sequence may have, prompt included
	Chunk      int // tokens between two chances to join and leave
	Log        *slog.Logger
}

// ErrBusy is returned when too many sequences wait already.
var ErrBusy = errors.New("too many sequences wait")

// ErrClosed is returned when the engine has been closed.
var ErrClosed = errors.New("the engine is closed")

// MaxTop is how many alternatives to a token can be had at most.
const MaxTop = 20

// Choice is a token with its log-probability in nats under softmax(logits).
type Choice struct {
	ID      int32
	LogProb float32
}

// Token is a drawn token with the likeliest tokens in its place, the likeliest first.
type Token struct {
	Choice
	Top  []Choice
	Stop bool // the token is a stop id: the sequence has ended
}

// Sequence is one generation.
type Sequence struct {
	Prompt      []int32
	MaxNew      int       // tokens to draw at most
	Key         [2]uint32 // of the noise, see lm.SequenceKey
	Temperature float64   // 0 is greedy
	TopP        float64   // 1 keeps all
	Top         int       // alternatives to report, at most MaxTop

	// Accept takes the next token and says whether to go on. The engine calls it between chunks, one call at a time; it must not block.
	Accept func(Token) bool
}

// Score is what a model says of a text: for each token after the first its log-probability after those before it, and the likeliest in its place.
type Score struct {
	LogProbs []float32  // [tokens-1]
	Top      [][]Choice // [tokens-1][top]
}

// Engine owns a model on the device. It is safe for concurrent use.
type Engine struct {
	options  Options
	programs *programs
	stops    []int32
	batch    batch

	mu      sync.Mutex
	wake    *sync.Cond
	waiting []*work
	closed  bool
	done    chan struct{}
}

// work is a sequence or a scoring in the queue or under way.
type work struct {
	job      *job
	sequence *Sequence // nil: a scoring
	tokens   []int32   // to score
	top      int
	score    *Score
}

// job is what a caller waits for.
type job struct {
	ctx  context.Context
	mu   sync.Mutex
	left int
	err  error
	done chan struct{}
}

// ended counts one of the job's works as done.
func (j *job) ended(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = err
	}
	if j.left--; j.left == 0 {
		close(j.done)
	}
}

// Job is a submitted job.
type Job struct{ job *job }

// Done is closed when all of the job's sequences have ended.
func (j Job) Done() <-chan struct{} { return j.job.done }

// Err is why a job that is done did not end well: its context's error, the device's or ErrClosed.
func (j Job) Err() error {
	j.job.mu.Lock()
	defer j.job.mu.Unlock()
	return j.job.err
}

// New puts a model on the device. stops end a sequence.
func New(c *device.Client, model *hf.Model, stops []int32, o Options) (*Engine, error) {
	switch {
	case o.MaxBatch < 1 || o.MaxBatch&(o.MaxBatch-1) != 0:
		return nil, fmt.Errorf("engine: a batch of %d sequences is no power of two", o.MaxBatch)
	case o.MaxWaiting < 1 || o.Chunk < 1 || o.Context < 2:
		return nil, fmt.Errorf("engine: waiting %d, chunk %d, context %d: must be at least 1, 1 and 2", o.MaxWaiting, o.Chunk, o.Context)
	case len(stops) == 0:
		return nil, errors.New("engine: no stop token: the tokenizer or generation_config.json must name an end-of-text token")
	case o.Context > model.Config.MaxPositions:
		return nil, fmt.Errorf("engine: a context of %d tokens is more than the model's %d positions", o.Context, model.Config.MaxPositions)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p, err := newPrograms(c, model, len(stops))
	if err != nil {
		return nil, err
	}
	e := &Engine{options: o, programs: p, stops: stops, done: make(chan struct{})}
	e.wake = sync.NewCond(&e.mu)
	go e.loop()
	return e, nil
}

// Context is how many tokens a sequence may have, prompt included.
func (e *Engine) Context() int { return e.options.Context }

// MaxWaiting is how many sequences one job may have.
func (e *Engine) MaxWaiting() int { return e.options.MaxWaiting }

// Submit queues sequences, all or none: ErrBusy says that too many wait. When ctx ends they leave at the next border of a chunk.
func (e *Engine) Submit(ctx context.Context, sequences []*Sequence) (Job, error) {
	works := make([]*work, len(sequences))
	for i, s := range sequences {
		if s.MaxNew < 1 {
			return Job{}, fmt.Errorf("%d tokens to draw: must be at least 1", s.MaxNew)
		}
		if err := e.check(s.Prompt, s.MaxNew, s.Top); err != nil {
			return Job{}, err
		}
		works[i] = &work{sequence: s}
	}
	return e.submit(ctx, works)
}

// Score scores a text of at least two tokens, with top alternatives.
func (e *Engine) Score(ctx context.Context, tokens []int32, top int) (Score, error) {
	if err := e.check(tokens, 0, top); err != nil {
		return Score{}, err
	}
	w := &work{tokens: tokens, top: top, score: &Score{}}
	if len(tokens) == 1 {
		return *w.score, nil
	}
	j, err := e.submit(ctx, []*work{w})
	if err != nil {
		return Score{}, err
	}
	<-j.Done()
	return *w.score, j.Err()
}

func (e *Engine) check(tokens []int32, more, top int) error {
	vocab := e.programs.config.VocabSize
	switch {
	case len(tokens) == 0:
		return errors.New("the prompt has no tokens")
	case len(tokens)+more > e.options.Context:
		return fmt.Errorf("%d tokens and %d more do not fit the context of %d tokens", len(tokens), more, e.options.Context)
	case top < 0 || top > MaxTop:
		return fmt.Errorf("%d alternatives to a token: at most %d can be had", top, MaxTop)
	}
	for _, id := range tokens {
		if id < 0 || int(id) >= vocab {
			return fmt.Errorf("token %d is outside the vocabulary of %d", id, vocab)
		}
	}
	return nil
}

func (e *Engine) submit(ctx context.Context, works []*work) (Job, error) {
	j := &job{ctx: ctx, left: len(works), done: make(chan struct{})}
	if len(works) == 0 {
		close(j.done)
		return Job{j}, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return Job{}, ErrClosed
	}
	if len(e.waiting)+len(works) > e.options.MaxWaiting {
		return Job{}, fmt.Errorf("%w: %d, at most %d", ErrBusy, len(e.waiting), e.options.MaxWaiting)
	}
	for _, w := range works {
		w.job = j
	}
	e.waiting = append(e.waiting, works...)
	e.wake.Signal()
	return Job{j}, nil
}

// Load is how many sequences run and how many wait.
func (e *Engine) Load() (running, waiting int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.batch.running, len(e.waiting)
}

// Close ends what runs and waits with ErrClosed, and frees the model. Closing twice does nothing.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	e.wake.Signal()
	e.mu.Unlock()
	<-e.done
}

// loop works until the engine is closed.
func (e *Engine) loop() {
	defer close(e.done)
	for e.awake() {
		e.dropCancelled()
		sequences, scoring := e.next()
		err := e.join(sequences)
		if err == nil && e.batch.rows != nil {
			err = e.extend()
		}
		if err != nil {
			e.options.Log.Error("generation failed", "error", err)
			e.clear(err)
		}
		if e.batch.running == 0 {
			e.reset()
		}
		if scoring != nil {
			scoring.job.ended(e.programs.score(scoring))
		}
	}
	e.clear(ErrClosed)
	e.mu.Lock()
	waiting := e.waiting
	e.waiting = nil
	e.mu.Unlock()
	for _, w := range waiting {
		w.job.ended(ErrClosed)
	}
	e.programs.close()
}

// awake waits for something to do; it is false when the engine is closed.
func (e *Engine) awake() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for !e.closed && len(e.waiting) == 0 && e.batch.running == 0 {
		e.wake.Wait()
	}
	return !e.closed
}

// dropCancelled takes out whose context has ended.
func (e *Engine) dropCancelled() {
	e.mu.Lock()
	e.waiting = slices.DeleteFunc(e.waiting, func(w *work) bool {
		err := context.Cause(w.job.ctx)
		if err != nil {
			w.job.ended(err)
		}
		return err != nil
	})
	e.mu.Unlock()
	for i, r := range e.batch.rows {
		if r != nil && r.work.job.ctx.Err() != nil {
			e.leave(i, context.Cause(r.work.job.ctx))
		}
	}
}

// next takes the sequences for which there is room, and one scoring, from the head of the queue.
func (e *Engine) next() (sequences []*work, scoring *work) {
	e.mu.Lock()
	defer e.mu.Unlock()
	room := e.options.MaxBatch - e.batch.running
	e.waiting = slices.DeleteFunc(e.waiting, func(w *work) bool {
		switch {
		case w.sequence == nil && scoring == nil:
			scoring = w
			return true
		case w.sequence != nil && len(sequences) < room:
			sequences = append(sequences, w)
			return true
		}
		return false
	})
	e.batch.running += len(sequences)
	return sequences, scoring
}

// Key is the noise of one of a request's sequences: the same seed, number of the prompt and number of the choice give the same tokens.
func Key(seed uint64, prompt, choice int) [2]uint32 { return lm.SequenceKey(seed, 0, prompt, choice) }
