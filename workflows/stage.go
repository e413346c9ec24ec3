package workflows

import (
	"fmt"
	"math"
	"strings"

	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
)

// monitor is what a running stage shows: its answers to queries and its Markdown details with the learning curves so far.
type monitor struct {
	name        string
	done, total int
	line        string
	curves      []curve
	notes       []string
	left        int // updates left out because their gradients were not finite
	control     *control
	values      map[string]float64 // of the iteration that is about to be recorded
	iterations  []contract.Metrics
}

// shownMetrics is how many iterations the query metrics gives unless told otherwise.
const shownMetrics = 20

// watch starts a stage's monitor.
func watch(ctx workflow.Context, in contract.StageInput, c *control, total int, curves ...string) (*monitor, error) {
	m := &monitor{name: in.Stage.Stage.ID, total: total, control: c, values: map[string]float64{}}
	c.monitor, c.total = m, total
	for _, name := range curves {
		m.curves = append(m.curves, curve{name: name})
	}
	if r := in.Resume; r != nil {
		m.done = r.Done
		if r.Note != "" {
			m.notes = append(m.notes, r.Note)
		}
	}
	if err := workflow.SetQueryHandler(ctx, contract.QueryProgress, m.progress); err != nil {
		return nil, err
	}
	return m, workflow.SetQueryHandler(ctx, contract.QueryMetrics, m.recent)
}

func (m *monitor) progress() (contract.Progress, error) {
	return contract.Progress{Name: m.name, Done: m.done, Total: m.total, Line: m.line, Paused: m.control.paused, Tuning: m.control.tuning}, nil
}

// recent gives the metrics of the last n iterations, the oldest first.
func (m *monitor) recent(n int) ([]contract.Metrics, error) {
	if n < 0 {
		return nil, fmt.Errorf("metrics of %d iterations: want a number of at least 1", n)
	}
	if n == 0 {
		n = shownMetrics
	}
	return m.iterations[max(0, len(m.iterations)-n):], nil
}

// leaveOut notes the updates that a span left out, with what they would have trained on.
func (m *monitor) leaveOut(updates []contract.LeftOut) {
	for _, u := range updates {
		m.left++
		if m.left <= shownLeftOut {
			m.notes = append(m.notes, fmt.Sprintf("**left out** %s: the gradient is not finite (loss %s); the state is as before. Its batch: %q", u.Update, u.Loss, u.Batch))
		}
	}
}

// shownLeftOut is how many left out updates the details describe.
const shownLeftOut = 5

// leftOutText ends a stage's summary.
func (m *monitor) leftOutText() string {
	if m.left == 0 {
		return ""
	}
	return fmt.Sprintf(", %d updates left out (gradient not finite)", m.left)
}

// add records a value of the iteration that the next step ends, by the name of its curve.
func (m *monitor) add(name string, value float64) {
	for i := range m.curves {
		if m.curves[i].name == name {
			m.curves[i].add(value)
		}
	}
	if !math.IsNaN(value) && !math.IsInf(value, 0) { // JSON has no such numbers
		m.values[name] = value
	}
}

// step records progress: how much is done, a line for people, and a value for each curve.
func (m *monitor) step(ctx workflow.Context, done int, line string, values ...float64) {
	for i, v := range values {
		m.add(m.curves[i].name, v)
	}
	m.control.marks.iteration(ctx, done, m.values)
	m.record(done)
	m.line = line
	m.show(ctx)
}

// record ends an iteration.
func (m *monitor) record(done int) {
	m.done = done
	if len(m.values) > 0 {
		m.iterations = append(m.iterations, contract.Metrics{Iteration: done, Values: m.values})
		m.values = map[string]float64{}
	}
}

// show writes the details.
func (m *monitor) show(ctx workflow.Context) {
	var b strings.Builder
	b.WriteString(m.control.markdown())
	fmt.Fprintf(&b, "**%d of %d** %s\n\n", m.done, m.total, m.line)
	for _, c := range m.curves {
		b.WriteString(c.markdown())
	}
	for _, n := range m.notes {
		b.WriteString("\n- " + n)
	}
	workflow.SetCurrentDetails(ctx, b.String())
}

// memoised runs a stage's work unless the bucket remembers its outputs for the same key; then they are taken and the result says so. A
// stage that an earlier run has begun goes on from its last snapshot. work is given the input with what there is to go on from.
//
// remembered runs work unless the bucket remembers what it gave for the same key.
func remembered(ctx workflow.Context, key string, work func() (contract.StageOut, error)) (contract.StageOut, error) {
	recalled, err := recall(ctx, key)
	if err != nil || recalled.Found {
		return recalled.Stage, err
	}
	out, err := work()
	if err != nil {
		return contract.StageOut{}, err
	}
	return out, remember(ctx, key, out)
}

func recall(ctx workflow.Context, key string) (contract.Recalled, error) {
	return call[contract.Recalled](ctx, contract.QueueLight, contract.RecallStage, "look for the result of an earlier run with the same inputs", key)
}

func remember(ctx workflow.Context, key string, out contract.StageOut) error {
	_, err := call[struct{}](ctx, contract.QueueLight, contract.RememberStage, "remember the result", contract.RememberInput{Key: key, Stage: out})
	return err
}

// A result that people had a hand in is not what the key stands for: RememberStage then only forgets how far the stage was.
func memoised(ctx workflow.Context, in contract.StageInput, work func(contract.StageInput, *control) (contract.StageOut, error)) (contract.StageOut, error) {
	c, err := newControl(ctx, in)
	if err != nil {
		return contract.StageOut{}, err
	}
	if in.Resume == nil {
		recalled, err := recall(ctx, in.Key)
		if err != nil {
			return contract.StageOut{}, err
		}
		switch {
		case recalled.Found && !c.touched():
			out := recalled.Stage
			out.Skipped = true
			workflow.SetCurrentDetails(ctx, "**Skipped**: the inputs have not changed; the result is taken from the bucket.\n\n"+out.Summary)
			return out, nil
		case recalled.Resume != nil:
			in.Resume = recalled.Resume
			c.restore(recalled.Resume)
		}
	}
	out, err := work(in, c)
	if err != nil {
		return contract.StageOut{}, err
	}
	c.marks.model(ctx, out)
	if c.touched() {
		out.Interventions = c.interventions
		out.Summary += c.summary()
		c.note(ctx, "the result is not remembered: the same pipeline again does the stage without what was done by hand")
	}
	return out, remember(ctx, in.Key, out)
}
