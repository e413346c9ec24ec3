package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

// Import brings a Hugging Face directory into the bucket. It is done anew each time, for the folder may have changed; equal files give the
// same artifact.
func Import(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Import)
	if _, err := watch(ctx, in, 1); err != nil {
		return contract.StageOut{}, err
	}
	m, err := call[contract.ModelInfo](ctx, contract.QueueLight, contract.ImportModel, "import "+s.Path, in.Stage)
	if err != nil {
		return contract.StageOut{}, err
	}
	return modelOut(m.Ref, fmt.Sprintf("imported %s", s.Path), map[string]float64{"params": float64(m.Params)}), nil
}

// Pretrain trains a new model from scratch.
func Pretrain(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Pretrain)
	return memoised(ctx, in, func() (contract.StageOut, error) {
		m, err := watch(ctx, in, s.Steps, "loss")
		if err != nil {
			return contract.StageOut{}, err
		}
		model, err := call[contract.ModelInfo](ctx, contract.QueueLight, contract.InitModel, "draw the parameters of a new model", in.Stage)
		if err != nil {
			return contract.StageOut{}, err
		}
		numbers := map[string]float64{"params": float64(model.Params), "steps": float64(s.Steps)}
		return demonstrations(ctx, in, m, initial(in, model.Ref), artifact.Ref{}, s.Steps, s.ChunkSteps, numbers)
	})
}

// SFT fine-tunes a model on demonstrations.
func SFT(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.SFT)
	return memoised(ctx, in, func() (contract.StageOut, error) {
		plan, err := call[contract.Span](ctx, contract.QueueLight, contract.PlanDemos, "count steps", in.Stage)
		if err != nil {
			return contract.StageOut{}, err
		}
		m, err := watch(ctx, in, plan.To, "loss")
		if err != nil {
			return contract.StageOut{}, err
		}
		return demonstrations(ctx, in, m, initial(in, in.Stage.Models[s.Model]), artifact.Ref{}, plan.To, s.ChunkSteps, map[string]float64{"steps": float64(plan.To)})
	})
}

// initial is the state of a stage that starts from a model with a fresh optimizer.
func initial(in contract.StageInput, model artifact.Ref) contract.State {
	return contract.State{Snapshot: model, Key: in.Key + "/" + model.Content}
}

// demonstrations trains in spans of chunk steps, each ending in a snapshot, and exports the model.
func demonstrations(ctx workflow.Context, in contract.StageInput, m *monitor, state contract.State, data artifact.Ref, steps, chunk int, numbers map[string]float64) (contract.StageOut, error) {
	state, loss, err := trainSpans(ctx, in, m, state, data, steps, chunk)
	if err != nil {
		return contract.StageOut{}, err
	}
	return export(ctx, in, state, fmt.Sprintf("%d steps, loss %.3f%s", steps, loss, m.leftOutText()), merge(numbers, map[string]float64{"loss": loss}))
}

func trainSpans(ctx workflow.Context, in contract.StageInput, m *monitor, state contract.State, data artifact.Ref, steps, chunk int) (contract.State, float64, error) {
	var loss float64
	for from := 0; from < steps; from += chunk {
		to := min(from+chunk, steps)
		out, err := callAt[contract.TrainOutput](ctx, state, contract.TrainDemos, fmt.Sprintf("steps %d to %d of %d", from+1, to, steps),
			contract.TrainInput{Stage: in.Stage, State: state, Data: data, Span: contract.Span{From: from, To: to}, Total: steps})
		if err != nil {
			return state, 0, err
		}
		state, loss = out.State, out.Loss
		m.leaveOut(out.LeftOut)
		m.step(ctx, to, fmt.Sprintf("steps, loss %.3f", loss), loss)
	}
	return state, loss, nil
}

// export writes a state's parameters as a model artifact and makes the stage's result.
func export(ctx workflow.Context, in contract.StageInput, state contract.State, summary string, numbers map[string]float64) (contract.StageOut, error) {
	model, err := callAt[contract.ModelInfo](ctx, state, contract.ExportModel, "export the model in the Hugging Face layout",
		contract.StateInput{Stage: in.Stage, State: state})
	if err != nil {
		return contract.StageOut{}, err
	}
	return modelOut(model.Ref, summary, merge(numbers, map[string]float64{"params": float64(model.Params)})), nil
}

func modelOut(ref artifact.Ref, summary string, numbers map[string]float64) contract.StageOut {
	return contract.StageOut{Outputs: map[string]artifact.Ref{pipelines.ModelOutput: ref}, Summary: summary, Numbers: numbers}
}

func merge(a, b map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for _, m := range []map[string]float64{a, b} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}
