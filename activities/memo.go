package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"temper/activities/contract"
	"temper/artifact"
)

// A finished stage is remembered under the hash of all that decides its outputs: the outputs themselves, and beside them a small artifact
// with the numbers that the stage gave.
const stageOutputs = "stage"

// rememberStage remembers a stage's result under its key, and forgets how far it was on the way there.
// A result that people had a hand in is not what the key stands for, so it is not remembered.
func (a *Activities) rememberStage(ctx context.Context, in contract.RememberInput) (struct{}, error) {
	if len(in.Stage.Interventions) > 0 {
		return struct{}{}, a.store.Remember(ctx, checkpointKey(in.Key, workflowID(ctx), true), nil)
	}
	body, err := json.Marshal(in.Stage)
	if err != nil {
		return struct{}{}, err
	}
	ref, err := a.store.Commit(ctx, artifact.Manifest{Kind: kindStage, Summary: in.Stage.Summary}, map[string][]byte{"stage.json": body})
	if err != nil {
		return struct{}{}, err
	}
	outputs := maps.Clone(in.Stage.Outputs)
	outputs[stageOutputs] = ref
	if err := a.store.Remember(ctx, in.Key, outputs); err != nil {
		return struct{}{}, err
	}
	return struct{}{}, a.store.Remember(ctx, checkpointKey(in.Key, "", false), nil) // of a stage that is done, nobody needs the way there
}

func (a *Activities) recallStage(ctx context.Context, key string) (contract.Recalled, error) {
	memo, ok, err := a.store.Recall(ctx, key)
	if err != nil {
		return contract.Recalled{}, err
	}
	if !ok {
		resume, err := a.begun(ctx, key)
		return contract.Recalled{Note: memo.Note, Resume: resume}, err
	}
	body, err := a.store.Read(ctx, memo.Outputs[stageOutputs], "stage.json")
	if err != nil {
		return contract.Recalled{}, err
	}
	var out contract.StageOut
	if err := json.Unmarshal(body, &out); err != nil {
		return contract.Recalled{}, fmt.Errorf("remembered stage %s: %w", key, err)
	}
	return contract.Recalled{Found: true, Stage: out}, nil
}

// sortParents puts parents in the order of their roles, for they come from maps.
func sortParents(parents []artifact.Parent) {
	slices.SortFunc(parents, func(x, y artifact.Parent) int { return strings.Compare(x.Role, y.Role) })
}
