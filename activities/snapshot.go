package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"temper/activities/contract"
	"temper/artifact"
	"temper/lm"
	"temper/lm/hf"
	"temper/pipelines"
	"temper/train"
)

// Files of a snapshot beside those of a model.
const (
	optimizerFile = "optimizer.safetensors"
	stateFile     = "state.json"
	kindModel     = "model"
	kindState     = contract.SnapshotKind
)

// counters are the small part of a snapshot: steps by optimizer, how the model's checkpoints are stored, and the model that an adapter
// changes: then the snapshot holds the adapter only.
type counters struct {
	Steps map[string]int `json:"steps"`
	Dtype string         `json:"dtype"`
	Base  artifact.Ref   `json:"base,omitzero"`
}

// loadSnapshot puts a snapshot on the device. A plain model starts with a fresh optimizer, and with a new adapter where the stage trains one.
func (a *Activities) loadSnapshot(ctx context.Context, e *engine, stage contract.Stage, ref artifact.Ref) (*resident, error) {
	files, err := a.files(ctx, ref)
	if err != nil {
		return nil, err
	}
	if ref.Kind != kindState {
		held, err := e.begin(ref, files)
		if err != nil {
			return nil, err
		}
		if l := loraOf(stage); l != nil {
			adapter := adapterOf(*l)
			adapter.Tensors = lm.InitAdapter(held.state.Config, adapter, stage.Seed)
			err = held.adapt(e, ref, adapter)
		}
		return held, err
	}
	var saved counters
	if err := json.Unmarshal(files[stateFile], &saved); err != nil {
		return nil, fmt.Errorf("%s/%s: %w", ref.Short(), stateFile, err)
	}
	held, err := a.beginState(ctx, e, ref, files, saved)
	if err != nil {
		return nil, err
	}
	held.state.Config.Dtype = saved.Dtype
	tensors, err := hf.ParseSafetensors(ref.Short()+"/"+optimizerFile, files[optimizerFile])
	if err == nil {
		err = held.state.LoadOptimizer(e.client, train.SavedOptimizer{Tensors: tensors, Steps: saved.Steps})
	}
	if err != nil {
		held.state.Free()
		return nil, fmt.Errorf("%s: %w", ref.Short(), err)
	}
	return held, nil
}

// begin puts a model on the device with a fresh optimizer.
func (e *engine) begin(ref artifact.Ref, files map[string][]byte) (*resident, error) {
	model, t, err := readModel(ref, files)
	if err != nil {
		return nil, err
	}
	state, err := train.NewState(e.client, model)
	return &resident{state: state, text: t}, err
}

// beginState puts a snapshot's tensors in training on the device: a model's parameters, or an adapter on its base.
func (a *Activities) beginState(ctx context.Context, e *engine, ref artifact.Ref, files map[string][]byte, saved counters) (*resident, error) {
	if saved.Base.IsZero() {
		return e.begin(ref, files)
	}
	adapter, err := hf.ParseAdapter(files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Short(), err)
	}
	base, err := a.files(ctx, saved.Base)
	if err != nil {
		return nil, err
	}
	held, err := e.begin(saved.Base, base)
	if err != nil {
		return nil, err
	}
	return held, held.adapt(e, saved.Base, adapter)
}

// stateFiles are a snapshot's files beside the optimizer's: the model, or the adapter alone. A checkpoint may be stored in half precision, a
// state never is: going on from it must give the same bits.
func (e *engine) stateFiles(held *resident) (map[string][]byte, error) {
	if held.state.Adapter != nil {
		return held.adapterFiles()
	}
	model, err := e.hostModel(held)
	if err != nil {
		return nil, err
	}
	model.Config.Dtype = "float32"
	return hf.ToFiles(model)
}

// saveState writes a snapshot: parameters, moments and counters. The state's name stays, its log starts anew.
func (a *Activities) saveState(ctx context.Context, e *engine, in contract.StateInput) (contract.State, error) {
	held, err := a.restore(ctx, e, in.Stage, in.State)
	if err != nil {
		return contract.State{}, err
	}
	defer a.residents.put(in.State.Key, held)
	ref, err := a.snapshot(ctx, e, in.Stage, held, in.State)
	if err != nil {
		return contract.State{}, err
	}
	state := contract.State{Snapshot: ref, Key: in.State.Key, Step: held.state.Main.Step, Parts: in.State.Parts, Policy: in.State.Policy, Home: a.home}
	progress, err := a.checkpoint(ctx, in.Stage, in.Checkpoint, state)
	state.Progress = progress
	return state, err
}

// origin is how a snapshot came about, in its manifest: the settings of its stage, and the updates since the snapshot before it, which is its
// parent "previous".
type origin struct {
	Stage pipelines.Stage   `json:"stage"`
	Log   []contract.Update `json:"log"`
}

const previousRole = "previous"

// snapshot writes a snapshot of a state.
func (a *Activities) snapshot(ctx context.Context, e *engine, stage contract.Stage, held *resident, state contract.State) (artifact.Ref, error) {
	files, err := e.snapshotFiles(held)
	if err != nil {
		return artifact.Ref{}, err
	}
	summary := fmt.Sprintf("snapshot of %s after step %d", stage.Stage.ID, held.state.Main.Step)
	parents := []artifact.Parent{{Role: previousRole, Ref: state.Snapshot}}
	if !held.base.IsZero() && held.base != state.Snapshot {
		parents = append(parents, artifact.Parent{Role: "base", Ref: held.base})
	}
	from, err := json.Marshal(origin{stage.Stage, state.Log})
	if err != nil {
		return artifact.Ref{}, err
	}
	return a.commitWith(ctx, stage, from, kindState, summary, nil, files, parents...)
}

// snapshotFiles are all files of a snapshot.
func (e *engine) snapshotFiles(held *resident) (map[string][]byte, error) {
	files, err := e.stateFiles(held)
	if err != nil {
		return nil, err
	}
	saved, err := held.state.SaveOptimizer()
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if err := hf.EncodeSafetensors(&buf, saved.Tensors, "float32", nil); err != nil {
		return nil, err
	}
	files[optimizerFile] = buf.Bytes()
	files[stateFile], err = json.Marshal(counters{Steps: saved.Steps, Dtype: held.state.Config.Dtype, Base: held.base})
	return files, err
}
