package activities

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
	"temper/lm/hf"
	"temper/pipelines"
)

// trained does the spans one after another and returns the snapshots' contents.
func trained(l *lab, a *Activities, stage contract.Stage, state contract.State, data artifact.Ref, spans ...contract.Span) []contract.TrainOutput {
	l.t.Helper()
	var out []contract.TrainOutput
	for _, span := range spans {
		r := done(l, a, (*Activities).trainDemos, contract.TrainInput{Stage: stage, State: state, Data: data, Span: span, Total: 4})
		require.Empty(l.t, r.State.Log)
		require.Equal(l.t, span.To, r.State.Step)
		out = append(out, r)
		state = r.State
	}
	return out
}

// TestTrainDemosIsAFunctionOfItsInputs: the same steps give the same snapshot, whoever does them, at once or in parts.
func TestTrainDemosIsAFunctionOfItsInputs(t *testing.T) {
	l := newLab(t)
	student, err := l.a.initModel(l.ctx, l.stage("student"))
	require.NoError(t, err)
	samples := done(l, l.a, (*Activities).sampleTeacher, l.stage("student"))
	for _, c := range []struct {
		id    string
		model artifact.Ref
		data  artifact.Ref
	}{
		{"base", l.out["base"]["model"], artifact.Ref{}},
		{"sft", l.out["base"]["model"], artifact.Ref{}},
		{"student", student.Ref, samples.Data},
	} {
		t.Run(c.id, func(t *testing.T) {
			l.t = t
			stage, first := l.stage(c.id), start(c.model)
			whole := trained(l, newWorker(t, l.store), stage, first, c.data, contract.Span{From: 0, To: 4})[0]
			require.Positive(t, whole.Loss)
			require.Positive(t, whole.Tokens)
			require.NotEqual(t, l.tensors(c.model), l.tensors(whole.State.Snapshot), "the steps change the model")

			again := trained(l, newWorker(t, l.store), stage, first, c.data, contract.Span{From: 0, To: 4})[0]
			require.Equal(t, whole, again, "another worker gives the same answer, the snapshot's digest and the key included")

			one := newWorker(t, l.store)
			parts := trained(l, one, stage, first, c.data, contract.Span{From: 0, To: 2}, contract.Span{From: 2, To: 4})
			require.Equal(t, whole.State.Snapshot.Content, parts[1].State.Snapshot.Content, "in two parts")
			require.InDelta(t, whole.Loss, (parts[0].Loss+parts[1].Loss)/2, 1e-9)
			resumed := trained(l, newWorker(t, l.store), stage, parts[0].State, c.data, contract.Span{From: 2, To: 4})[0]
			require.Equal(t, parts[1], resumed, "the second part by a worker that holds nothing")

			if c.id == "base" {
				return // a stream's places are its steps'; the seed drew the initial parameters
			}
			other := stage
			other.Seed++
			require.NotEqual(t, whole.State.Snapshot.Content, trained(l, one, other, first, c.data, contract.Span{From: 0, To: 4})[0].State.Snapshot.Content,
				"the seed decides")
		})
	}
}

func TestTrainDemosStopsWithItsContext(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancel(l.ctx)
	e, err := l.a.open()
	require.NoError(t, err)
	cancel()
	_, err = l.a.trainDemos(ctx, e.cutting(1), contract.TrainInput{Stage: l.stage("sft"), State: start(l.out["base"]["model"]), Span: contract.Span{To: 4}, Total: 4})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, l.a.residents.keys, "nothing half done stays under a name")
}

func TestPlanDemos(t *testing.T) {
	for _, c := range []struct {
		name string
		set  []string
		want int
	}{
		{"steps", []string{"stages.sft.steps=5"}, 5},
		{"a row each", []string{"stages.sft.steps=0", "stages.sft.epochs=3", "stages.sft.packing=false"}, 6},          // 8 in fours, three times
		{"examples", []string{"stages.sft.steps=0", "stages.sft.epochs=1", "stages.sft.examples=3"}, 3},               // 8 in threes
		{"a small part", []string{"stages.sft.steps=0", "stages.sft.epochs=0.01", "stages.sft.packing=false"}, 1},     // at least one
		{"half an epoch", []string{"stages.sft.steps=0", "stages.sft.epochs=0.5", "stages.sft.packing=false"}, 1},     // 4 of 8
		{"a bit more than half", []string{"stages.sft.steps=0", "stages.sft.epochs=0.6", "stages.sft.examples=2"}, 3}, // 4.8 in twos
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, c.set...)
			span, err := l.a.planDemos(l.ctx, l.stage("sft"))
			require.NoError(t, err)
			require.Equal(t, contract.Span{To: c.want}, span)
		})
	}
}

func TestDemonstrationsMustBeThere(t *testing.T) {
	l := newLab(t)
	problems := l.problems(l.sets["demos"].Ref)
	problems[3].Solution = ""
	l.replaceSet("demos", problems)
	_, err := do(l, l.a, (*Activities).trainDemos, contract.TrainInput{Stage: l.stage("sft"), State: start(l.out["base"]["model"]), Span: contract.Span{To: 1}, Total: 1})
	require.ErrorContains(t, err, "problem "+problems[3].ID+" has no demonstration")

	_, err = do(l, l.a, (*Activities).trainDemos, contract.TrainInput{Stage: l.stage("probe"), State: start(l.out["base"]["model"]), Span: contract.Span{To: 1}, Total: 1})
	require.ErrorContains(t, err, "stage probe of kind rl does not train on demonstrations")
}

