package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"temper/activities/contract"
	"temper/artifact"
	"temper/lm/chat"
	"temper/lm/hf"
	"temper/lm/tokenizer"
	"temper/train"
)

// resident is a model in training that this worker holds on its device.
type resident struct {
	state *train.State
	text  *text
	base  artifact.Ref // of an adapter in training: the model that it changes
}

// text is how a model reads and writes: its tokenizer, its files, and the ids that end a response.
type text struct {
	tokenizer  *tokenizer.Tokenizer
	files      map[string][]byte
	generation hf.GenerationConfig
	stops      []int32
	chat       func() (*chat.Template, error) // parsed when it is first needed
}

// residents are the states that this worker holds, by key. A state that is being changed is taken out, so a change that fails halfway
// leaves nothing behind under the old key.
type residents struct {
	keys  []string // oldest first
	byKey map[string]*resident
}

// keepResidents bounds the states on the device; a stage uses one, and a run may come back to the previous stage's.
const keepResidents = 2

func (r *residents) take(key string) *resident {
	found := r.byKey[key]
	delete(r.byKey, key)
	for i, k := range r.keys {
		if k == key {
			r.keys = append(r.keys[:i:i], r.keys[i+1:]...)
			break
		}
	}
	return found
}

func (r *residents) put(key string, held *resident) {
	if r.byKey == nil {
		r.byKey = map[string]*resident{}
	}
	if old := r.take(key); old != nil {
		old.state.Free()
	}
	for len(r.keys) >= keepResidents {
		r.take(r.keys[0]).state.Free()
	}
	r.byKey[key] = held
	r.keys = append(r.keys, key)
}

func (r *residents) clear() {
	for _, held := range r.byKey {
		held.state.Free()
	}
	r.keys, r.byKey = nil, nil
}

// nextKey names the state that an update of the state named key leads to.
func nextKey(key string, u contract.Update) (string, error) {
	body, err := json.Marshal(u)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(key+"\n"), body...))
	return hex.EncodeToString(sum[:]), nil
}

// restore gives the state that s names: the resident one if this worker holds it, else the snapshot with the updates since done again. The
// caller owns it and puts it back.
func (a *Activities) restore(ctx context.Context, e *engine, stage contract.Stage, s contract.State) (*resident, error) {
	if held := a.residents.take(s.Key); held != nil {
		return held, nil
	}
	held, err := a.loadSnapshot(ctx, e, stage, s.Snapshot)
	if s.Snapshot.Kind == kindState && (errors.Is(err, artifact.ErrCorrupt) || errors.Is(err, artifact.ErrNotFound)) {
		held, err = a.remake(ctx, e, stage, s.Snapshot, err)
	}
	if err != nil {
		return nil, err
	}
	if len(s.Log) > 0 {
		a.log.Info("replay", "stage", stage.Stage.ID, "snapshot", s.Snapshot.Short(), "updates", len(s.Log))
	}
	for _, u := range s.Log {
		if err := a.replay(ctx, e, stage, held, u); err != nil {
			held.state.Free()
			return nil, fmt.Errorf("replay an update after snapshot %s: %w", s.Snapshot.Short(), err)
		}
	}
	return held, nil
}

// replay does a logged update again.
func (a *Activities) replay(ctx context.Context, e *engine, stage contract.Stage, held *resident, u contract.Update) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e = e.cutting(u.Parts)
	switch {
	case u.Demos != nil:
		_, err := a.demoSteps(ctx, e, contract.TrainInput{Stage: stage, Data: u.Demos.Data, Span: u.Demos.Span, Total: u.Demos.Total}, held)
		return err
	case u.Policy != nil:
		_, err := a.policyStep(ctx, e, stage, held, *u.Policy)
		return err
	case u.OnPolicy != nil:
		_, err := a.onPolicyStep(ctx, e, stage, held, *u.OnPolicy)
		return err
	default:
		return fmt.Errorf("unknown kind of update")
	}
}

// advance puts a changed state back under its new name.
func (a *Activities) advance(e *engine, held *resident, s contract.State, u contract.Update) (contract.State, error) {
	if e.room.parts > 1 {
		u.Parts = e.room.parts
	}
	key, err := nextKey(s.Key, u)
	if err != nil {
		held.state.Free()
		return s, err
	}
	a.residents.put(key, held)
	log := append(append([]contract.Update{}, s.Log...), u)
	return contract.State{Snapshot: s.Snapshot, Log: log, Key: key, Step: held.state.Main.Step, Parts: u.Parts, Home: a.home}, nil
}

// remake gives the state of a snapshot whose files are gone or damaged: the snapshot before it with the updates since done again. The files are
// put back; that they have the digests of the lost ones shows that the state is the same.
func (a *Activities) remake(ctx context.Context, e *engine, stage contract.Stage, ref artifact.Ref, cause error) (*resident, error) {
	m, err := a.store.Load(ctx, ref)
	if err != nil {
		return nil, errors.Join(cause, err)
	}
	var from origin
	if err := json.Unmarshal(m.Settings, &from); err != nil || len(from.Log) == 0 {
		return nil, fmt.Errorf("%w; and its manifest does not say how to make it again", cause)
	}
	state := contract.State{Log: from.Log}
	for _, p := range m.Parents {
		if p.Role == previousRole {
			state.Snapshot = p.Ref
		}
	}
	a.log.Warn("a snapshot is made again from the one before it", "snapshot", ref.Short(), "previous", state.Snapshot.Short(), "updates", len(from.Log), "cause", cause)
	held, err := a.restore(ctx, e, stage, state)
	if err != nil {
		return nil, errors.Join(cause, fmt.Errorf("make it again: %w", err))
	}
	files, err := e.snapshotFiles(held)
	if err == nil {
		err = a.store.Repair(ctx, ref, files)
	}
	if err != nil {
		held.state.Free()
		return nil, fmt.Errorf("%w; made again on %s, it was made on %s: %w", cause, e.client.Description(), m.Device, err)
	}
	return held, nil
}

// readModel parses the files of a model or snapshot and checks that its tokenizer fits.
func readModel(ref artifact.Ref, files map[string][]byte) (*hf.Model, *text, error) {
	model, err := hf.ReadFrom(files)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", ref.Short(), err)
	}
	t, err := textOf(model)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", ref.Short(), err)
	}
	return model, t, nil
}

func textOf(model *hf.Model) (*text, error) {
	tok, err := tokenizer.OfModel(model.TokenizerFiles, model.Config.VocabSize)
	if err != nil {
		return nil, err
	}
	t := &text{tokenizer: tok, files: model.TokenizerFiles, generation: model.Generation, stops: tok.Ends(model.Generation.EOS, model.Config.EOS)}
	t.chat = sync.OnceValues(func() (*chat.Template, error) { return chat.New(tok) })
	if len(t.stops) == 0 {
		return nil, fmt.Errorf("neither config.json, generation_config.json nor tokenizer_config.json names an end-of-text token")
	}
	return t, nil
}

// prompt encodes a prompt as the model expects it, response a response with its end.
func (t *text) prompt(s string) []int32 {
	return t.tokenizer.Encode(s, tokenizer.Options{AddSpecial: true, ParseSpecial: true})
}

func (t *text) response(s string) []int32 {
	return append(t.tokenizer.Encode(s, tokenizer.Options{}), t.stops[0])
}

// decode gives the text of a sampled sequence without its end.
func (t *text) decode(tokens []int32) string { return t.tokenizer.Decode(tokens, true) }
