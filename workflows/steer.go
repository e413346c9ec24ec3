package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
)

// steer lets people reach a run. What they ask for a stage goes on to the stage's own workflow as a signal.
func (r *run) steer(ctx workflow.Context) error {
	r.asked = map[string]*verdict{}
	for _, u := range []struct {
		name string
		do   func(workflow.Context, contract.Control) (string, error)
	}{
		{contract.UpdatePause, r.pause}, {contract.UpdateResume, r.resume}, {contract.UpdateSet, r.forwarded(contract.UpdateSet)},
		{contract.UpdateStop, r.forwarded(contract.UpdateStop)}, {contract.UpdateApprove, r.judged(true)}, {contract.UpdateReject, r.judged(false)},
	} {
		err := workflow.SetUpdateHandlerWithOptions(ctx, u.name, u.do, workflow.UpdateHandlerOptions{
			Validator: func(in contract.Control) error { return r.check(u.name, in) }, Description: controls[u.name]})
		if err != nil {
			return err
		}
	}
	return nil
}

// check says why something cannot be done to the run now.
func (r *run) check(do string, in contract.Control) error {
	switch do {
	case contract.UpdatePause, contract.UpdateResume:
		if in.Stage != "" {
			_, err := r.target(do, in)
			return err
		}
		if do == contract.UpdateResume && !r.paused {
			return fmt.Errorf("run %s is not paused; a stage that was paused alone is resumed by its name", r.id)
		}
	case contract.UpdateSet, contract.UpdateStop:
		_, err := r.target(do, in)
		return err
	case contract.UpdateApprove, contract.UpdateReject:
		_, err := r.waiting(in.Stage)
		return err
	}
	return nil
}

// pause lets no further stage start and holds those under way after their iteration; with a stage named, that one alone.
func (r *run) pause(ctx workflow.Context, in contract.Control) (string, error) {
	if in.Stage != "" {
		return r.forward(ctx, contract.UpdatePause, in)
	}
	r.paused = true
	return r.tellAll(ctx, contract.UpdatePause, in, "no further stage starts")
}

func (r *run) resume(ctx workflow.Context, in contract.Control) (string, error) {
	if in.Stage != "" {
		return r.forward(ctx, contract.UpdateResume, in)
	}
	r.paused = false
	return r.tellAll(ctx, contract.UpdateResume, in, "stages start again")
}

// tellAll forwards to every stage under way that can do it.
func (r *run) tellAll(ctx workflow.Context, do string, in contract.Control, said string) (string, error) {
	workflow.SetCurrentDetails(ctx, r.details())
	told := []string{}
	for i, p := range r.progress {
		if p.Status != "running" || possible(r.in.Pipeline.Stages[i], do, nil) != nil {
			continue
		}
		if err := r.signal(ctx, i, do, in); err != nil {
			return "", err
		}
		told = append(told, p.ID)
	}
	if len(told) > 0 {
		said += fmt.Sprintf("; %s: %s", do, strings.Join(told, ", "))
	}
	return said, nil
}

func (r *run) forwarded(do string) func(workflow.Context, contract.Control) (string, error) {
	return func(ctx workflow.Context, in contract.Control) (string, error) { return r.forward(ctx, do, in) }
}

// forward signals one stage.
func (r *run) forward(ctx workflow.Context, do string, in contract.Control) (string, error) {
	i, err := r.target(do, in)
	if err == nil {
		err = r.signal(ctx, i, do, in)
	}
	if err != nil {
		return "", err
	}
	said := do
	if len(in.Values) > 0 {
		said += " " + in.Values.String()
	}
	return fmt.Sprintf("told stage %s: %s, after the iteration under way", r.progress[i].ID, said), nil
}

func (r *run) signal(ctx workflow.Context, i int, do string, in contract.Control) error {
	in.Do, in.Stage = do, r.progress[i].ID
	if err := workflow.SignalExternalWorkflow(ctx, r.progress[i].Workflow, "", contract.SignalControl, in).Get(ctx, nil); err != nil {
		return fmt.Errorf("stage %s: %w", in.Stage, err)
	}
	return nil
}

// target is the stage that is meant: the one named, or the only one under way that can do it.
func (r *run) target(do string, in contract.Control) (int, error) {
	var can []int
	var why error
	for i, p := range r.progress {
		if in.Stage != "" && p.ID != in.Stage {
			continue
		}
		switch err := possible(r.in.Pipeline.Stages[i], do, in.Values); {
		case in.Stage != "" && p.Status != "running":
			return 0, fmt.Errorf("stage %s is not running: %s", p.ID, p.Status)
		case p.Status != "running":
		case err != nil:
			why = err
		default:
			can = append(can, i)
		}
	}
	switch {
	case len(can) == 1:
		return can[0], nil
	case len(can) > 1:
		return 0, fmt.Errorf("stage: several stages are running; name one of %s", r.names(can))
	case why != nil:
		return 0, why
	case in.Stage != "":
		return 0, fmt.Errorf("stage: the run has no stage %q", in.Stage)
	}
	return 0, fmt.Errorf("no stage is running")
}

// waiting is the stage at whose gate a person is asked.
func (r *run) waiting(stage string) (int, error) {
	var found []int
	for i, p := range r.progress {
		v := r.asked[p.ID]
		if v != nil && !v.given && (stage == "" || stage == p.ID) {
			found = append(found, i)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return 0, fmt.Errorf("stage: several gates wait for approval; name one of %s", r.names(found))
	case stage != "":
		return 0, fmt.Errorf("stage %s waits for no approval", stage)
	}
	return 0, fmt.Errorf("no gate waits for approval")
}

func (r *run) judged(approved bool) func(workflow.Context, contract.Control) (string, error) {
	return func(_ workflow.Context, in contract.Control) (string, error) {
		i, err := r.waiting(in.Stage)
		if err != nil {
			return "", err
		}
		v := r.asked[r.progress[i].ID]
		v.given, v.approved, v.who, v.why = true, approved, in.Who, in.Why
		said := "rejected"
		if approved {
			said = "approved"
		}
		return fmt.Sprintf("stage %s is %s", r.progress[i].ID, said+signed(in.Who, in.Why)), nil
	}
}

func (r *run) names(stages []int) string {
	var out []string
	for _, i := range stages {
		out = append(out, r.progress[i].ID)
	}
	return strings.Join(out, ", ")
}
