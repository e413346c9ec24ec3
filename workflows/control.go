package workflows

import (
	"fmt"
	"maps"
	"strings"

	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/pipelines"
)

// units are the kinds of stages that work in iterations, with what one is called. The others do their work in one step.
var units = map[string]string{"pretrain": "step", "sft": "step", "rl": "round", "distill": "step", "evaluate": "model"}

// control is what people do to a running stage: hold it between two iterations, change settings from the next iteration on, or end it
// there. Whatever changes its result is an intervention.
type control struct {
	stage   pipelines.Stage
	monitor *monitor // once the work has begun
	marks   marks

	total      int  // iterations in all; 0 until that is known
	done, next int  // how much is done, and will be when the iteration under way ends
	underWay   bool // an iteration is

	paused, stopping bool
	tuning           pipelines.Tuning // in force from the next iteration on; replaced as a whole, never changed
	interventions    []contract.Intervention
}

// newControl lets people reach a stage. It comes first in a stage's workflow, for an update that finds no handler is refused.
func newControl(ctx workflow.Context, in contract.StageInput) (*control, error) {
	c := &control{stage: in.Stage.Stage}
	c.restore(in.Resume)
	for _, name := range []string{contract.UpdatePause, contract.UpdateResume, contract.UpdateSet, contract.UpdateStop} {
		err := workflow.SetUpdateHandlerWithOptions(ctx, name,
			func(ctx workflow.Context, in contract.Control) (string, error) { return c.do(ctx, name, in), nil },
			workflow.UpdateHandlerOptions{Validator: func(in contract.Control) error { return c.check(name, in) }, Description: controls[name]})
		if err != nil {
			return nil, err
		}
	}
	c.marks = newMarks(ctx)
	c.marks.pipeline(ctx, in.Pipeline)
	c.marks.stage(ctx, in.Stage.Stage.ID)
	return c, nil
}

// controls describes the updates for people.
var controls = map[string]string{
	contract.UpdatePause:   `Pause after the iteration under way; a run also starts no further stage.`,
	contract.UpdateResume:  `Go on after a pause.`,
	contract.UpdateSet:     `Change settings of a running stage from its next iteration on: {"values": {"lr": 0.0001}}.`,
	contract.UpdateStop:    `End a stage after the iteration under way and keep what it has as its result.`,
	contract.UpdateApprove: `Let the run pass the gate after a stage: {"stage": "rl1"}.`,
	contract.UpdateReject:  `Fail the run at the gate after a stage: {"stage": "rl1", "why": "…"}.`,
}

// signalled does what the run was asked for this stage. The run has checked it, but the stage may have come further since.
func (c *control) signalled(ctx workflow.Context, in contract.Control) {
	if err := c.check(in.Do, in); err != nil {
		c.note(ctx, fmt.Sprintf("**ignored** %s: %v", in.Do, err))
		return
	}
	c.do(ctx, in.Do, in)
}

// receive does what has been signalled since the last border. Nothing else reads the signals: a reader that waits in a coroutine of its own
// would get a signal before the border and see to it after.
func (c *control) receive(ctx workflow.Context) {
	signals := workflow.GetSignalChannel(ctx, contract.SignalControl)
	for {
		var in contract.Control
		if !signals.ReceiveAsync(&in) {
			return
		}
		c.signalled(ctx, in)
	}
}

