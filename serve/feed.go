package serve

import "sync"

// event is a delta of one of a request's answers.
type event struct {
	choice int
	delta
}

// feed carries events from the engine, which must not wait, to the request's handler.
type feed struct {
	ready chan struct{} // holds one token while there are events

	mu     sync.Mutex
	events []event
}

func newFeed() *feed { return &feed{ready: make(chan struct{}, 1)} }

func (f *feed) push(e event) {
	f.mu.Lock()
	f.events = append(f.events, e)
	f.mu.Unlock()
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// take returns the events since the last call.
func (f *feed) take() []event {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.events
	f.events = nil
	return out
}
