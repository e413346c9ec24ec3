package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/pipelines"
)

// verdict is what a person has said about a stage, once it is given.
type verdict struct {
	given, approved bool
	who, why        string
}

// gate holds the run after a stage until its gate lets it pass; its error fails the run.
func (r *run) gate(ctx workflow.Context, i int, out contract.StageOut) error {
	st := r.in.Pipeline.Stages[i]
	if st.Gate == nil {
		return nil
	}
	if st.Gate.Metric != "" {
		v, ok := numberOf(out, st.Gate.Metric)
		if !ok {
			return refused(st, "it gave no number %s, only %s", st.Gate.Metric, pipelines.NumberNames(out.Numbers))
		}
		if why := st.Gate.Broken(v); why != "" {
			return refused(st, "%s", why)
		}
	}
	if st.Gate.Approve {
		return r.ask(ctx, i, out)
	}
	return nil
}

// ask waits for a person.
func (r *run) ask(ctx workflow.Context, i int, out contract.StageOut) error {
	st := r.in.Pipeline.Stages[i]
	v := &verdict{}
	r.asked[st.ID] = v
	defer delete(r.asked, st.ID)
	r.set(ctx, i, "gate", fmt.Sprintf("%s; waits for approval: temper runs approve %s/%s, or reject", out.Summary, r.id, st.ID))
	given := func() bool { return v.given }
	switch {
	case st.Gate.Within > 0:
		ok, err := workflow.AwaitWithTimeout(ctx, st.Gate.Within, given)
		if err != nil {
			return err
		}
		if !ok {
			return refused(st, "nobody approved within %s", st.Gate.Within)
		}
	default:
		if err := workflow.Await(ctx, given); err != nil {
			return err
		}
	}
	if !v.approved {
		return refused(st, "rejected%s", signed(v.who, v.why))
	}
	return nil
}

// refused is the error of a gate that does not let the run pass.
func refused(st pipelines.Stage, format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf("stage %s, gate: %s", st.ID, fmt.Sprintf(format, args...)), "gate", nil)
}

// numberOf finds a number of a stage: one of its own, or a model's in an evaluation: MODEL.pass@K, MODEL.reward.
func numberOf(out contract.StageOut, name string) (float64, bool) {
	if v, ok := out.Numbers[name]; ok {
		return v, true
	}
	model, what, ok := strings.Cut(name, ".")
	if !ok {
		return 0, false
	}
	for _, row := range out.Results {
		if row.Model != model {
			continue
		}
		if what == "reward" && row.Reward != nil {
			return row.Reward.Mean, true
		}
		var k int
		if _, err := fmt.Sscanf(what, "pass@%d", &k); err != nil {
			return 0, false
		}
		v, ok := row.PassAt[k]
		return v, ok
	}
	return 0, false
}

// signed says who did something and why, as far as they said.
func signed(who, why string) string {
	out := ""
	if who != "" {
		out += " by " + who
	}
	if why != "" {
		out += ": " + why
	}
	return out
}
