package workflows

import (
	"fmt"
	"maps"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

// Alias takes the model that an alias means now, or lets the stage behind it make one. It looks anew each time, for what the alias means is no
// part of the stage's settings; what it found is in the history.
func Alias(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Alias)
	c, err := newControl(ctx, in)
	if err != nil {
		return contract.StageOut{}, err
	}
	if _, err := watch(ctx, in, c, 1); err != nil {
		return contract.StageOut{}, err
	}
	named, err := call[contract.NamedModel](ctx, contract.QueueLight, contract.ResolveAlias, "look up "+s.Name, s.Name)
	switch {
	case err != nil:
		return contract.StageOut{}, err
	case named.Found:
		return modelOut(named.Ref, fmt.Sprintf("%s is %s", s.Name, named.Ref.Short()), map[string]float64{"params": float64(named.Params)}), nil
	case in.Or == nil:
		return contract.StageOut{}, temporal.NewNonRetryableApplicationError(
			fmt.Sprintf("there is no alias %s: set it with temper artifacts alias set, or say with or: where the model comes from until it is there", s.Name), "permanent", nil)
	}
	out, err := behind(ctx, *in.Or)
	out.Summary = fmt.Sprintf("no %s yet; %s", s.Name, out.Summary)
	return out, err
}

// behind runs the stage behind an alias in the alias's own workflow.
func behind(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	switch in.Stage.Stage.Kind {
	case "import":
		return Import(ctx, in)
	case "pretrain":
		return Pretrain(ctx, in)
	case "alias":
		return Alias(ctx, in)
	}
	return contract.StageOut{}, temporal.NewNonRetryableApplicationError("a stage of kind "+in.Stage.Stage.Kind+" cannot stand behind an alias", "permanent", nil)
}

// promoteTurns bounds how often a promotion starts again because somebody else changed the alias meanwhile.
const promoteTurns = 5

// Promote makes an alias name a model if the gate holds against the model that it names, and leaves it otherwise. It looks anew each time, for
// the alias is no part of the stage's settings; the measurement of a champion is remembered like a stage.
func Promote(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	s := in.Stage.Stage.Settings.(*pipelines.Promote)
	c, err := newControl(ctx, in)
	if err != nil {
		return contract.StageOut{}, err
	}
	m, err := watch(ctx, in, c, 2)
	if err != nil {
		return contract.StageOut{}, err
	}
	p := &promotion{in: in, settings: s, model: in.Stage.Models[s.Model], monitor: m}
	for range promoteTurns {
		out, decided, err := p.turn(ctx)
		if decided || err != nil {
			return out, err
		}
	}
	return p.kept(fmt.Sprintf("it was changed by others %d times while this stage looked at it", promoteTurns)), nil
}

// promotion is one promotion under way.
type promotion struct {
	in       contract.StageInput
	settings *pipelines.Promote
	model    artifact.Ref
	monitor  *monitor

	current contract.NamedModel // what the alias means
	record  artifact.Ref        // of the comparison
	numbers map[string]float64
}

// turn looks at the alias, at the gate, and changes the alias. It has not decided where the alias was changed meanwhile.
func (p *promotion) turn(ctx workflow.Context) (out contract.StageOut, decided bool, err error) {
	s := p.settings
	p.record, p.numbers = artifact.Ref{}, map[string]float64{}
	if p.current, err = p.lookUp(ctx, s.Alias); err != nil {
		return out, false, err
	}
	if p.current.Found && p.current.Ref.Content == p.model.Content {
		return p.kept("it names this model already"), true, nil
	}
	holds, why, err := p.gate(ctx)
	if err != nil {
		return out, false, err
	}
	p.monitor.step(ctx, 1, why)
	if !holds {
		return p.kept(why), true, nil
	}
	done, err := call[contract.PromoteOut](ctx, contract.QueueLight, contract.PromoteModel, fmt.Sprintf("let %s name %s", s.Alias, p.model.Short()),
		contract.PromoteInput{Run: p.in.Stage.Run, Stage: p.in.Stage.Stage.ID, Alias: s.Alias, Model: p.model, Expect: p.current.Ref, Why: why})
	if err != nil || !done.Done {
		return out, false, err
	}
	p.monitor.step(ctx, 2, "promoted")
	return p.out(p.model, 1, fmt.Sprintf("promoted %s to %s: %s", s.Model, s.Alias, why)), true, nil
}

