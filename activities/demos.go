package activities

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"temper/activities/contract"
	"temper/artifact"
	"temper/data"
	"temper/objective"
	"temper/pipelines"
	"temper/tasks"
	"temper/train"
)

// trainDemos does the steps [From, To) of a stage on demonstrations and saves the state. What a step trains on depends on the stage's
// inputs, its seed and the step's number alone.
func (a *Activities) trainDemos(ctx context.Context, e *engine, in contract.TrainInput) (contract.TrainOutput, error) {
	e.room.atLeast(in.State.Parts)
	held, err := a.restore(ctx, e, in.Stage, in.State)
	if err != nil {
		return contract.TrainOutput{}, err
	}
	out, err := a.demoSteps(ctx, e, in, held)
	if err != nil {
		held.state.Free()
		return out, err
	}
	state, err := a.advance(e, held, in.State, contract.Update{Demos: &contract.DemoSteps{Span: in.Span, Data: in.Data, Total: in.Total}})
	if err != nil {
		return out, err
	}
	ref, err := a.snapshot(ctx, e, in.Stage, held, state)
	if err != nil {
		return out, err
	}
	state.Snapshot, state.Log = ref, nil
	out.State = state
	if c := in.Checkpoint; c != nil {
		c.Resume.Done, c.Resume.Numbers = in.Span.To, withNumber(c.Resume.Numbers, "loss", out.Loss)
	}
	_, err = a.checkpoint(ctx, in.Stage, in.Checkpoint, out.State)
	return out, err
}

func (a *Activities) demoSteps(ctx context.Context, e *engine, in contract.TrainInput, held *resident) (contract.TrainOutput, error) {
	var err error
	if in.Stage, err = tuned(in.Stage, in.Span.Tuning); err != nil {
		return contract.TrainOutput{}, err
	}
	plan, err := a.demoPlan(ctx, in, held.text)
	if err != nil {
		return contract.TrainOutput{}, err
	}
	var teacher *train.State
	if plan.teacher != nil {
		m, err := a.model(ctx, e, *plan.teacher)
		if err != nil {
			return contract.TrainOutput{}, err
		}
		teacher = &train.State{Config: m.config, Params: m.params}
	}
	schedule := scheduleOf(plan.optim, in.Total)
	settings := settingsOf(plan.optim, plan.objective)
	var out contract.TrainOutput
	g, done := guard{trainer: e.trainer, held: held}, 0.0
	for step := in.Span.From; step < in.Span.To; step++ {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		examples, err := plan.examples(step)
		if err != nil {
			return out, err
		}
		batches, err := e.pack(examples, plan.layout, nil)
		if err != nil {
			return out, err
		}
		r, ok, err := g.update(fmt.Sprintf("step %d", step+1), settings, schedule.At(step), teacher, batches...)
		if err != nil {
			return out, err
		}
		if !ok {
			continue
		}
		out.Loss = (out.Loss*done + r.Loss) / (done + 1)
		done++
		out.Norm, out.Tokens = r.GradNorm, out.Tokens+r.Tokens
	}
	out.LeftOut = g.leftOut
	return out, nil
}

// demoPlan says what the steps of a stage train on and how.
type demoPlan struct {
	examples  func(step int) ([]train.Example, error)
	layout    train.Layout
	optim     pipelines.Optim
	objective objective.Objective
	teacher   *artifact.Ref
}

func (a *Activities) demoPlan(ctx context.Context, in contract.TrainInput, t *text) (demoPlan, error) {
	switch s := in.Stage.Stage.Settings.(type) {
	case *pipelines.Pretrain:
		stream, err := in.Stage.Streams[s.Data].Stream(ctx)
		if err != nil {
			return demoPlan{}, err
		}
		layout := train.Layout{Rows: s.Rows, Length: s.Length, Packing: true}
		return demoPlan{layout: layout, optim: s.Optim, objective: objective.SFT{}, examples: func(step int) ([]train.Example, error) {
			return streamExamples(stream, t, layout, s.MaskPrompt, step)
		}}, nil
	case *pipelines.SFT:
		pool, err := a.pooled(ctx, in.Stage, s.Data)
		if err != nil {
			return demoPlan{}, err
		}
		demos, err := solutions(t, pool.problems)
		if err != nil {
			return demoPlan{}, err
		}
		if err := fitRows(demos, s.Length, func(i int) string { return "problem " + pool.problems[i].ID }); err != nil {
			return demoPlan{}, err
		}
		order := shuffled(demos, in.Stage.Seed, demosPerStep(s, demos))
		return demoPlan{layout: train.Layout{Rows: s.Rows, Length: s.Length, Packing: s.Packing}, optim: s.Optim, objective: objective.SFT{},
			examples: func(step int) ([]train.Example, error) { return train.Demonstrations(order(step), s.MaskPrompt), nil }}, nil
	case *pipelines.Distill:
		demos, err := a.demonstrations(ctx, in.Data)
		if err != nil {
			return demoPlan{}, err
		}
		if err := fitRows(demos, s.Length, func(i int) string { return fmt.Sprintf("the teacher's sample %d", i+1) }); err != nil {
			return demoPlan{}, err
		}
		teacher := in.Stage.Models[s.Teacher]
		order := shuffled(demos, in.Stage.Seed, fill(s.Rows*s.Length, demos))
		return demoPlan{layout: train.Layout{Rows: s.Rows, Length: s.Length, Packing: true}, optim: s.Optim, teacher: &teacher,
			objective: objective.Distill{Divergence: "forward"},
			examples:  func(step int) ([]train.Example, error) { return train.Demonstrations(order(step), true), nil }}, nil
	default:
		return demoPlan{}, fmt.Errorf("stage %s of kind %s does not train on demonstrations", in.Stage.Stage.ID, in.Stage.Stage.Kind)
	}
}

