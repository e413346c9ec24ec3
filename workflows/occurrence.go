package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
)

// scheduledFor is the attribute in which Temporal's schedules say for what time they started a workflow.
var scheduledFor = temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime")

// occurrence numbers the runs of a schedule: the periods from 1970 to the time that the run was scheduled for, so a run that starts late,
// or is backfilled, is the occurrence that it would have been. It is 0 for a run that no schedule started.
func occurrence(ctx workflow.Context, in contract.PipelineInput) uint64 {
	if in.Occurrence > 0 || in.Period <= 0 {
		return in.Occurrence
	}
	at, ok := workflow.GetTypedSearchAttributes(ctx).GetTime(scheduledFor)
	if !ok || at.Unix() < 0 {
		return 0
	}
	return uint64(at.Unix() / in.Period)
}
