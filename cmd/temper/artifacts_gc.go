package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/reflect/protoreflect"

	"temper/activities/contract"
	"temper/artifact"
)

// gcOptions are the flags of temper artifacts gc.
type gcOptions struct {
	dryRun, forgetHistory, imports bool
	olderThan, forgetStages        time.Duration
	snapshots                      int
}

func (a *app) gcCommand() *cobra.Command {
	var o gcOptions
	c := &cobra.Command{Use: "gc", Short: "Remove what nothing needs any more", Args: arguments(0, 0, ""),
		Long: `gc removes artifacts that nothing reaches. It keeps, with their files: what an alias names or has named, what a remembered stage gave, what
the runs that Temporal remembers gave, everything that an open run made or names, reports, models that people imported, and what is younger than
--older-than. Of what these were made from it keeps the manifests, so lineage stays whole while the bytes go: the snapshots and rollouts of
runs that have ended, above all. A closed run cannot be reset to an iteration whose snapshot is gone.

With --snapshots N a stage of an open run keeps its newest N snapshots. An older one that is needed again, by a reset for example, is made again from
the one before it, on a device of the same kind.

Runs may go on meanwhile. --older-than must be longer than the longest commit.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.olderThan < artifact.MinimumAge {
				return usagef("--older-than %s: want at least %s, for commits rely on younger objects", o.olderThan, artifact.MinimumAge)
			}
			if o.forgetStages < 0 {
				return usagef("--forget-stages %s: want 0 for never, or how long a stage may go unused", o.forgetStages)
			}
			if o.snapshots < 0 {
				return usagef("--snapshots %d: want 0 for all, or how many", o.snapshots)
			}
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error { return a.gc(ctx, in, o) })
		}}
	f := c.Flags()
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would go, and remove nothing")
	f.DurationVar(&o.olderThan, "older-than", 24*time.Hour, "the `AGE` from which an object may go")
	f.DurationVar(&o.forgetStages, "forget-stages", 0, "forget stages that no run has used for this `TIME`: they are done again when they are needed; 0: never")
	f.BoolVar(&o.forgetHistory, "forget-history", false, "let go what aliases named once and name no more")
	f.IntVar(&o.snapshots, "snapshots", 0, "of each stage of an open run keep the newest `N` snapshots; 0: all")
	f.BoolVar(&o.imports, "imports", false, "let go models that people imported and that have no alias")
	return c
}

func (a *app) gc(ctx context.Context, c *conn, o gcOptions) error {
	named, open, err := c.inUse(ctx)
	if err != nil {
		return err
	}
	thin := map[artifact.Ref]bool{}
	if o.snapshots > 0 {
		all, err := c.snapshots(ctx, open)
		if err != nil {
			return err
		}
		thin = thinned(all, o.snapshots)
	}
	named = slices.DeleteFunc(named, func(r artifact.Ref) bool { return thin[r] })
	got, err := c.store.Collect(ctx, artifact.Collection{OlderThan: o.olderThan, ForgetStages: o.forgetStages, ForgetHistory: o.forgetHistory,
		Roots: named, Who: me(), DryRun: o.dryRun, Keep: func(e artifact.Entry) bool { return !thin[bare(e.Ref)] && keeps(e, open, !o.imports) }})
	if err != nil {
		return err
	}
	would := ""
	if o.dryRun {
		would = "would be "
		for _, ref := range got.Removed {
			fmt.Fprintln(a.out, ref)
		}
	}
	fmt.Fprintf(a.out, "kept %d artifacts, and the manifests of %d that these were made from\n", got.Kept, got.Lineage)
	fmt.Fprintf(a.out, "%d artifacts and %d files (%s) %sremoved, %d stages %sforgotten\n", len(got.Removed), got.Blobs, size(got.Bytes), would, got.Stages, would)
	if got.Pinned > 0 {
		fmt.Fprintf(a.out, "%d objects stay, for somebody uses them again\n", got.Pinned)
	}
	return nil
}

// keeps says whether an artifact is kept for what it is, whoever reaches it.
func keeps(e artifact.Entry, open map[string]bool, imports bool) bool {
	by := e.Manifest.MadeBy.Workflow
	return open[by] || e.Ref.Kind == reportKind || imports && e.Ref.Kind == "model" && by == ""
}

// snapshots lists those of open workflows, by workflow.
func (c *conn) snapshots(ctx context.Context, open map[string]bool) (map[string][]artifact.Entry, error) {
	out := map[string][]artifact.Entry{}
	for e, err := range c.store.List(ctx, contract.SnapshotKind) {
		if err != nil {
			return nil, err
		}
		if by := e.Manifest.MadeBy.Workflow; open[by] {
			out[by] = append(out[by], e)
		}
	}
	return out, nil
}

// thinned are the snapshots beside the newest of each workflow.
func thinned(byWorkflow map[string][]artifact.Entry, keep int) map[artifact.Ref]bool {
	out := map[artifact.Ref]bool{}
	for _, entries := range byWorkflow {
		slices.SortFunc(entries, func(a, b artifact.Entry) int { return b.Manifest.Created.Compare(a.Manifest.Created) })
		for _, e := range entries[min(keep, len(entries)):] {
			out[bare(e.Ref)] = true
		}
	}
	return out
}

// bare is the reference as text has it.
func bare(r artifact.Ref) artifact.Ref { return artifact.Ref{Kind: r.Kind, Digest: r.Digest} }

// inUse lists the artifacts that runs name: an open run and its stages in all they were given and have given, a closed run in what its own
// workflow was given and gave. open has the ids of the workflows that are open.
func (c *conn) inUse(ctx context.Context) (named []artifact.Ref, open map[string]bool, err error) {
	found, open := map[artifact.Ref]bool{}, map[string]bool{}
	var page []byte
	for {
		answer, err := c.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{NextPageToken: page})
		if err != nil {
			return nil, nil, fmt.Errorf("list the runs: %w", err)
		}
		for _, w := range answer.GetExecutions() {
			running := w.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING || w.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED
			if running {
				open[w.GetExecution().GetWorkflowId()] = true
			}
			if running || w.GetType().GetName() == contract.PipelineWorkflow {
				if err := c.namedIn(ctx, w.GetExecution(), found); err != nil {
					return nil, nil, err
				}
			}
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			return slices.Collect(maps.Keys(found)), open, nil
		}
	}
}

// namedIn adds the artifacts that a workflow's history names.
func (c *conn) namedIn(ctx context.Context, w *commonpb.WorkflowExecution, found map[artifact.Ref]bool) error {
	events := c.client.GetWorkflowHistory(ctx, w.GetWorkflowId(), w.GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err == nil {
			err = refsInEvent(e.ProtoReflect(), found)
		}
		if err != nil {
			return fmt.Errorf("read the history of %s: %w", w.GetWorkflowId(), err)
		}
	}
	return nil
}

// refsInEvent adds the artifacts that any payload of a message names.
func refsInEvent(m protoreflect.Message, found map[artifact.Ref]bool) (err error) {
	if p, ok := m.Interface().(*commonpb.Payload); ok {
		return refsInPayload(p, found)
	}
	below := func(v protoreflect.Value) bool {
		err = refsInEvent(v.Message(), found)
		return err == nil
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool { return below(v) })
			}
		case f.Message() == nil:
		case f.IsList():
			for i := 0; i < v.List().Len() && err == nil; i++ {
				below(v.List().Get(i))
			}
		default:
			below(v)
		}
		return err == nil
	})
	return err
}

// refsInPayload adds the artifacts that a payload names. One that is not JSON could name any, so it is an error.
func refsInPayload(p *commonpb.Payload, found map[artifact.Ref]bool) error {
	encoding := string(p.GetMetadata()[converter.MetadataEncoding])
	if len(p.GetData()) == 0 || encoding == converter.MetadataEncodingNil {
		return nil
	}
	if encoding != converter.MetadataEncodingJSON {
		return fmt.Errorf("a value is encoded as %q, so nobody knows which artifacts it names", encoding)
	}
	var value any
	if err := json.Unmarshal(p.GetData(), &value); err != nil {
		return err
	}
	refsInJSON(value, found)
	return nil
}

func refsInJSON(value any, found map[artifact.Ref]bool) {
	switch v := value.(type) {
	case map[string]any:
		kind, _ := v["kind"].(string)
		digest, _ := v["digest"].(string)
		if ref, err := artifact.ParseRef(kind + "/" + digest); err == nil {
			found[ref] = true
		}
		for _, below := range v {
			refsInJSON(below, found)
		}
	case []any:
		for _, below := range v {
			refsInJSON(below, found)
		}
	}
}
