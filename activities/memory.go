package activities

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.temporal.io/sdk/activity"

	"temper/device"
	"temper/train"
)

// errShort is too little memory on the device, which may have more of it later, or another worker's.
var errShort = errors.New("too little memory")

// patience is how often an activity is tried again as it is, some seconds apart, before its micro-batches are cut: another program may have the memory for
// a while only, and as it is it gives the same bits as ever.
const patience = 3

// room is how an activity does with the memory there is.
type room struct {
	parts int // into which micro-batches are cut
	rows  int // of the last micro-batch; 0: it trained on none
}

func (r *room) atLeast(parts int) { r.parts = max(r.parts, parts) }

// cutting is e with micro-batches cut as an update in the log has it.
func (e *engine) cutting(parts int) *engine {
	out := *e
	out.room = &room{parts: max(1, parts)}
	return &out
}

// pack lays examples into the micro-batches that there is room for.
func (e *engine) pack(examples []train.Example, layout train.Layout, columns []string) ([]*train.Batch, error) {
	layout.Parts = e.room.parts
	batches, err := train.Pack(examples, layout, columns)
	if err == nil && len(batches) > 0 {
		e.room.rows = batches[0].Rows
	}
	return batches, err
}

// sparing does an activity's work with what memory there is. When it does not fit, all else that this worker holds on the device is freed and it is done
// again; if that is not enough it is left for a later try, and in the end its micro-batches are cut into 2, 4, … parts. Cutting changes how sums are
// rounded, so the parts are logged with the update, a replay cuts as it did, and the updates after it do so from the start.
func sparing[Out any](ctx context.Context, a *Activities, e engine, fn func(*engine) (Out, error)) (Out, error) {
	e.room = &room{parts: 1}
	out, err := fn(&e)
	for freed := false; errors.Is(err, device.ErrOutOfMemory); freed = true {
		a.residents.clear()
		a.loaded.clear()
		if freed {
			if n := a.shortages.count(ctx); n < patience {
				return out, fmt.Errorf("%w: %w", errShort, err)
			}
			if e.room.rows <= 1 {
				return out, fmt.Errorf("%w; nothing of it can be made smaller here", err)
			}
			e.room.parts *= 2
		}
		a.log.Warn("out of memory: what else is held is freed, and the work done again", "parts", e.room.parts, "rows", e.room.rows, "cause", err)
		out, err = fn(&e)
	}
	return out, err
}

// shortages count how often each activity found too little memory in this process.
type shortages struct {
	mu     sync.Mutex
	counts map[string]int
}

func (s *shortages) count(ctx context.Context) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	info := activity.GetInfo(ctx)
	id := info.WorkflowExecution.RunID + "/" + info.ActivityID
	s.counts[id]++
	return s.counts[id]
}