// TestModelsKnowWhereTheyComeFrom asks the bucket for the lineage of an exported model.
func TestModelsKnowWhereTheyComeFrom(t *testing.T) {
	l := newLab(t)
	stage := l.stage("sft")
	state := trained(l, l.a, stage, start(l.out["base"]["model"]), artifact.Ref{}, contract.Span{From: 0, To: 1})[0].State
	model := done(l, l.a, (*Activities).exportModel, contract.StateInput{Stage: stage, State: state})
	require.Equal(t, l.tensors(state.Snapshot), l.tensors(model.Ref), "the export is the snapshot's parameters")
	l.gives("sft", pipelines.ModelOutput, model.Ref)

	node, err := l.store.Lineage(l.ctx, model.Ref)
	require.NoError(t, err)
	require.ElementsMatch(t, []artifact.Ref{l.out["base"]["model"], l.sets["demos"].Ref, l.sets["stream"].Ref}, node.Ancestors())
	require.Equal(t, "sft", node.Manifest.MadeBy.Stage)
	require.Equal(t, "lab", node.Manifest.MadeBy.Workflow)
	require.NotEmpty(t, node.Manifest.Device)
	require.Equal(t, "test", node.Manifest.Code)

	snapshot, err := l.store.Lineage(l.ctx, state.Snapshot)
	require.NoError(t, err)
	require.Contains(t, snapshot.Ancestors(), l.out["base"]["model"])
}

// TestInputs lists the parents that each stage's settings name.
func TestInputs(t *testing.T) {
	l := newLab(t)
	log, limr, sws := made("log", "probe"), made("problems", "limr"), made("problems", "sws")
	l.gives("probe", pipelines.LogOutput, log)
	l.gives("limr", pipelines.ProblemsOutput, limr)
	l.gives("sws", pipelines.ProblemsOutput, sws)
	model, pool := l.out["probe"]["model"], l.sets["pool"].Ref
	for _, c := range []struct {
		id   string
		want []artifact.Parent
	}{
		{"base", []artifact.Parent{{Role: "tasks/stream", Ref: l.sets["stream"].Ref}}},
		{"sft", []artifact.Parent{{Role: "model", Ref: l.out["base"]["model"]}, {Role: "tasks/demos", Ref: l.sets["demos"].Ref}}},
		{"limr", []artifact.Parent{{Role: "log", Ref: log}, {Role: "tasks/pool", Ref: pool}}},
		{"chance", []artifact.Parent{{Role: "like", Ref: limr}, {Role: "tasks/pool", Ref: pool}}},
		{"sws", []artifact.Parent{{Role: "model", Ref: model}, {Role: "log", Ref: log}, {Role: "tasks/pool", Ref: pool}}},
		{"more", []artifact.Parent{{Role: "model", Ref: model}, {Role: "tasks[0]", Ref: limr}, {Role: "tasks[1]", Ref: sws}}},
		{"student", []artifact.Parent{{Role: "teacher", Ref: model}, {Role: "tasks/pool", Ref: pool}}},
	} {
		require.Equal(t, c.want, inputs(l.stage(c.id)), c.id)
	}
}

func made(kind, name string) artifact.Ref {
	return artifact.Ref{Kind: kind, Digest: name, Content: name}
}

// TestAStateIsNeverRounded: a model whose checkpoints are in half precision trains in single precision, across snapshots too.
func TestAStateIsNeverRounded(t *testing.T) {
	l := newLab(t)
	files, err := l.a.files(l.ctx, l.out["base"]["model"])
	require.NoError(t, err)
	model, err := hf.ReadFrom(files)
	require.NoError(t, err)
	model.Config.Dtype = "bfloat16"
	half, err := l.a.commitModel(l.ctx, l.stage("base"), model, nil, "in half precision")
	require.NoError(t, err)

	stage, a := l.stage("sft"), l.a
	whole := trained(l, a, stage, start(half.Ref), artifact.Ref{}, contract.Span{From: 0, To: 4})[0]
	parts := trained(l, newWorker(t, l.store), stage, start(half.Ref), artifact.Ref{}, contract.Span{From: 0, To: 2})
	resumed := trained(l, newWorker(t, l.store), stage, parts[0].State, artifact.Ref{}, contract.Span{From: 2, To: 4})[0]
	require.Equal(t, whole.State.Snapshot.Content, resumed.State.Snapshot.Content)

	export := done(l, newWorker(t, l.store), (*Activities).exportModel, contract.StateInput{Stage: stage, State: resumed.State})
	files, err = l.a.files(l.ctx, export.Ref)
	require.NoError(t, err)
	model, err = hf.ReadFrom(files)
	require.NoError(t, err)
	require.Equal(t, "bfloat16", model.Config.Dtype, "it goes out as it came in")
	require.NotEqual(t, l.tensors(resumed.State.Snapshot), model.Tensors, "the state is finer than the checkpoint")
}

// The precision and the recomputation that a stage asks for reach its steps.
func TestHowAStepIsComputed(t *testing.T) {
	loss := func(set ...string) float64 {
		l := newLab(t, set...)
		return trained(l, l.a, l.stage("sft"), start(l.out["base"]["model"]), artifact.Ref{}, contract.Span{From: 0, To: 3})[0].Loss
	}
	plain := loss()
	require.InDelta(t, plain, loss("stages.sft.recompute=true"), 1e-5)
	half := loss("stages.sft.precision=bfloat16")
	require.NotEqual(t, plain, half)
	require.InEpsilon(t, plain, half, 0.02)
}
