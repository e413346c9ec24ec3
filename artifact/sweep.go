package artifact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// sweepBatch is how many objects are condemned together.
	sweepBatch = 256
	// sweepRenew is how long a collector may go on after an announcement. It is well
	// below sweepStale, after which others take it for dead.
	sweepRenew = sweepStale / 4
)

// sweeper deletes objects as hold.go says. Only one is at work in a bucket.
type sweeper struct {
	store *Store
	id    string // tells its announcements from another's
	who   string

	etag      string
	announced time.Time           // by this machine's clock
	pins      map[string][]string // keys by pin; pins never change
}

// begin announces the collection, unless another goes on, and tells the store's time.
func (w *sweeper) begin(ctx context.Context) (now time.Time, err error) {
	err = w.announce(ctx, nil, Condition{IfAbsent: true})
	if errors.Is(err, ErrPrecondition) {
		err = w.takeOver(ctx)
	}
	if err != nil {
		return now, err
	}
	info, err := w.store.backend.Stat(ctx, sweepKey)
	return info.Modified, err
}

// takeOver replaces the announcement of a collector that died.
func (w *sweeper) takeOver(ctx context.Context) error {
	body, info, err := w.store.getAll(ctx, sweepKey)
	if isNotFound(err) {
		return w.announce(ctx, nil, Condition{IfAbsent: true})
	}
	if err != nil {
		return err
	}
	now, err := w.storeTime(ctx)
	if err != nil {
		return err
	}
	if age := now.Sub(info.Modified); age <= sweepStale {
		var other storedSweep
		_ = decodeJSON(body, &other) // the name is for people
		return fmt.Errorf("%w: that of %s, last heard of %s ago; one that was killed is passed over after %s", ErrCollecting, other.Who, age.Round(time.Second), sweepStale)
	}
	return w.announce(ctx, nil, Condition{IfMatch: info.ETag})
}

// storeTime is the time by the store's clock.
func (w *sweeper) storeTime(ctx context.Context) (time.Time, error) {
	const key = "gc/clock"
	if _, err := w.store.backend.Put(ctx, key, []byte("{}"), Condition{}); err != nil {
		return time.Time{}, err
	}
	info, err := w.store.backend.Stat(ctx, key)
	return info.Modified, errors.Join(err, w.store.backend.Delete(ctx, key))
}

// announce says which objects are condemned from now on.
func (w *sweeper) announce(ctx context.Context, condemned []string, cond Condition) error {
	body, err := json.Marshal(storedSweep{ID: w.id, Who: w.who, Condemned: condemned})
	if err != nil {
		return err
	}
	at := time.Now()
	etag, err := w.store.backend.Put(ctx, sweepKey, body, cond)
	if err == nil {
		w.etag, w.announced = etag, at
	}
	return err
}

// renew is announce for a collection that goes on.
func (w *sweeper) renew(ctx context.Context, condemned []string) error {
	err := w.announce(ctx, condemned, Condition{IfMatch: w.etag})
	if errors.Is(err, ErrPrecondition) {
		err = fmt.Errorf("%w: it has taken this one for dead", ErrCollecting)
	}
	return err
}

// end takes the announcement away.
func (w *sweeper) end(ctx context.Context) error {
	if info, err := w.store.backend.Stat(ctx, sweepKey); err == nil && info.ETag != w.etag {
		return nil // another's
	}
	return w.store.backend.Delete(ctx, sweepKey)
}

// sweep deletes objects, and notes those that stay because somebody has pinned them.
func (w *sweeper) sweep(ctx context.Context, keys []string, stayed map[string]bool) error {
	for batch := range slices.Chunk(keys, sweepBatch) {
		if err := w.renew(ctx, batch); err != nil {
			return err
		}
		pinned, err := w.pinned(ctx)
		if err != nil {
			return err
		}
		condemned := make([]string, 0, len(batch))
		for _, key := range batch {
			if pinned[key] {
				stayed[key] = true
			} else {
				condemned = append(condemned, key)
			}
		}
		err = parallel(ctx, condemned, func(ctx context.Context, key string) error {
			if time.Since(w.announced) > sweepRenew {
				return fmt.Errorf("the bucket is too slow: deleting %d objects took more than %s", len(condemned), sweepRenew)
			}
			return w.store.backend.Delete(ctx, key)
		})
		if err != nil {
			return err
		}
	}
	return w.renew(ctx, nil)
}

// pinned lists the keys that commits have pinned.
func (w *sweeper) pinned(ctx context.Context) (map[string]bool, error) {
	there := map[string]bool{}
	for info, err := range w.store.backend.List(ctx, pinPrefix) {
		if err != nil {
			return nil, err
		}
		keys, known := w.pins[info.Key]
		if !known {
			body, _, err := w.store.getAll(ctx, info.Key)
			if isNotFound(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			var p storedPin
			if err := decodeJSON(body, &p); err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, info.Key, err)
			}
			keys = p.Keys
			w.pins[info.Key] = keys
		}
		for _, k := range keys {
			there[k] = true
		}
	}
	return there, nil
}

// tidy removes the pins from before a time: their commits have ended.
func (w *sweeper) tidy(ctx context.Context, before time.Time) error {
	for info, err := range w.store.backend.List(ctx, pinPrefix) {
		if err != nil {
			return err
		}
		if info.Modified.Before(before) {
			if err := w.store.backend.Delete(ctx, info.Key); err != nil {
				return err
			}
		}
	}
	return nil
}
