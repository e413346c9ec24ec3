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
	return memoised(ctx, in, func() (contract.StageOut, error) {
		m, err := watch(ctx, in, s.Steps+s.OnPolicy.Rounds, "loss")
		if err != nil {
			return contract.StageOut{}, err
		}
		student, err := call[contract.ModelInfo](ctx, contract.QueueLight, contract.InitModel, "draw the parameters of the student", in.Stage)
		if err != nil {
			return contract.StageOut{}, err
		}
		state := initial(in, student.Ref)
		numbers := map[string]float64{}
		if s.Steps > 0 {
			samples, err := call[contract.TeacherOut](ctx, contract.QueueGPU, contract.SampleTeacher, fmt.Sprintf("sample %d responses a problem from the teacher", s.Samples), in.Stage)
			if err != nil {
				return contract.StageOut{}, err
			}
			numbers["teacher_samples"], numbers["teacher_correct"] = float64(samples.Count), samples.Correct
			if state, numbers["loss"], err = trainSpans(ctx, in, m, state, samples.Data, s.Steps, s.ChunkSteps); err != nil {
				return contract.StageOut{}, err
			}
		}
		m.curves = append(m.curves, curve{name: "divergence"})
		for round := range s.OnPolicy.Rounds {
			out, err := callAt[contract.DistillOutput](ctx, state, contract.DistillRound,
				fmt.Sprintf("on-policy round %d of %d", round+1, s.OnPolicy.Rounds), contract.DistillInput{Stage: in.Stage, State: state, Round: round})
			if err != nil {
				return contract.StageOut{}, err
			}
			state = out.State
			m.leaveOut(out.LeftOut)
			numbers["divergence"] = out.Divergence
			m.curves[1].add(out.Divergence)
			m.step(ctx, s.Steps+round+1, fmt.Sprintf("steps and rounds, divergence %.4f nats a token, student solves %.1f%%", out.Divergence, 100*out.Solved))
			if (round+1)%snapshotEvery == 0 {
				if state, err = callAt[contract.State](ctx, state, contract.SaveState, "snapshot", contract.StateInput{Stage: in.Stage, State: state}); err != nil {
					return contract.StageOut{}, err
				}
			}
		}
		return export(ctx, in, state, fmt.Sprintf("%d steps on the teacher's samples, %d on-policy rounds, divergence %.4f", s.Steps, s.OnPolicy.Rounds, numbers["divergence"]), numbers)
	})
}

// snapshotEvery is the number of on-policy rounds between snapshots of the student.
const snapshotEvery = 10
