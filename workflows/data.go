package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

// Curate selects the problems worth training on: LIMR (Li et al. 2025, arXiv 2502.11886), or its random control.
func Curate(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Curate)
	return memoised(ctx, in, func(in contract.StageInput, c *control) (contract.StageOut, error) {
		if _, err := watch(ctx, in, c, 1); err != nil {
			return contract.StageOut{}, err
		}
		out, err := call[contract.ProblemsOut](ctx, contract.QueueCPU, contract.CurateData, fmt.Sprintf("select problems of %s by %s", s.Tasks, s.Method),
			contract.CurateInput{Stage: in.Stage, Count: in.Count})
		return problemsOut(out), err
	})
}

// Synthesize makes problems for what the model is weak at: SwS (Liang et al. 2025, arXiv 2506.08989).
func Synthesize(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Synthesize)
	return memoised(ctx, in, func(in contract.StageInput, c *control) (contract.StageOut, error) {
		m, err := watch(ctx, in, c, 2)
		if err != nil {
			return contract.StageOut{}, err
		}
		written, err := call[contract.ProblemsOut](ctx, contract.QueueGPU, contract.WriteProblems,
			fmt.Sprintf("find weaknesses in the log of %s, write %d problems for them", s.Log, s.Budget), in.Stage)
		if err != nil {
			return contract.StageOut{}, err
		}
		m.step(ctx, 1, written.Summary)
		kept, err := call[contract.ProblemsOut](ctx, contract.QueueGPU, contract.FilterProblems,
			fmt.Sprintf("answer %d problems %d times, keep those with an agreed answer and the right difficulty", written.Count, s.AnswerSamples),
			contract.FilterInput{Stage: in.Stage, Written: written})
		if err != nil {
			return contract.StageOut{}, err
		}
		m.step(ctx, 2, kept.Summary)
		return problemsOut(kept), nil
	})
}

func problemsOut(p contract.ProblemsOut) contract.StageOut {
	return contract.StageOut{Outputs: map[string]artifact.Ref{pipelines.ProblemsOutput: p.Ref}, Summary: p.Summary,
		Numbers: merge(p.Numbers, map[string]float64{"kept": float64(p.Count)})}
}
