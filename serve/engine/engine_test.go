package engine

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"temper/device/devicetest"
	"temper/lm"
	"temper/lm/hf"
)

func model() *hf.Model {
	c := hf.Config{Architecture: hf.Llama, ModelType: "llama", VocabSize: 64, Hidden: 32, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 8, FFN: 48, NormEps: 1e-6,
		RopeTheta: 10000, MaxPositions: 200, TieEmbeddings: true, BOS: 1, EOS: []int{2}, InitializerRange: 0.3, Dtype: "float32"}
	return &hf.Model{Config: c, Tensors: lm.Init(c, 1)}
}

func open(t *testing.T, o Options) *Engine {
	t.Helper()
	e, err := New(devicetest.Client(t), model(), []int32{2}, o)
	require.NoError(t, err)
	t.Cleanup(e.Close)
	return e
}

// collect makes a sequence that keeps its tokens.
func collect(prompt []int32, maxNew int, key [2]uint32) (*Sequence, *[]int32) {
	var got []int32
	return &Sequence{Prompt: prompt, MaxNew: maxNew, Key: key, Temperature: 1, TopP: 1, Accept: func(t Token) bool {
		got = append(got, t.ID)
		return true
	}}, &got
}

// Sequences that come, end and are cancelled at any time, in batches and capacities that grow and shrink, draw what each draws alone.
func TestSequencesDoNotDependOnEachOther(t *testing.T) {
	e := open(t, Options{MaxBatch: 8, MaxWaiting: 100, Context: 200, Chunk: 3})
	r := rand.New(rand.NewPCG(1, 2))
	type plan struct {
		prompt []int32
		maxNew int
		key    [2]uint32
		cancel int // after as many tokens; 0: never
	}
	var plans []plan
	for i := range 24 {
		p := plan{maxNew: 1 + r.IntN(60), key: Key(7, i, 0)}
		for range 1 + r.IntN(100) {
			p.prompt = append(p.prompt, int32(3+r.IntN(61)))
		}
		if i%6 == 5 {
			p.cancel = 1 + r.IntN(10)
		}
		plans = append(plans, p)
	}
	draw := func(p plan) []int32 {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s, got := collect(p.prompt, p.maxNew, p.key)
		accept := s.Accept
		s.Accept = func(token Token) bool {
			if p.cancel > 0 && len(*got) >= p.cancel {
				cancel()
				return true
			}
			return accept(token)
		}
		j, err := e.Submit(ctx, []*Sequence{s})
		if err != nil {
			t.Error(err)
			return nil
		}
		<-j.Done()
		return *got
	}
	var alone, together [][]int32
	for _, p := range plans {
		alone = append(alone, draw(p))
	}
	together = make([][]int32, len(plans))
	var wait sync.WaitGroup
	for i, p := range plans {
		wait.Go(func() { together[i] = draw(p) })
	}
	wait.Wait()
	require.Equal(t, alone, together)
	running, waiting := e.Load()
	require.Zero(t, running+waiting)
}

// A device without kernels draws the same.
func TestWithoutKernels(t *testing.T) {
	with := open(t, Options{MaxBatch: 4, MaxWaiting: 100, Context: 200, Chunk: 5})
	without, err := New(devicetest.Client(t).WithoutKernels(), model(), []int32{2}, with.options)
	require.NoError(t, err)
	t.Cleanup(without.Close)
	draw := func(e *Engine) (all [][]int32) {
		var sequences []*Sequence
		var got []*[]int32
		for i := range 6 { // the last two join when others have ended
			s, tokens := collect([]int32{1, int32(4 + i), 9}, 8+7*i, Key(3, i, 0))
			sequences, got = append(sequences, s), append(got, tokens)
		}
		sequences[1].TopP, sequences[2].Top, sequences[3].Temperature = 0.8, 4, 0
		j, err := e.Submit(t.Context(), sequences)
		require.NoError(t, err)
		<-j.Done()
		require.NoError(t, j.Err())
		for _, tokens := range got {
			all = append(all, *tokens)
		}
		return all
	}
	require.Equal(t, draw(with), draw(without))
	text := []int32{1, 7, 30, 22, 5}
	a, err := with.Score(t.Context(), text, 3)
	require.NoError(t, err)
	b, err := without.Score(t.Context(), text, 3)
	require.NoError(t, err)
	require.InDeltaSlice(t, a.LogProbs, b.LogProbs, 1e-5)
	for i := range a.Top {
		for k := range a.Top[i] {
			require.Equal(t, a.Top[i][k].ID, b.Top[i][k].ID)
		}
	}
}

