package artifact_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/artifact/memory"
)

func sha(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// hooked calls back before an object is deleted or put.
type hooked struct {
	*memory.Backend
	beforeDelete, beforePut func(key string) error
}

func (h *hooked) Delete(ctx context.Context, key string) error {
	if h.beforeDelete != nil {
		if err := h.beforeDelete(key); err != nil {
			return err
		}
	}
	return h.Backend.Delete(ctx, key)
}

func (h *hooked) Put(ctx context.Context, key string, body []byte, cond artifact.Condition) (string, error) {
	if h.beforePut != nil {
		if err := h.beforePut(key); err != nil {
			return "", err
		}
	}
	return h.Backend.Put(ctx, key, body, cond)
}

func hookedStore(t *testing.T) (*artifact.Store, *hooked, *clock) {
	_, b, c := aged(t)
	h := &hooked{Backend: b}
	s := artifact.New(h)
	s.SetClock(c.read)
	return s, h, c
}

// A commit begins while a blob that it would share is on its way out: it waits for that,
// and stores the blob again.
func TestCommitOfWhatIsBeingDeleted(t *testing.T) {
	for name, trust := range map[string]time.Duration{"with pins": time.Minute, "without, to see that the race is one": day * 365} {
		t.Run(name, func(t *testing.T) {
			s, h, c := hookedStore(t)
			commit(t, s, "model", "body")
			c.advance(2 * day)
			committing := artifact.New(h)
			committing.SetClock(c.read)
			committing.Trust(trust)
			done := make(chan artifact.Ref, 1)
			var once sync.Once
			h.beforeDelete = func(key string) error {
				if key != blobOf("body") {
					return nil
				}
				once.Do(func() {
					pinned := make(chan struct{})
					h.beforePut = func(key string) error {
						if strings.HasPrefix(key, "gc/pins/") || strings.HasPrefix(key, "manifests/") {
							close(pinned)
							h.beforePut = nil
						}
						return nil
					}
					go func() {
						ref, err := committing.Commit(context.Background(), artifact.Manifest{Kind: "model", Summary: "another"}, map[string][]byte{"f": []byte("body")})
						if err != nil {
							t.Errorf("commit: %v", err)
						}
						done <- ref
					}()
					<-pinned
				})
				return nil
			}
			_, err := s.Collect(t.Context(), artifact.Collection{OlderThan: day})
			require.NoError(t, err)
			ref := <-done
			got, err := s.Read(t.Context(), ref, "f")
			if trust > day {
				require.ErrorIs(t, err, artifact.ErrCorrupt, "a commit that trusts any age is lost")
				return
			}
			require.NoError(t, err)
			require.Equal(t, "body", string(got))
		})
	}
}

// A commit that has pinned a blob before it is condemned keeps it.
func TestCollectLeavesWhatIsPinned(t *testing.T) {
	s, h, c := hookedStore(t)
	first := commit(t, s, "model", "body")
	other := commit(t, s, "model", "other")
	c.advance(2 * day)
	var collected artifact.Collected
	h.beforePut = func(key string) error {
		if !strings.HasPrefix(key, "manifests/") {
			return nil
		}
		h.beforePut = nil
		var err error
		collected, err = s.Collect(context.Background(), artifact.Collection{OlderThan: day})
		return err
	}
	ref := commit(t, s, "state", "body") // relies on the blob of the model
	require.Equal(t, 1, collected.Pinned)
	require.Equal(t, sortedRefs(first, other), bareAll(collected).Removed)
	require.Equal(t, []any{1, int64(len("other"))}, []any{collected.Blobs, collected.Bytes})
	read(t, s, ref, "f")
	_, err := s.Load(t.Context(), first)
	require.ErrorIs(t, err, artifact.ErrNotFound)
	require.Empty(t, keysOf(t, h, "gc/"), "the collection had ended before the commit did")
}

func TestOneCollectionAtATime(t *testing.T) {
	s, h, c := hookedStore(t)
	commit(t, s, "model", "body")
	c.advance(2 * day)
	died := errors.New("the process died")
	h.beforeDelete = func(key string) error {
		if strings.HasPrefix(key, "manifests/") {
			return nil
		}
		return died
	}
	_, err := s.Collect(t.Context(), artifact.Collection{OlderThan: day, Who: "ann"})
	require.ErrorIs(t, err, died)
	h.beforeDelete = nil
	require.NotEmpty(t, keysOf(t, h, "gc/sweep.json"), "it could not take its announcement away either")
	_, err = s.Collect(t.Context(), artifact.Collection{OlderThan: day})
	require.ErrorIs(t, err, artifact.ErrCollecting)
	require.ErrorContains(t, err, "ann")

	// A commit of what the dead collection condemned waits until it is known to be dead.
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = s.Commit(ctx, artifact.Manifest{Kind: "state"}, map[string][]byte{"f": []byte("body")})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "is being collected")
	c.advance(11 * time.Minute)
	read(t, s, commit(t, s, "state", "body"), "f")

	_, err = s.Collect(t.Context(), artifact.Collection{OlderThan: day})
	require.NoError(t, err)
	require.NotEmpty(t, keysOf(t, h, "gc/pins/"), "that of the commit that gave up")
	c.advance(2 * day)
	_, err = s.Collect(t.Context(), artifact.Collection{OlderThan: day})
	require.NoError(t, err)
	require.Empty(t, keysOf(t, h, "gc/"))
}

