package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
)

// monitor is what a running stage shows: its answer to the progress query and its Markdown details with the learning curves so far.
type monitor struct {
	name        string
	done, total int
	line        string
	curves      []curve
	notes       []string
	left        int // updates left out because their gradients were not finite
}

// watch starts a stage's monitor.
func watch(ctx workflow.Context, in contract.StageInput, total int, curves ...string) (*monitor, error) {
	m := &monitor{name: in.Stage.Stage.ID, total: total}
	for _, c := range curves {
		m.curves = append(m.curves, curve{name: c})
	}
	err := workflow.SetQueryHandler(ctx, contract.QueryProgress, func() (contract.Progress, error) {
		return contract.Progress{Name: m.name, Done: m.done, Total: m.total, Line: m.line}, nil
	})
	return m, err
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

// step records progress: how much is done, a line for people, and a value for each curve.
func (m *monitor) step(ctx workflow.Context, done int, line string, values ...float64) {
	m.done, m.line = done, line
	for i, v := range values {
		m.curves[i].add(v)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "**%d of %d** %s\n\n", done, m.total, line)
	for _, c := range m.curves {
		b.WriteString(c.markdown())
	}
	for _, n := range m.notes {
		b.WriteString("\n- " + n)
	}
	workflow.SetCurrentDetails(ctx, b.String())
}

// memoised runs a stage's work unless the bucket remembers its outputs for the same key; then they are taken and the result says so.
func memoised(ctx workflow.Context, in contract.StageInput, work func() (contract.StageOut, error)) (contract.StageOut, error) {
	if in.Resume == nil {
		recalled, err := call[contract.Recalled](ctx, contract.QueueLight, contract.RecallStage, "look for the result of an earlier run with the same inputs", in.Key)
		if err != nil {
			return contract.StageOut{}, err
		}
		if recalled.Found {
			out := recalled.Stage
			out.Skipped = true
			workflow.SetCurrentDetails(ctx, "**Skipped**: the inputs have not changed; the result is taken from the bucket.\n\n"+out.Summary)
			return out, nil
		}
	}
	out, err := work()
	if err != nil {
		return contract.StageOut{}, err
	}
	_, err = call[struct{}](ctx, contract.QueueLight, contract.RememberStage, "remember the result", contract.RememberInput{Key: in.Key, Stage: out})
	return out, err
}
