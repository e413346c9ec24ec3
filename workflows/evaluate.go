package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

// evaluated begins the names of an evaluation's outputs: one for each model.
const evaluated = "model/"

// Evaluate measures models on the same problems, one activity a model.
func Evaluate(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Evaluate)
	return memoised(ctx, in, func(in contract.StageInput, c *control) (contract.StageOut, error) {
		m, err := watch(ctx, in, c, len(s.Models))
		if err != nil {
			return contract.StageOut{}, err
		}
		out := contract.StageOut{Outputs: map[string]artifact.Ref{}}
		var parts []string
		for i, name := range s.Models {
			if _, err := c.border(ctx, i, i+1); err != nil {
				return contract.StageOut{}, err
			}
			row, err := call[contract.EvaluateOutput](ctx, contract.QueueGPU, contract.EvaluateModel, fmt.Sprintf("evaluate %s on %s", name, s.Tasks),
				contract.EvaluateInput{Stage: in.Stage, Name: name, Model: in.Stage.Models[name]})
			if err != nil {
				return contract.StageOut{}, err
			}
			out.Results = append(out.Results, row.Result)
			out.Outputs[evaluated+name] = row.Ref
			out.Outputs[pipelines.ReportOutput] = row.Ref
			if p, ok := row.Result.PassAt[1]; ok {
				parts = append(parts, fmt.Sprintf("%s %.1f%%", name, 100*p))
			} else if row.Result.Reward != nil {
				parts = append(parts, fmt.Sprintf("%s %.3f", name, row.Result.Reward.Mean))
			}
			m.step(ctx, i+1, "models: "+strings.Join(parts, ", "))
		}
		out.Summary = strings.Join(parts, ", ")
		return out, nil
	})
}
