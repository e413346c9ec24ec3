package artifact

import "time"

// SetClock gives a store another clock, for tests of what depends on ages.
func (s *Store) SetClock(now func() time.Time) { s.now = now }

// Trust sets up to what age an object is relied on without a pin.
func (s *Store) Trust(d time.Duration) { s.trust = d }
