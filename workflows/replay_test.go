package workflows

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	"temper/activities/contract"
	"temper/pipelines"
)

const histories = "testdata/histories"

var (
	record      = flag.String("record", "", "address of a Temporal server whose run `-run-id` is recorded")
	recordInto  = flag.String("into", "", "name of the recording, which replaces the one that has it")
	recordRun   = flag.String("run-id", "", "id of the pipeline's workflow to record")
	recordMark  = flag.String("mark", "", "ends the names of the recorded histories, such as @first; only those that end so are replaced")
	recordSpace = flag.String("namespace", "temper", "namespace of the run to record")
)

// TestReplay holds the workflows to what they did in recorded runs: a change that would ask a running workflow for other commands than its
// history has fails here.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob(histories + "/*/*.json")
	require.NoError(t, err)
	kinds := map[string]bool{}
	for _, file := range files {
		name, err := filepath.Rel(histories, file)
		require.NoError(t, err)
		t.Run(strings.TrimSuffix(name, ".json"), func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			Register(replayer)
			require.NoError(t, replay(t, replayer, file))
		})
		kind, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".json"), "-")
		kinds[kind] = true
	}
	for _, kind := range append(pipelines.Kinds(), "pipeline") {
		require.True(t, kinds[kind], "no recorded history of kind %s", kind)
	}
}

// replay does a recorded workflow again under its own id, from which a pipeline makes those of its children.
func replay(t *testing.T, replayer worker.WorkflowReplayer, file string) error {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	h, err := client.HistoryFromJSON(f, client.HistoryJSONOptions{})
	require.NoError(t, err)
	started := h.Events[0].GetWorkflowExecutionStartedEventAttributes()
	return replayer.ReplayWorkflowHistoryWithOptions(quiet{}, h, worker.ReplayWorkflowHistoryOptions{
		OriginalExecution: workflow.Execution{ID: started.WorkflowId, RunID: started.OriginalExecutionRunId}})
}

// TestReplayNoticesChanges replays the histories with workflows that do something else, to show that TestReplay can fail.
func TestReplayNoticesChanges(t *testing.T) {
	for _, c := range []struct {
		file, workflow string
		changed        any
	}{
		{"first/pipeline", contract.PipelineWorkflow, func(ctx workflow.Context, in contract.PipelineInput) (contract.PipelineOut, error) {
			report, err := call[contract.ReportOut](ctx, contract.QueueCPU, contract.WriteReport, "too early", contract.ReportInput{})
			return contract.PipelineOut{Report: report}, err
		}},
		{"first/rl-relift", contract.StageWorkflows["rl"], func(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
			return memoised(ctx, in, func(in contract.StageInput, c *control) (contract.StageOut, error) {
				loop, err := newRLLoop(ctx, in, c)
				if err != nil {
					return contract.StageOut{}, err
				}
				loop.total-- // a round less
				for len(loop.rounds) < loop.total {
					if err := loop.round(ctx); err != nil {
						return contract.StageOut{}, err
					}
				}
				return loop.finish(ctx)
			})
		}},
	} {
		t.Run(c.file, func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			replayer.RegisterWorkflowWithOptions(c.changed, workflow.RegisterOptions{Name: c.workflow})
			require.ErrorContains(t, replay(t, replayer, filepath.Join(histories, c.file+".json")), "TMPRL1100") // the SDK's number of nondeterminism
		})
	}
}

// TestRecordHistories writes the histories of a finished run, see testdata/README.md.
func TestRecordHistories(t *testing.T) {
	if *record == "" {
		t.Skip("records only with -record")
	}
	c, err := client.Dial(client.Options{HostPort: *record, Namespace: *recordSpace, Logger: quiet{}})
	require.NoError(t, err)
	defer c.Close()
	require.NotEmpty(t, *recordInto, "-into is missing")
	require.NoError(t, os.RemoveAll(filepath.Join(histories, *recordInto)))
	pipeline := save(t, c, *recordRun, "pipeline")
	for _, e := range pipeline.Events {
		child := e.GetStartChildWorkflowExecutionInitiatedEventAttributes()
		if child == nil {
			continue
		}
		kind := ""
		for k, name := range contract.StageWorkflows {
			if name == child.WorkflowType.Name {
				kind = k
			}
		}
		save(t, c, child.WorkflowId, kind+"-"+child.WorkflowId[strings.LastIndex(child.WorkflowId, "/")+1:]+*recordMark)
	}
}

// save writes the history of one workflow, without who did the work, and those of the runs that it continued.
func save(t *testing.T, c client.Client, id, name string) *historypb.History {
	t.Helper()
	h := saveRun(t, c, id, "", name, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)
	for n, before := 1, continued(h); before != ""; n++ {
		before = continued(saveRun(t, c, id, before, fmt.Sprintf("%s@%d-before", name, n), enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW))
	}
	return h
}

// continued is the run that a run continues.
func continued(h *historypb.History) string {
	return h.Events[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId()
}

func saveRun(t *testing.T, c client.Client, id, run, name string, last enumspb.EventType) *historypb.History {
	t.Helper()
	h := &historypb.History{}
	events := c.GetWorkflowHistory(context.Background(), id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(t, err)
		anonymous(e.ProtoReflect())
		h.Events = append(h.Events, e)
	}
	require.Equal(t, last, h.Events[len(h.Events)-1].EventType, "record a run that has completed")
	loose, err := protojson.Marshal(h)
	require.NoError(t, err)
	var body bytes.Buffer // protojson's own spaces differ from build to build
	require.NoError(t, json.Indent(&body, loose, "", " "))
	path := filepath.Join(histories, *recordInto, name+".json")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, append(body.Bytes(), '\n'), 0o644))
	return h
}

// anonymous takes process and host out: every field named identity, and the names of the workers' own queues.
func anonymous(m protoreflect.Message) {
	if q, ok := m.Interface().(*taskqueuepb.TaskQueue); ok && q.Kind == enumspb.TASK_QUEUE_KIND_STICKY {
		q.Name = "sticky"
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Name() == "identity":
			m.Set(f, protoreflect.ValueOfString("recorded"))
		case f.Message() != nil && !f.IsMap() && !f.IsList():
			anonymous(v.Message())
		}
		return true
	})
}

// quiet keeps the replayer's and the client's log lines out of the tests' output.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
