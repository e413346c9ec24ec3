package main

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

func TestRecordFromHistory(t *testing.T) {
	p, err := pipelines.Load("tiny", nil)
	require.NoError(t, err)
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	payload := func(v any) *commonpb.Payloads {
		out, err := converter.GetDefaultDataConverter().ToPayloads(v)
		require.NoError(t, err)
		return out
	}
	child := func(stage string) *commonpb.WorkflowExecution {
		return &commonpb.WorkflowExecution{WorkflowId: "tiny-1/" + stage}
	}
	started := func(stage string) *historypb.HistoryEvent {
		return &historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
			Attributes: &historypb.HistoryEvent_ChildWorkflowExecutionStartedEventAttributes{
				ChildWorkflowExecutionStartedEventAttributes: &historypb.ChildWorkflowExecutionStartedEventAttributes{WorkflowExecution: child(stage)}}}
	}
	completed := func(stage string, out contract.StageOut) *historypb.HistoryEvent {
		return &historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
			Attributes: &historypb.HistoryEvent_ChildWorkflowExecutionCompletedEventAttributes{
				ChildWorkflowExecutionCompletedEventAttributes: &historypb.ChildWorkflowExecutionCompletedEventAttributes{WorkflowExecution: child(stage), Result: payload(out)}}}
	}
	failure := &failurepb.Failure{Message: "child failed", Cause: &failurepb.Failure{Message: "activity failed", Cause: &failurepb.Failure{Message: "the loss is NaN"}}}
	events := []*historypb.HistoryEvent{
		{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
			WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Input: payload(contract.PipelineInput{Pipeline: p})}}},
		started("base"), completed("base", contract.StageOut{Skipped: true, Summary: "from before"}),
		started("sft"), completed("sft", contract.StageOut{Summary: "loss 0.1", Numbers: map[string]float64{"loss": 0.1}}),
		started("limr"), started("probe"),
		{EventType: enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED, Attributes: &historypb.HistoryEvent_ChildWorkflowExecutionFailedEventAttributes{
			ChildWorkflowExecutionFailedEventAttributes: &historypb.ChildWorkflowExecutionFailedEventAttributes{WorkflowExecution: child("probe"), Failure: failure}}},
		{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, Attributes: &historypb.HistoryEvent_WorkflowExecutionFailedEventAttributes{
			WorkflowExecutionFailedEventAttributes: &historypb.WorkflowExecutionFailedEventAttributes{Failure: &failurepb.Failure{Message: "x", Cause: failure}}}},
	}
	rec := &record{Stages: map[string]*stageRecord{}}
	for i, e := range events {
		e.EventTime = timestamppb.New(began.Add(time.Duration(i) * time.Second))
		require.NoError(t, rec.add("tiny-1", e))
	}
	require.Equal(t, "tiny", rec.In.Pipeline.Name)
	require.Nil(t, rec.Out)
	require.Equal(t, "the loss is NaN", rec.Cause)
	require.Equal(t, []string{"limr"}, rec.running())
	require.Equal(t, "skipped", rec.Stages["base"].Status)
	require.Equal(t, "done", rec.Stages["sft"].Status)
	require.Equal(t, "1s", rec.Stages["sft"].took())
	require.Equal(t, "loss 0.1", numbers(rec.Stages["sft"].Out.Numbers))
	require.Equal(t, "failed", rec.Stages["probe"].Status)
	require.Equal(t, "the loss is NaN", rec.Stages["probe"].Cause)

	require.NoError(t, rec.add("tiny-1", &historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{
			Result: payload(contract.PipelineOut{Report: contract.ReportOut{Ref: artifact.Ref{Kind: "report", Digest: "ab"}}})}}}))
	require.Equal(t, "ab", rec.Out.Report.Ref.Digest)
}

func TestFindRun(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	execution := func(id string, age time.Duration) *workflowpb.WorkflowExecutionInfo {
		return &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: id + "'s"}, StartTime: timestamppb.New(began.Add(-age)),
			Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING}
	}
	described := func(id string) *client.WorkflowExecutionDescription {
		d := &client.WorkflowExecutionDescription{}
		d.WorkflowExecution.ID, d.WorkflowExecution.RunID, d.Status = id, id+"'s", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
		return d
	}
	tests := []struct{ name, want, err string }{
		{"latest", "reason-22", ""},
		{"tiny", "tiny-33", ""},
		{"reason-11", "reason-11", ""},
		{"reason", "", `2 runs have names that begin with "reason"`},
		{"other", "", `no such run: "other"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &mocks.Client{}
			for _, id := range []string{"reason-11", "reason-22", "tiny-33"} {
				m.On("DescribeWorkflow", mock.Anything, id, mock.Anything).Return(described(id), nil)
			}
			m.On("DescribeWorkflow", mock.Anything, mock.Anything, "").Return((*client.WorkflowExecutionDescription)(nil), serviceerror.NewNotFound("no"))
			m.On("ListWorkflow", mock.Anything, mock.MatchedBy(func(r *workflowservice.ListWorkflowExecutionsRequest) bool { return len(r.NextPageToken) == 0 })).Return(
				&workflowservice.ListWorkflowExecutionsResponse{NextPageToken: []byte("more"), Executions: []*workflowpb.WorkflowExecutionInfo{execution("reason-11", time.Hour)}}, nil)
			m.On("ListWorkflow", mock.Anything, mock.Anything).Return(
				&workflowservice.ListWorkflowExecutionsResponse{Executions: []*workflowpb.WorkflowExecutionInfo{execution("tiny-33", time.Minute), execution("reason-22", time.Second)}}, nil)
			c := &conn{client: m}
			r, err := c.findRun(t.Context(), tt.name)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, r.ID)
			require.Equal(t, "completed", r.Status, "the listing is late, the run's own description is not")
		})
	}
}

func TestCause(t *testing.T) {
	act := func() error {
		return temporal.NewNonRetryableApplicationError("tasks.pool: gsm8k.jsonl:7: not JSON", "permanent", errors.New("not JSON"))
	}
	stage := func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
		return workflow.ExecuteActivity(ctx, "TrainDemos").Get(ctx, nil)
	}
	pipeline := func(ctx workflow.Context) error {
		ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: "tiny-1/sft"})
		if err := workflow.ExecuteChildWorkflow(ctx, "SFT").Get(ctx, nil); err != nil {
			return fmt.Errorf("stage sft: %w", err)
		}
		return nil
	}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.RegisterActivityWithOptions(act, activityNamed("TrainDemos"))
	env.RegisterWorkflowWithOptions(stage, workflow.RegisterOptions{Name: "SFT"})
	env.RegisterWorkflow(pipeline)
	env.ExecuteWorkflow(pipeline)
	require.Error(t, env.GetWorkflowError())
	text := cause(env.GetWorkflowError())
	require.Contains(t, text, "not JSON")
	require.Contains(t, text, "stage sft")
	require.NotContains(t, text, "retryable")

	require.Equal(t, "out of paper", cause(fmt.Errorf("print: %w", errors.New("out of paper"))))
	require.Contains(t, cause(temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_HEARTBEAT, nil)), "timed out (Heartbeat)")
}
