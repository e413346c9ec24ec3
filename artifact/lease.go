package artifact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"
)

// ErrHeld says that somebody else holds a lease.
var ErrHeld = errors.New("held by another")

// Lease is a right that one holder at a time has, such as to train a stage. It lasts while its holder renews it. No clock but the one that counts
// the time since a process started is trusted, and no two are compared: who wants the lease watches whether its record changes, and may take it
// when it has seen it unchanged for as long as the lease lasts.
type Lease struct {
	store       *Store
	key, holder string
	lasts       time.Duration

	mu      sync.Mutex
	seen    string    // ETag of the record
	at      time.Time // when it was first seen; time.Since it counts on, whatever is done to the wall clock
	renewed time.Time // by this holder, last
}

type leaseRecord struct {
	Holder string `json:"holder"`
	Beat   int    `json:"beat"`
}

// Lease names a right and who asks for it. Any number of processes may ask as the same holder.
func (s *Store) Lease(name, holder string, lasts time.Duration) *Lease {
	return &Lease{store: s, key: "leases/" + url.PathEscape(name) + ".json", holder: holder, lasts: lasts}
}

// Hold takes the lease or renews it, which is to be done several times as often as it lasts. ErrHeld says that another holder has it; calling again
// until that one has been silent for long enough takes it.
func (l *Lease) Hold(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.renewed.IsZero() && time.Since(l.renewed) < l.lasts/8 {
		return nil
	}
	for {
		body, info, err := l.store.getAll(ctx, l.key)
		if err != nil && !isNotFound(err) {
			return fmt.Errorf("lease %s: %w", l.key, err)
		}
		var record leaseRecord
		condition := Condition{IfAbsent: true}
		if err == nil {
			if err := decodeJSON(body, &record); err != nil {
				return fmt.Errorf("lease %s: %w: %w", l.key, ErrCorrupt, err)
			}
			condition = Condition{IfMatch: info.ETag}
			if info.ETag != l.seen {
				l.seen, l.at = info.ETag, time.Now()
			}
			if record.Holder != l.holder && time.Since(l.at) < l.lasts {
				l.renewed = time.Time{}
				return fmt.Errorf("lease %s: %w: %s", l.key, ErrHeld, record.Holder)
			}
		}
		next, err := json.Marshal(leaseRecord{Holder: l.holder, Beat: record.Beat + 1})
		if err != nil {
			return fmt.Errorf("lease %s: %w", l.key, err)
		}
		etag, err := l.store.backend.Put(ctx, l.key, next, condition)
		if errors.Is(err, ErrPrecondition) {
			continue // somebody was faster: look who
		}
		if err != nil {
			return fmt.Errorf("lease %s: %w", l.key, err)
		}
		l.seen, l.at, l.renewed = etag, time.Now(), time.Now()
		return nil
	}
}
