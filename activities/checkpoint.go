package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"

	"go.temporal.io/sdk/activity"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

// A stage that is under way is remembered beside where its result will be: its last snapshot, and a small artifact with what a workflow
// that goes on from it must know. Whoever does the stage next, in whatever run, goes on from there. What people have had a hand in is
// not what the key stands for: only a run of the same name goes on from that.
const (
	checkpoints      = ".progress" // follows the stage's key
	checkpointState  = "snapshot"
	checkpointResume = "resume"
	kindProgress     = "progress"
	resumeFile       = "resume.json"
)

// checkpoint remembers a state that has just been saved as how far its stage has come, and gives the artifact that says so.
func (a *Activities) checkpoint(ctx context.Context, stage contract.Stage, c *contract.Checkpoint, state contract.State) (artifact.Ref, error) {
	if c == nil {
		return artifact.Ref{}, nil
	}
	resume := c.Resume
	resume.State = state
	var err error
	if resume.Rounds, err = a.allRounds(ctx, resume.Earlier, resume.Rounds); err != nil {
		return artifact.Ref{}, err
	}
	resume.Earlier = nil
	if people := resume.Control; people != nil {
		kept := *people
		kept.Paused, kept.Stopping = false, false // these were about the run, not about the state
		resume.Control = &kept
	}
	body, err := json.Marshal(resume)
	if err != nil {
		return artifact.Ref{}, err
	}
	parents := []artifact.Parent{{Role: checkpointState, Ref: state.Snapshot}}
	if !resume.Data.IsZero() {
		parents = append(parents, artifact.Parent{Role: "data", Ref: resume.Data})
	}
	for n, r := range resume.Rounds {
		parents = append(parents, artifact.Parent{Role: fmt.Sprintf("round/%d", n+1), Ref: r.Rollouts})
	}
	if resume.Ahead != nil {
		parents = append(parents, artifact.Parent{Role: "ahead", Ref: resume.Ahead.Rollouts})
	}
	ref, err := a.commit(ctx, stage, kindProgress, fmt.Sprintf("%s after %d", stage.Stage.ID, resume.Done+len(resume.Rounds)), nil, map[string][]byte{resumeFile: body}, parents...)
	if err != nil {
		return artifact.Ref{}, err
	}
	touched := resume.Control != nil && len(resume.Control.Interventions) > 0
	needed := map[string]artifact.Ref{checkpointResume: ref} // garbage collection keeps these with their files
	for _, p := range parents {
		needed[p.Role] = p.Ref
	}
	return ref, a.store.Remember(ctx, checkpointKey(c.Key, stage.Run+"/"+stage.Stage.ID, touched), needed)
}

// allRounds are those of a checkpoint and the ones since.
func (a *Activities) allRounds(ctx context.Context, earlier *contract.Earlier, since []contract.Round) ([]contract.Round, error) {
	if earlier == nil {
		return since, nil
	}
	resume, err := a.readCheckpoint(ctx, earlier.Progress)
	if err != nil {
		return nil, err
	}
	if len(resume.Rounds) != earlier.Count {
		return nil, fmt.Errorf("checkpoint %s has %d rounds, not %d", earlier.Progress.Short(), len(resume.Rounds), earlier.Count)
	}
	return append(resume.Rounds, since...), nil
}

func (a *Activities) readCheckpoint(ctx context.Context, ref artifact.Ref) (contract.Resume, error) {
	var resume contract.Resume
	body, err := a.store.Read(ctx, ref, resumeFile)
	if err != nil {
		return resume, err
	}
	if err := json.Unmarshal(body, &resume); err != nil {
		return resume, fmt.Errorf("checkpoint %s: %w", ref.Short(), err)
	}
	return resume, nil
}

// checkpointKey is where a stage's checkpoint is remembered; one that people had a hand in has a place for each workflow.
func checkpointKey(key, workflow string, touched bool) string {
	if !touched {
		return key + checkpoints
	}
	sum := sha256.Sum256([]byte(workflow))
	return key + checkpoints + "." + hex.EncodeToString(sum[:8])
}

// workflowID is the id of the workflow that an activity works for.
func workflowID(ctx context.Context) string {
	if activity.IsActivity(ctx) {
		return activity.GetInfo(ctx).WorkflowExecution.ID
	}
	return ""
}

// begun is how far an earlier run came with a stage; nil when there is nothing to go on from.
func (a *Activities) begun(ctx context.Context, key string) (*contract.Resume, error) {
	resume, err := a.recallCheckpoint(ctx, checkpointKey(key, workflowID(ctx), true))
	if err != nil || resume != nil {
		return resume, err
	}
	return a.recallCheckpoint(ctx, checkpointKey(key, "", false))
}

// recallCheckpoint reads a checkpoint. One of which something is gone is none: the stage begins anew.
func (a *Activities) recallCheckpoint(ctx context.Context, key string) (*contract.Resume, error) {
	memo, ok, err := a.store.Recall(ctx, key)
	ref := memo.Outputs[checkpointResume]
	if err != nil || !ok || ref.IsZero() {
		if memo.Note != "" {
			a.log.Warn("a stage begins anew: its checkpoint cannot be used", "stage", key, "note", memo.Note)
		}
		return nil, err
	}
	resume, err := a.readCheckpoint(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", key, err)
	}
	if len(resume.Rounds) > 0 {
		resume.Earlier, resume.Rounds = resume.Earlier.Keep(ref, resume.Rounds), nil
	}
	resume.Note = fmt.Sprintf("goes on from %s, which an earlier run left", resume.State.Snapshot.Short())
	return &resume, nil
}

// tuned is a stage with the values that were in force when a step was taken.
func tuned(stage contract.Stage, t pipelines.Tuning) (contract.Stage, error) {
	var err error
	if stage.Stage, err = stage.Stage.Tuned(t); err != nil {
		return stage, fmt.Errorf("values set by hand: %w", err)
	}
	return stage, nil
}

// settingsInForce are a stage's settings for the lineage of what it makes, with what people changed meanwhile.
func settingsInForce(stage contract.Stage) ([]byte, error) {
	settings, err := json.Marshal(stage.Stage)
	if err != nil || len(stage.Interventions) == 0 {
		return settings, err
	}
	var all map[string]any
	if err := json.Unmarshal(settings, &all); err != nil {
		return nil, err
	}
	all["interventions"] = stage.Interventions
	return json.Marshal(all)
}

func withNumber(numbers map[string]float64, name string, v float64) map[string]float64 {
	out := maps.Clone(numbers)
	if out == nil {
		out = map[string]float64{}
	}
	out[name] = v
	return out
}
