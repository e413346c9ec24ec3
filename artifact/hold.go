package artifact

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Garbage collection and the commits that go on meanwhile meet in two kinds of objects.
//
// A commit that relies on an object which is there already, and which nothing may reach
// at that moment, pins it: it puts gc/pins/<random>.json with the object's key, then
// looks whether gc/sweep.json condemns the key, and only then looks whether the object
// is there. The collector puts the keys it is about to delete into gc/sweep.json, then
// looks for pins, and deletes what is not pinned. A store in which a reader sees what was
// written before (S3 is one) lets one of the two see the other, whatever the order: a
// pinned object stays, and a commit waits until a condemned one is gone and stores it
// again.
//
// The collector announces itself before it looks at anything, and a commit takes its pin
// away only if no collector is announced by the time its manifest is there: so a
// collector has seen the manifest, or finds the pin. Pins that stay are removed by a
// later collection.
//
// What was stored a short time ago needs no pin: the collector leaves young objects.
const (
	pinPrefix = "gc/pins/"
	sweepKey  = "gc/sweep.json"
	// trustYoung is up to what age an object is relied on without a pin. Collections
	// leave objects of twice that age, so a commit has as much time again, and clocks may
	// differ by it.
	trustYoung = 30 * time.Minute
	// sweepStale is the age of an announcement whose collector has died. A collector
	// renews its own well before.
	sweepStale = 10 * time.Minute
	// lookAgain is how often a commit looks whether a condemned object is gone.
	lookAgain = 50 * time.Millisecond
)

// storedPin and storedSweep are what the two kinds of objects hold.
type storedPin struct {
	Keys []string `json:"keys"`
}

type storedSweep struct {
	ID        string   `json:"id"`
	Who       string   `json:"who"`
	Condemned []string `json:"condemned,omitempty"`
}

// old says whether an object needs a pin to be relied on.
func (s *Store) old(info ObjectInfo) bool { return s.now().Sub(info.Modified) > s.trust }

// hold keeps collections from deleting the objects at keys until release is called.
// Objects that are being deleted are gone when it returns: look for them after it.
func (s *Store) hold(ctx context.Context, keys []string) (release func(), err error) {
	body, err := json.Marshal(storedPin{Keys: keys})
	if err != nil {
		return nil, err
	}
	pin := pinPrefix + strings.ToLower(rand.Text()) + ".json"
	if _, err := s.backend.Put(ctx, pin, body, Condition{}); err != nil {
		return nil, fmt.Errorf("keep objects from being collected: %w", err)
	}
	if err := s.outlast(ctx, pin, keys); err != nil {
		return nil, fmt.Errorf("keep objects from being collected: %w", err)
	}
	return func() {
		// A pin that stays does no harm, so no failure here is one of the caller's work.
		if _, err := s.backend.Stat(ctx, sweepKey); isNotFound(err) {
			_ = s.backend.Delete(ctx, pin)
		}
	}, nil
}

// outlast waits until no collector condemns any of the keys.
func (s *Store) outlast(ctx context.Context, pin string, keys []string) error {
	ours := make(map[string]bool, len(keys))
	for _, k := range keys {
		ours[k] = true
	}
	for began := time.Now(); ; {
		body, info, err := s.getAll(ctx, sweepKey)
		if isNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		var sweep storedSweep
		if err := decodeJSON(body, &sweep); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrCorrupt, sweepKey, err)
		}
		condemned := ""
		for _, k := range sweep.Condemned {
			if ours[k] {
				condemned = k
			}
		}
		if condemned == "" {
			return nil
		}
		// The pin was put when this began, by the clock that the announcement has its time from.
		mine, err := s.backend.Stat(ctx, pin)
		if err != nil {
			return err
		}
		if mine.Modified.Add(time.Since(began)).Sub(info.Modified) > sweepStale {
			return nil // its collector died, and deletes nothing
		}
		timer := time.NewTimer(lookAgain)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%s is being collected: %w", condemned, ctx.Err())
		case <-timer.C:
		}
	}
}

// holdAll holds artifacts with their files, and the objects at keys.
func (s *Store) holdAll(ctx context.Context, refs []Ref, keys ...string) (release func(), err error) {
	for _, ref := range refs {
		keys = append(keys, ref.manifestKey())
		m, err := s.Load(ctx, ref)
		if err != nil && !permanent(err) {
			return nil, err
		}
		for _, f := range m.Files { // none of one that is gone
			keys = append(keys, blobKey(f.Digest))
		}
	}
	return s.hold(ctx, keys)
}
