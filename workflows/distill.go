package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/pipelines"
)

// Distill trains a smaller student: first off-policy on the teacher's samples, then on-policy on its own samples against the teacher's
// logits (Agarwal et al. 2023, arXiv 2306.13649).
func Distill(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Distill)
	return memoised(ctx, in, func(in contract.StageInput, c *control) (contract.StageOut, error) {
		m, err := watch(ctx, in, c, s.Steps+s.OnPolicy.Rounds, "loss", "divergence")
		if err != nil {
			return contract.StageOut{}, err
		}
		t := trainee{in: in, monitor: m}
		if in.Resume == nil {
			if err := t.beginDistill(ctx, s); err != nil {
				return contract.StageOut{}, err
			}
		}
		end, err := t.spans(ctx, s.Steps, s.ChunkSteps)
		if err == nil && !end {
			err = t.onPolicy(ctx, s)
		}
		if err != nil {
			return contract.StageOut{}, err
		}
		steps, numbers := min(t.resume.Done, s.Steps), t.resume.Numbers
		return export(ctx, in, c, t.resume.State, fmt.Sprintf("%d steps on the teacher's samples, %d on-policy rounds, divergence %.4f", steps, t.resume.Done-steps, numbers["divergence"]), numbers)
	})
}

// beginDistill draws the student and, where it is trained off-policy, the teacher's samples.
func (t *trainee) beginDistill(ctx workflow.Context, s *pipelines.Distill) error {
	student, err := call[contract.ModelInfo](ctx, contract.QueueLight, contract.InitModel, "draw the parameters of the student", t.in.Stage)
	if err != nil {
		return err
	}
	t.resume.State = initial(t.in, student.Ref)
	if s.Steps == 0 {
		return nil
	}
	samples, err := call[contract.TeacherOut](ctx, contract.QueueGPU, contract.SampleTeacher, fmt.Sprintf("sample %d responses a problem from the teacher", s.Samples), t.in.Stage)
	if err != nil {
		return err
	}
	t.resume.Data = samples.Data
	t.number("teacher_samples", float64(samples.Count))
	t.number("teacher_correct", samples.Correct)
	return nil
}

// onPolicy does the rounds of on-policy distillation.
func (t *trainee) onPolicy(ctx workflow.Context, s *pipelines.Distill) error {
	c := t.monitor.control
	for t.resume.Done < s.Steps+s.OnPolicy.Rounds {
		done := t.resume.Done
		round := done - s.Steps
		if end, err := c.border(ctx, done, done+1); end || err != nil {
			return err
		}
		out, err := callAt[contract.DistillOutput](ctx, t.resume.State, contract.DistillRound,
			fmt.Sprintf("on-policy round %d of %d", round+1, s.OnPolicy.Rounds), contract.DistillInput{Stage: t.in.Stage, State: t.resume.State, Round: round, Tuning: c.tuning})
		if err != nil {
			return err
		}
		t.resume.State, t.resume.Done = out.State, done+1
		t.number("divergence", out.Divergence)
		t.monitor.leaveOut(out.LeftOut)
		t.monitor.add("divergence", out.Divergence)
		t.monitor.step(ctx, done+1, fmt.Sprintf("steps and rounds, divergence %.4f nats a token, student solves %.1f%%", out.Divergence, 100*out.Solved))
		if (round+1)%snapshotEvery == 0 {
			t.resume.Control = c.state()
			t.resume.State, err = callAt[contract.State](ctx, t.resume.State, contract.SaveState, "snapshot",
				contract.StateInput{Stage: t.in.Stage, State: t.resume.State, Checkpoint: &contract.Checkpoint{Key: t.in.Key, Resume: t.resume}})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// snapshotEvery is the number of on-policy rounds between snapshots of the student.
const snapshotEvery = 10