// drain leaves nothing undone, for a workflow that continues as a new one.
func (c *control) drain(ctx workflow.Context) error {
	c.receive(ctx)
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// check says why something cannot be done now.
func (c *control) check(do string, in contract.Control) error {
	if err := possible(c.stage, do, in.Values); err != nil {
		return err
	}
	switch {
	case in.Stage != "" && in.Stage != c.stage.ID:
		return fmt.Errorf("stage: this is %s, not %s", c.stage.ID, in.Stage)
	case do == contract.UpdateResume && !c.paused:
		return fmt.Errorf("stage %s is not paused", c.stage.ID)
	case (do == contract.UpdateSet || do == contract.UpdateStop) && c.total > 0 && c.from() >= c.total:
		return fmt.Errorf("stage %s: the last iteration (%s %d of %d) is under way: there is none after it", c.stage.ID, units[c.stage.Kind], c.total, c.total)
	case do == contract.UpdateSet && c.stopping:
		return fmt.Errorf("stage %s ends after the iteration under way", c.stage.ID)
	case do == contract.UpdateSet:
		_, err := c.stage.Tuned(merged(c.tuning, in.Values)) // values that are each right may not go together
		return err
	}
	return nil
}

// possible says why something cannot be done to a stage at any time.
func possible(st pipelines.Stage, do string, values pipelines.Tuning) error {
	unit, tunable := units[st.Kind], pipelines.Tunable(st.Kind)
	switch do {
	case contract.UpdatePause, contract.UpdateResume:
		if unit == "" {
			return fmt.Errorf("stage %s (%s) does its work in one step: there is no iteration to pause after", st.ID, st.Kind)
		}
	case contract.UpdateStop:
		if len(tunable) == 0 {
			return fmt.Errorf("stage %s (%s) has nothing to keep before its end", st.ID, st.Kind)
		}
	case contract.UpdateSet:
		if len(values) == 0 && len(tunable) > 0 {
			return fmt.Errorf("values: name what to set, such as {\"values\": {\"lr\": 0.0001}}; of a stage of kind %s: %s", st.Kind, strings.Join(tunable, ", "))
		}
		if len(values) == 0 {
			return fmt.Errorf("stage %s is of kind %s, of which nothing can be changed while it runs", st.ID, st.Kind)
		}
		_, err := st.Tuned(values)
		return err
	default:
		return fmt.Errorf("%q is nothing that a stage does", do)
	}
	return nil
}

// do does what has been checked, and says what comes of it.
func (c *control) do(ctx workflow.Context, name string, in contract.Control) string {
	said := ""
	switch name {
	case contract.UpdatePause:
		c.paused = true
		said = fmt.Sprintf("stage %s pauses after %s", c.stage.ID, c.place())
	case contract.UpdateResume:
		c.paused = false
		said = fmt.Sprintf("stage %s goes on after %s", c.stage.ID, c.place())
	case contract.UpdateSet:
		c.tuning = merged(c.tuning, in.Values)
		c.interventions = append(c.interventions, contract.Intervention{Do: name, Values: in.Values, After: c.from(), Who: in.Who, Why: in.Why})
		said = fmt.Sprintf("stage %s: %s after %s", c.stage.ID, in.Values, c.place())
	case contract.UpdateStop:
		c.stopping, c.paused = true, false
		where := c.place()
		if c.from() == 0 {
			where = "its first iteration"
		}
		said = fmt.Sprintf("stage %s ends after %s and keeps what it has", c.stage.ID, where)
	}
	c.note(ctx, said)
	return said
}

// from is how much will be done when the next iteration begins.
func (c *control) from() int {
	if c.underWay {
		return c.next
	}
	return c.done
}

// place is from for people.
func (c *control) place() string {
	if c.total == 0 {
		return fmt.Sprintf("%s %d", units[c.stage.Kind], c.from())
	}
	return fmt.Sprintf("%s %d of %d", units[c.stage.Kind], c.from(), c.total)
}

// border stands between two iterations: it waits while the stage is paused, and says whether the stage ends here. done is how much is
// done, next how much will be with the iteration that follows. A stage does one iteration at least.
func (c *control) border(ctx workflow.Context, done, next int) (end bool, err error) {
	c.done, c.next, c.underWay = done, next, false
	signals := workflow.GetSignalChannel(ctx, contract.SignalControl)
	for c.receive(ctx); c.paused; c.receive(ctx) {
		c.show(ctx)
		if err := workflow.Await(ctx, func() bool { return !c.paused || signals.Len() > 0 }); err != nil {
			return false, err
		}
	}
	if c.stopping && done > 0 {
		c.interventions = append(c.interventions, contract.Intervention{Do: contract.UpdateStop, After: done})
		return true, nil
	}
	c.underWay = true
	return false, nil
}

// touched says whether the result is not what the settings alone give.
func (c *control) touched() bool { return len(c.interventions) > 0 }

// state is what a workflow that goes on with the stage must know; nil when people have asked for nothing.
func (c *control) state() *contract.Controlled {
	if len(c.interventions) == 0 && !c.paused && !c.stopping {
		return nil
	}
	return &contract.Controlled{Tuning: c.tuning, Interventions: c.interventions, Paused: c.paused, Stopping: c.stopping}
}

// restore takes up how far the stage was, and what was asked of it before, under what has been asked since.
func (c *control) restore(r *contract.Resume) {
	if r == nil {
		return
	}
	c.done = r.Done + r.Count()
	before := r.Control
	if before == nil {
		return
	}
	c.tuning = merged(before.Tuning, c.tuning)
	c.interventions = append(append([]contract.Intervention{}, before.Interventions...), c.interventions...)
	c.paused, c.stopping = c.paused || before.Paused, c.stopping || before.Stopping
}

// summary ends the summary of a stage that people have changed.
func (c *control) summary() string {
	var parts []string
	for _, i := range c.interventions {
		if i.Do == contract.UpdateStop {
			parts = append(parts, fmt.Sprintf("stopped by hand after %s %d", units[c.stage.Kind], i.After))
		} else {
			parts = append(parts, fmt.Sprintf("%s set by hand after %s %d", i.Values, units[c.stage.Kind], i.After))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ", " + strings.Join(parts, ", ")
}

// markdown is what the details say of it.
func (c *control) markdown() string {
	var b strings.Builder
	switch {
	case c.paused && c.underWay:
		fmt.Fprintf(&b, "**pausing** after %s\n\n", c.place())
	case c.paused:
		fmt.Fprintf(&b, "**paused** after %s\n\n", c.place())
	case c.stopping:
		fmt.Fprintf(&b, "**ending** after %s\n\n", c.place())
	}
	if len(c.tuning) > 0 {
		fmt.Fprintf(&b, "set by hand: %s\n\n", c.tuning)
	}
	return b.String()
}

// note writes a line into the details.
func (c *control) note(ctx workflow.Context, text string) {
	if c.monitor != nil {
		c.monitor.notes = append(c.monitor.notes, text)
	}
	c.show(ctx)
}

func (c *control) show(ctx workflow.Context) {
	if c.monitor != nil {
		c.monitor.show(ctx)
	}
}

func merged(a, b pipelines.Tuning) pipelines.Tuning {
	if len(a)+len(b) == 0 {
		return nil
	}
	out := pipelines.Tuning{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}
