package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Store reads and writes artifacts in a bucket. It holds no state beside the backend but
// caches, so any number of processes may use one bucket.
type Store struct {
	backend Backend
	now     func() time.Time
	trust   time.Duration // see hold.go
	blobs   blobCache
}

// Option is a choice about a store.
type Option func(*Store)

// attempts bounds how often a change that depends on nothing yields to other writers.
const attempts = 32

// transfers is how many objects one call moves at a time.
const transfers = 8

// New returns a store over a bucket.
func New(b Backend, options ...Option) *Store {
	s := &Store{backend: b, now: time.Now, trust: trustYoung}
	for _, o := range options {
		o(s)
	}
	return s
}

// maxDocument bounds the JSON documents that are read whole: a manifest, memo or
// alias is a few kilobytes, so more than this is not one.
const maxDocument = 64 << 20

// getAll reads a whole small object.
func (s *Store) getAll(ctx context.Context, key string) ([]byte, ObjectInfo, error) {
	r, info, err := s.backend.Get(ctx, key)
	if err != nil {
		return nil, ObjectInfo{}, err
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, ObjectInfo{}, fmt.Errorf("read %s: %w", key, err)
	}
	if len(body) > maxDocument {
		return nil, ObjectInfo{}, fmt.Errorf("read %s: %w: more than %d bytes", key, ErrCorrupt, maxDocument)
	}
	return body, info, nil
}

// parallel runs do for every item, a few at a time. The first failure cancels the
// rest and is returned once all have ended.
func parallel[T any](ctx context.Context, items []T, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan T)
	var wg sync.WaitGroup
	for range min(transfers, len(items)) {
		wg.Go(func() {
			for item := range queue {
				if ctx.Err() != nil {
					continue
				}
				if err := do(ctx, item); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, item := range items {
		queue <- item
	}
	close(queue)
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// permanent says whether an error tells something about the artifact itself, and not
// about the way to it.
func permanent(err error) bool { return isNotFound(err) || errors.Is(err, ErrCorrupt) }
