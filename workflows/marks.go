package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/pipelines"
)

var (
	markPipeline  = temporal.NewSearchAttributeKeyKeyword(contract.AttributePipeline)
	markStage     = temporal.NewSearchAttributeKeyKeyword(contract.AttributeStage)
	markIteration = temporal.NewSearchAttributeKeyInt64(contract.AttributeIteration)
	markReward    = temporal.NewSearchAttributeKeyFloat64(contract.AttributeReward)
	markModel     = temporal.NewSearchAttributeKeyKeyword(contract.AttributeModel)
)

// marks are the search attributes of a workflow. One that began before there were any goes on without.
type marks struct{ on bool }

func newMarks(ctx workflow.Context) marks {
	return marks{workflow.GetVersion(ctx, "search attributes", workflow.DefaultVersion, 1) >= 1}
}

// put sets attributes; workers see to it that the namespace has them before they start.
func (m marks) put(ctx workflow.Context, updates ...temporal.SearchAttributeUpdate) {
	if !m.on || len(updates) == 0 {
		return
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, updates...); err != nil {
		workflow.GetLogger(ctx).Warn("search attributes are not set", "error", err)
	}
}

func (m marks) pipeline(ctx workflow.Context, name string) { m.put(ctx, markPipeline.ValueSet(name)) }

func (m marks) stage(ctx workflow.Context, id string) { m.put(ctx, markStage.ValueSet(id)) }

// model names the model that a stage has made, if it makes one.
func (m marks) model(ctx workflow.Context, out contract.StageOut) {
	if ref, ok := out.Outputs[pipelines.ModelOutput]; ok {
		m.put(ctx, markModel.ValueSet(ref.String()))
	}
}

// iteration says how far a stage is, and its reward where it has one.
func (m marks) iteration(ctx workflow.Context, done int, values map[string]float64) {
	updates := []temporal.SearchAttributeUpdate{markIteration.ValueSet(int64(done))}
	if reward, ok := values["reward"]; ok {
		updates = append(updates, markReward.ValueSet(reward))
	}
	m.put(ctx, updates...)
}