// Wherever a collection is cut off, what is kept is whole, and the next one goes on.
func TestCollectCutOff(t *testing.T) {
	for cut := 1; ; cut++ {
		s, h, c := hookedStore(t)
		keep := commit(t, s, "model", "keep")
		for i := range 3 {
			ref := commit(t, s, "state", fmt.Sprint(i), artifact.Parent{Role: "base", Ref: keep})
			require.NoError(t, s.Remember(t.Context(), fmt.Sprint(i), map[string]artifact.Ref{"s": ref}))
		}
		c.advance(2 * day)
		require.NoError(t, s.SetAlias(t.Context(), "keep", keep, nil, "me", ""))
		how := artifact.Collection{OlderThan: day, ForgetStages: day}
		var left atomic.Int64
		left.Store(int64(cut))
		died := errors.New("the process died")
		h.beforeDelete = func(string) error {
			if left.Add(-1) <= 0 {
				return died
			}
			return nil
		}
		_, err := s.Collect(t.Context(), how)
		h.beforeDelete = nil
		c.advance(11 * time.Minute) // until then others wait for it
		read(t, s, keep, "f")
		for i := range 3 {
			memo, ok, recallErr := s.Recall(t.Context(), fmt.Sprint(i))
			require.NoError(t, recallErr)
			if ok {
				read(t, s, memo.Outputs["s"], "f")
			} else {
				require.Empty(t, memo.Note, "no name is left of what is gone")
			}
		}
		if err == nil {
			require.Greater(t, cut, 9)
			return
		}
		require.ErrorIs(t, err, died)
		c.advance(10 * day)
		_, err = s.Collect(t.Context(), how)
		require.NoError(t, err)
		require.Equal(t, []string{manifestOf(keep)}, keysOf(t, h, "manifests/"))
		require.Equal(t, []string{blobOf("keep")}, keysOf(t, h, "blobs/"))
	}
}

// condemning lets time stand still while objects are condemned, which takes a collector
// far less than the time after which others take it for dead.
type condemning struct {
	*memory.Backend
	mu     sync.Mutex
	active bool
}