// streamExamples takes problems from an endless stream, at places that belong to this step alone, until the next would not fit the batch.
func streamExamples(stream func(int) (tasks.Problem, error), t *text, layout train.Layout, maskPrompt bool, step int) ([]train.Example, error) {
	// A sequence takes at least one position, so no step needs more places than its batch has positions. Rows lose some room to packing.
	places := layout.Rows * layout.Length
	room := places * 92 / 100
	var demos []train.Demo
	for i := range places {
		p, err := stream(step*places + i)
		if err != nil {
			return nil, err
		}
		d, err := solution(t, p)
		if err != nil {
			return nil, err
		}
		if room -= len(d.Prompt) + len(d.Response) - 1; room < 0 && len(demos) > 0 {
			break
		}
		demos = append(demos, d)
	}
	return train.Demonstrations(demos, maskPrompt), nil
}

// solution makes a problem's own demonstration into tokens.
func solution(t *text, p tasks.Problem) (train.Demo, error) {
	if p.Messages != nil {
		return conversation(t, p)
	}
	if p.Solution == "" {
		return train.Demo{}, fmt.Errorf("problem %s has no demonstration to train on", p.ID)
	}
	return train.Demo{Prompt: t.prompt(p.Prompt), Response: t.response(p.Solution)}, nil
}

func solutions(t *text, problems []tasks.Problem) ([]train.Demo, error) {
	out := make([]train.Demo, len(problems))
	for i, p := range problems {
		var err error
		if out[i], err = solution(t, p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// shuffled gives n demonstrations for each step from an endless shuffled order.
func shuffled(demos []train.Demo, seed uint64, n int) func(step int) []train.Demo {
	m := data.Mixture{Sizes: []int{len(demos)}, Seed: seed}
	return func(step int) []train.Demo {
		var out []train.Demo
		for _, i := range m.Draw(step*n, n) {
			out = append(out, demos[i])
		}
		return out
	}
}

// fill is how many demonstrations of average length fill a batch of that many positions to nine tenths.
func fill(positions int, demos []train.Demo) int {
	total := 0
	for _, d := range demos {
		total += len(d.Prompt) + len(d.Response) - 1
	}
	return max(1, positions*9/10*len(demos)/max(1, total))
}

// demosPerStep is how many demonstrations an SFT step trains on.
func demosPerStep(s *pipelines.SFT, demos []train.Demo) int {
	switch {
	case s.Examples > 0:
		return s.Examples
	case s.Packing:
		return fill(s.Rows*s.Length, demos)
	default:
		return s.Rows
	}
}

// planDemos counts the steps of an SFT stage.
func (a *Activities) planDemos(ctx context.Context, stage contract.Stage) (contract.Span, error) {
	s := stage.Stage.Settings.(*pipelines.SFT)
	if s.Steps > 0 {
		return contract.Span{To: s.Steps}, nil
	}
	pool, err := a.pooled(ctx, stage, s.Data)
	if err != nil {
		return contract.Span{}, err
	}
	files, err := a.files(ctx, stage.Models[s.Model])
	if err != nil {
		return contract.Span{}, err
	}
	_, t, err := readModel(stage.Models[s.Model], files)
	if err != nil {
		return contract.Span{}, err
	}
	demos, err := solutions(t, pool.problems)
	if err != nil {
		return contract.Span{}, err
	}
	n := float64(demosPerStep(s, demos))
	return contract.Span{To: max(1, int(math.Ceil(s.Epochs*float64(len(demos))/n)))}, nil
}

func settingsOf(o pipelines.Optim, loss objective.Objective) train.Settings {
	return train.Settings{Objective: loss, Checkpoint: o.Recompute, Half: o.Precision == "bfloat16",
		Optimizer: train.Optimizer{Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Eps, WeightDecay: o.WeightDecay, ClipNorm: o.ClipNorm}}
}

func scheduleOf(o pipelines.Optim, total int) train.Schedule {
	return train.Schedule{Kind: o.Schedule, Peak: o.LR, Warmup: o.WarmupSteps, Total: total, Decay: int(math.Round(o.DecayRatio * float64(total))),
		FinalRatio: o.MinLRRatio}
}

const demosFile = "demonstrations.json.gz"

// demonstrations reads sampled demonstrations, which are kept as tokens and never made into text and back.
func (a *Activities) demonstrations(ctx context.Context, ref artifact.Ref) ([]train.Demo, error) {
	var out []train.Demo
	return out, a.readGzip(ctx, ref, demosFile, &out)
}

// gzipJSON writes v as compressed JSON; equal values give equal bytes.
func gzipJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(z).Encode(v); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func (a *Activities) readGzip(ctx context.Context, ref artifact.Ref, path string, into any) error {
	body, err := a.store.Read(ctx, ref, path)
	if err != nil {
		return err
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s/%s: %w", ref.Short(), path, err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		return fmt.Errorf("%s/%s: %w", ref.Short(), path, err)
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return fmt.Errorf("%s/%s: %w", ref.Short(), path, err)
	}
	return nil
}