func TestCancelledSequencesLeave(t *testing.T) {
	e := open(t, Options{MaxBatch: 1, MaxWaiting: 4, Context: 200, Chunk: 4})
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	s := &Sequence{Prompt: []int32{1, 5}, MaxNew: 150, TopP: 1, Accept: func(Token) bool {
		n++
		cancel()
		return true
	}}
	second, _ := collect([]int32{1, 6}, 10, [2]uint32{})
	j, err := e.Submit(ctx, []*Sequence{s, second}) // the second waits for the first's row
	require.NoError(t, err)
	<-j.Done()
	require.ErrorIs(t, j.Err(), context.Canceled)
	require.LessOrEqual(t, n, 4, "it leaves at the border of its chunk")
}

func TestQueueIsBounded(t *testing.T) {
	e := open(t, Options{MaxBatch: 1, MaxWaiting: 2, Context: 200, Chunk: 4})
	running, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s := &Sequence{Prompt: []int32{1, 5}, MaxNew: 1, TopP: 1, Accept: func(Token) bool {
		once.Do(func() { close(running); <-release })
		return true
	}}
	first, err := e.Submit(t.Context(), []*Sequence{s})
	require.NoError(t, err)
	<-running
	a, gotA := collect([]int32{1, 6}, 3, [2]uint32{1, 1})
	b, gotB := collect([]int32{1, 6}, 3, [2]uint32{2, 2})
	second, err := e.Submit(t.Context(), []*Sequence{a, b})
	require.NoError(t, err)
	_, err = e.Submit(t.Context(), []*Sequence{s})
	require.ErrorIs(t, err, ErrBusy)
	_, err = e.Score(t.Context(), []int32{1, 2, 3}, 1)
	require.ErrorIs(t, err, ErrBusy)
	close(release)
	<-first.Done()
	<-second.Done()
	require.NoError(t, second.Err())
	require.Len(t, *gotA, 3)
	require.Len(t, *gotB, 3)
}

func TestCloseEndsWhatRunsAndWaits(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	e := open(t, Options{MaxBatch: 1, MaxWaiting: 8, Context: 200, Chunk: 4})
	started := make(chan struct{}, 1000)
	s := &Sequence{Prompt: []int32{1, 5}, MaxNew: 190, TopP: 1, Accept: func(Token) bool { started <- struct{}{}; return true }}
	j, err := e.Submit(t.Context(), []*Sequence{s, s, s})
	require.NoError(t, err)
	<-started
	e.Close()
	<-j.Done()
	require.ErrorIs(t, j.Err(), ErrClosed)
	_, err = e.Submit(t.Context(), []*Sequence{s})
	require.ErrorIs(t, err, ErrClosed)
}

func TestWhatCannotBeDoneIsRefused(t *testing.T) {
	c := devicetest.Client(t)
	for _, o := range []Options{{MaxBatch: 3, MaxWaiting: 1, Context: 10, Chunk: 1}, {MaxBatch: 1, Context: 10, Chunk: 1}, {MaxBatch: 1, MaxWaiting: 1, Context: 201, Chunk: 1}} {
		_, err := New(c, model(), []int32{2}, o)
		require.Error(t, err)
	}
	_, err := New(c, model(), nil, Options{MaxBatch: 1, MaxWaiting: 1, Context: 10, Chunk: 1})
	require.ErrorContains(t, err, "no stop token")
	e := open(t, Options{MaxBatch: 1, MaxWaiting: 8, Context: 100, Chunk: 4})
	for _, s := range []*Sequence{{MaxNew: 1}, {Prompt: []int32{64}, MaxNew: 1}, {Prompt: []int32{1}, MaxNew: 100}, {Prompt: []int32{1}, MaxNew: 1, Top: 21}, {Prompt: []int32{1}}} {
		_, err := e.Submit(t.Context(), []*Sequence{s})
		require.Error(t, err)
	}
	score, err := e.Score(t.Context(), []int32{1}, 0)
	require.NoError(t, err)
	require.Empty(t, score.LogProbs)
}
