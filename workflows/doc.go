// Package workflows is the deterministic control of a run: the pipeline starts a child workflow for each stage when its inputs are there,
// and each stage asks activities for its work. It may import Temporal's workflow API, pipelines and activities/contract; never gomlx,
// minio-go, net, os or the clock. What it decides (which batch, which round, when to interleave) is thereby in the history.
package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
)

// Register adds every workflow to a worker.
//
// Where workers are a deployment of several builds (worker.deployment), a stage stays with the build that began it: its weights come from one
// program. A pipeline outlives builds, so it goes on with the current one, and so do the stages that it starts then; replay tests hold it to
// that.
func Register(r worker.WorkflowRegistry) {
	r.RegisterWorkflowWithOptions(Pipeline, workflow.RegisterOptions{Name: contract.PipelineWorkflow, VersioningBehavior: workflow.VersioningBehaviorAutoUpgrade})
	for kind, stage := range map[string]any{
		"import": Import, "pretrain": Pretrain, "sft": SFT, "rl": RL, "curate": Curate, "synthesize": Synthesize, "distill": Distill, "evaluate": Evaluate,
		"alias": Alias, "promote": Promote,
	} {
		r.RegisterWorkflowWithOptions(stage, workflow.RegisterOptions{Name: contract.StageWorkflows[kind], VersioningBehavior: workflow.VersioningBehaviorPinned})
	}
}