func (p *promotion) lookUp(ctx workflow.Context, alias string) (contract.NamedModel, error) {
	return call[contract.NamedModel](ctx, contract.QueueLight, contract.ResolveAlias, "look up "+alias, alias)
}

// gate says whether the model may take the alias, and why.
func (p *promotion) gate(ctx workflow.Context) (holds bool, why string, err error) {
	g := p.settings.Gate
	switch {
	case g == nil && !p.current.Found:
		return true, "there was none", nil
	case g == nil:
		return true, "in the place of " + p.current.Ref.Short() + ", without a gate", nil
	}
	champion := p.current
	if g.BetterThan != p.settings.Alias {
		if champion, err = p.lookUp(ctx, g.BetterThan); err != nil {
			return false, "", err
		}
	}
	switch {
	case !champion.Found:
		return true, fmt.Sprintf("there was no %s to be better than", g.BetterThan), nil
	case champion.Ref.Content == p.model.Content:
		return false, fmt.Sprintf("%s is this very model", g.BetterThan), nil
	}
	measured, err := p.measure(ctx, champion.Ref)
	if err != nil {
		return false, "", err
	}
	c, err := call[contract.CompareOut](ctx, contract.QueueCPU, contract.CompareModels, fmt.Sprintf("compare %s with %s", p.model.Short(), champion.Ref.Short()),
		contract.CompareInput{Stage: p.in.Stage, Model: p.model, Champion: champion.Ref, Candidate: p.in.Gate.Candidate, Against: measured})
	if err != nil {
		return false, "", err
	}
	p.record = c.Ref
	p.numbers = map[string]float64{"model": c.Model, "champion": c.Champion, "difference": c.Paired.Difference, "p": c.Paired.P, "problems": float64(c.Paired.N)}
	return c.Holds, fmt.Sprintf("%s (%s)", c.Text, champion.Ref.Short()), nil
}

// championName is what a champion is called in its evaluation.
const championName = "champion"

// measure evaluates a champion as the gate's evaluation measured its own models. It is remembered, so the next run on the same problems finds it.
func (p *promotion) measure(ctx workflow.Context, champion artifact.Ref) (artifact.Ref, error) {
	stage := p.in.Gate.Evaluation
	settings := *stage.Stage.Settings.(*pipelines.Evaluate)
	settings.Models = pipelines.Names{championName}
	stage.Stage.ID, stage.Stage.Settings = p.in.Stage.Stage.ID, &settings
	stage.Models = map[string]artifact.Ref{championName: champion}
	key := stage.Stage.Key(map[string]string{"models[0]": champion.Content}, map[string]string{settings.Tasks: stage.Data[settings.Tasks].Content}, stage.Seed)
	if p.in.Gate.Fresh != "" {
		key += "-" + p.in.Gate.Fresh
	}
	out, err := remembered(ctx, key, func() (contract.StageOut, error) {
		row, err := call[contract.EvaluateOutput](ctx, contract.QueueGPU, contract.EvaluateModel, fmt.Sprintf("evaluate %s on %s", champion.Short(), settings.Tasks),
			contract.EvaluateInput{Stage: stage, Name: championName, Model: champion})
		return contract.StageOut{Outputs: map[string]artifact.Ref{evaluated + championName: row.Ref}, Summary: "measured " + champion.Short()}, err
	})
	return out.Outputs[evaluated+championName], err
}

// kept is the result that leaves the alias as it is.
func (p *promotion) kept(why string) contract.StageOut {
	if !p.current.Found {
		return p.out(artifact.Ref{}, 0, fmt.Sprintf("left %s unset: %s", p.settings.Alias, why))
	}
	return p.out(p.current.Ref, 0, fmt.Sprintf("kept the champion of %s: %s", p.settings.Alias, why))
}

func (p *promotion) out(model artifact.Ref, promoted float64, summary string) contract.StageOut {
	numbers := maps.Clone(p.numbers)
	numbers["promoted"] = promoted
	out := modelOut(model, summary, numbers)
	if model.IsZero() {
		delete(out.Outputs, pipelines.ModelOutput)
	}
	if !p.record.IsZero() {
		out.Outputs["promotion"] = p.record
	}
	return out
}
