package workflows

import (
	"fmt"
	"maps"

	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

// Import brings a Hugging Face directory into the bucket. It is done anew each time, for the folder may have changed; equal files give the
// same artifact.
func Import(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Import)
	c, err := newControl(ctx, in)
	if err != nil {
		return contract.StageOut{}, err
	}
	if _, err := watch(ctx, in, c, 1); err != nil {
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
	return memoised(ctx, in, func(in contract.StageInput, c *control) (contract.StageOut, error) {
		m, err := watch(ctx, in, c, s.Steps, "loss")
		if err != nil {
			return contract.StageOut{}, err
		}
		model, err := call[contract.ModelInfo](ctx, contract.QueueLight, contract.InitModel, "draw the parameters of a new model", in.Stage)
		if err != nil {
			return contract.StageOut{}, err
		}
		numbers := map[string]float64{"params": float64(model.Params)}
		return demonstrations(ctx, in, m, initial(in, model.Ref), s.Steps, s.ChunkSteps, numbers)
	})
}

// SFT fine-tunes a model on demonstrations.
func SFT(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.SFT)
	return memoised(ctx, in, func(in contract.StageInput, c *control) (contract.StageOut, error) {
		plan, err := call[contract.Span](ctx, contract.QueueLight, contract.PlanDemos, "count steps", in.Stage)
		if err != nil {
			return contract.StageOut{}, err
		}
		m, err := watch(ctx, in, c, plan.To, "loss")
		if err != nil {
			return contract.StageOut{}, err
		}
		return demonstrations(ctx, in, m, initial(in, in.Stage.Models[s.Model]), plan.To, s.ChunkSteps, map[string]float64{})
	})
}

// initial is the state of a stage that starts from a model with a fresh optimizer.
func initial(in contract.StageInput, model artifact.Ref) contract.State {
	return contract.State{Snapshot: model, Key: in.Key + "/" + model.Content}
}

// demonstrations trains in spans of chunk steps, each ending in a snapshot, and exports the model.
func demonstrations(ctx workflow.Context, in contract.StageInput, m *monitor, state contract.State, steps, chunk int, numbers map[string]float64) (contract.StageOut, error) {
	t := trainee{in: in, monitor: m, resume: contract.Resume{State: state}}
	if _, err := t.spans(ctx, steps, chunk); err != nil {
		return contract.StageOut{}, err
	}
	done, loss := t.resume.Done, t.resume.Numbers["loss"]
	return export(ctx, in, m.control, t.resume.State, fmt.Sprintf("%d steps, loss %.3f%s", done, loss, m.leftOutText()),
		merge(numbers, map[string]float64{"loss": loss, "steps": float64(done)}))
}

// trainee is a model in training on demonstrations, with what a workflow that goes on with it must know.
type trainee struct {
	in      contract.StageInput
	monitor *monitor
	resume  contract.Resume
}

// spans trains up to a number of steps; end says that the stage ends before them.
func (t *trainee) spans(ctx workflow.Context, steps, chunk int) (end bool, err error) {
	if r := t.in.Resume; r != nil {
		t.resume = *r
	}
	c := t.monitor.control
	for t.resume.Done < steps {
		from := t.resume.Done
		to := min(from+chunk, steps)
		if end, err := c.border(ctx, from, to); end || err != nil {
			return end, err
		}
		t.resume.Control = c.state()
		out, err := callAt[contract.TrainOutput](ctx, t.resume.State, contract.TrainDemos, fmt.Sprintf("steps %d to %d of %d", from+1, to, steps),
			contract.TrainInput{Stage: t.in.Stage, State: t.resume.State, Data: t.resume.Data, Span: contract.Span{From: from, To: to, Tuning: c.tuning}, Total: steps,
				Checkpoint: &contract.Checkpoint{Key: t.in.Key, Resume: t.resume}})
		if err != nil {
			return false, err
		}
		t.resume.State, t.resume.Done = out.State, to
		t.number("loss", out.Loss)
		t.monitor.leaveOut(out.LeftOut)
		t.monitor.step(ctx, to, fmt.Sprintf("steps, loss %.3f", out.Loss), out.Loss)
	}
	return false, nil
}

// number keeps a number of the result.
func (t *trainee) number(name string, v float64) {
	t.resume.Numbers = merge(t.resume.Numbers, map[string]float64{name: v})
}

// export writes a state's parameters as a model artifact and makes the stage's result.
func export(ctx workflow.Context, in contract.StageInput, c *control, state contract.State, summary string, numbers map[string]float64) (contract.StageOut, error) {
	in.Stage.Interventions = c.interventions
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
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}