func (h *condemning) Put(ctx context.Context, key string, body []byte, cond artifact.Condition) (string, error) {
	if key != "gc/sweep.json" {
		return h.Backend.Put(ctx, key, body, cond)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.active = strings.Contains(string(body), "condemned")
	return h.Backend.Put(ctx, key, body, cond)
}

func (h *condemning) advance(c *clock, d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.active {
		c.advance(d)
	}
}

// Committers and collectors go on together for a while. Whatever a committer names, it can
// read, though everything that nobody names grows old at once and is collected.
func TestCollectWithCommitters(t *testing.T) {
	_, plain, c := aged(t)
	b := &condemning{Backend: plain}
	s := artifact.New(b)
	s.SetClock(c.read)
	ctx := context.Background()
	var now sync.RWMutex // held for reading by a commit: no commit takes hours
	stop := make(chan struct{})
	var wg, collectors sync.WaitGroup
	var commits, reuses, collections, removed atomic.Int64
	for w := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 1))
			var mine []artifact.Ref
			name := fmt.Sprintf("worker/%d", w)
			for {
				select {
				case <-stop:
					return
				default:
				}
				now.RLock()
				err := func() error {
					switch rng.IntN(4) {
					case 0: // an artifact from before, if it is still there
						if len(mine) > 0 {
							ref := mine[rng.IntN(len(mine))]
							if err := s.SetAlias(ctx, name, ref, nil, "me", ""); err != nil {
								if errors.Is(err, artifact.ErrNotFound) {
									return nil
								}
								return err
							}
							reuses.Add(1)
							return readAll(ctx, s, ref)
						}
					case 1: // a remembered stage
						memo, ok, err := s.Recall(ctx, fmt.Sprintf("stage-%d", rng.IntN(3)))
						if err != nil || !ok {
							return err
						}
						reuses.Add(1)
						return readAll(ctx, s, memo.Outputs["x"])
					}
					files := map[string][]byte{}
					for i := range 1 + rng.IntN(3) {
						files[fmt.Sprint(i)] = fmt.Appendf(nil, "body %d", rng.IntN(6))
					}
					ref, err := s.Commit(ctx, artifact.Manifest{Kind: "model", Summary: fmt.Sprint(rng.IntN(4))}, files)
					if err != nil {
						return err
					}
					commits.Add(1)
					mine = append(mine, ref)
					if err := s.Remember(ctx, fmt.Sprintf("stage-%d", rng.IntN(3)), map[string]artifact.Ref{"x": ref}); err != nil {
						return err
					}
					if err := s.SetAlias(ctx, name, ref, nil, "me", ""); err != nil {
						return err
					}
					return readAll(ctx, s, ref)
				}()
				now.RUnlock()
				if err != nil {
					t.Errorf("worker %d: %v", w, err)
					return
				}
			}
		})
	}
	collectors.Go(func() {
		for {
			got, err := s.Collect(ctx, artifact.Collection{OlderThan: artifact.MinimumAge, ForgetHistory: true, ForgetStages: artifact.MinimumAge})
			if err != nil {
				t.Errorf("collect: %v", err)
				return
			}
			collections.Add(1)
			removed.Add(int64(len(got.Removed) + got.Blobs))
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	long := 3 * time.Second
	if testing.Short() {
		long = time.Second
	}
	for end := time.Now().Add(long); time.Now().Before(end) && !t.Failed(); {
		now.Lock()
		b.advance(c, 2*time.Hour)
		now.Unlock()
		time.Sleep(2 * time.Millisecond)
	}
	close(stop)
	wg.Wait()
	collectors.Wait()
	for alias, err := range s.Aliases(ctx) {
		require.NoError(t, err)
		require.NoError(t, readAll(ctx, s, alias.Ref), alias.Name)
	}
	t.Logf("%d commits and %d reuses beside %d collections that removed %d objects", commits.Load(), reuses.Load(), collections.Load(), removed.Load())
	require.Positive(t, removed.Load())
	require.Positive(t, reuses.Load())
	require.NotEmpty(t, keysOf(t, b, "blobs/"))
}

func readAll(ctx context.Context, s *artifact.Store, ref artifact.Ref) error {
	m, err := s.Load(ctx, ref)
	if err != nil {
		return err
	}
	for _, f := range m.Files {
		if _, err := s.Read(ctx, ref, f.Path); err != nil {
			return err
		}
	}
	return nil
}
