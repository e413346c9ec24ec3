package main

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"temper/activities/contract"
)

// A workflow is reset to a point: its events before the point stay, and it goes on from the workflow task that was waiting or under way
// there. What came after is not done again to it: no signal, no update, no child's end (reset.go).

// history reads all events of one run of a workflow; without runID, of the newest.
func (c *conn) history(ctx context.Context, id, runID string) ([]*historypb.HistoryEvent, error) {
	return history(ctx, c.client, id, runID)
}

func history(ctx context.Context, c client.Client, id, runID string) ([]*historypb.HistoryEvent, error) {
	var out []*historypb.HistoryEvent
	events := c.GetWorkflowHistory(ctx, id, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", id, err)
		}
		out = append(out, e)
	}
	return out, nil
}

// points lists the events at which a workflow task is waiting or under way: those that a reset can name, in order.
func points(events []*historypb.HistoryEvent) []int64 {
	var out []int64
	open := false
	for _, e := range events {
		if open {
			out = append(out, e.GetEventId())
		}
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
			open = true
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			open = false
		}
	}
	return out
}

// pointBefore is the last point at which the event has not happened yet; 0 when there is none.
func pointBefore(events []*historypb.HistoryEvent, event int64) int64 {
	var last int64
	for _, p := range points(events) {
		if p <= event {
			last = p
		}
	}
	return last
}

// pointAfter is the first point at which the event has happened; 0 when there is none.
func pointAfter(events []*historypb.HistoryEvent, event int64) int64 {
	for _, p := range points(events) {
		if p > event {
			return p
		}
	}
	return 0
}

// lastPoint is the last point of a history; 0 when there is none.
func lastPoint(events []*historypb.HistoryEvent) int64 {
	return pointBefore(events, int64(len(events))+1)
}

// pointOfFailure is the point before the work that failed was asked for, so that it is asked for again: the last activity that failed for
// good; where none did, the last point.
func pointOfFailure(events []*historypb.HistoryEvent) int64 {
	var scheduled int64
	for _, e := range events {
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED:
			scheduled = e.GetActivityTaskFailedEventAttributes().GetScheduledEventId()
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
			scheduled = e.GetActivityTaskTimedOutEventAttributes().GetScheduledEventId()
		}
	}
	if scheduled == 0 {
		return lastPoint(events)
	}
	return pointBefore(events, scheduled)
}

// iterations finds the event with which each iteration of a stage was done, by how much was done then.
func iterations(events []*historypb.HistoryEvent) (map[int]int64, error) {
	out := map[int]int64{}
	asked := map[int64]int{} // scheduled event -> how much is done with it
	steps := 0               // of a distillation, before its rounds
	for _, e := range events {
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
			var in contract.StageInput
			if err := decode(e.GetWorkflowExecutionStartedEventAttributes().GetInput(), &in); err != nil {
				return nil, err
			}
			steps = offPolicySteps(in)
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			a := e.GetActivityTaskScheduledEventAttributes()
			var done int
			var err error
			switch a.GetActivityType().GetName() {
			case contract.UpdatePolicy:
				var in contract.PolicyInput
				err = decode(a.GetInput(), &in)
				done = in.Step.Round + 1
			case contract.TrainDemos:
				var in contract.TrainInput
				err = decode(a.GetInput(), &in)
				done = in.Span.To
			case contract.DistillRound:
				var in contract.DistillInput
				err = decode(a.GetInput(), &in)
				done = steps + in.Round + 1
			}
			if err != nil {
				return nil, err
			}
			if done > 0 {
				asked[e.GetEventId()] = done
			}
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
			if done, ok := asked[e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId()]; ok {
				out[done] = e.GetEventId()
			}
		}
	}
	return out, nil
}
