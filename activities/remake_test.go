package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
)

// damage changes the first byte of a file of an artifact where it is stored; with lose the blob is removed.
func (l *lab) damage(ref artifact.Ref, path string, lose bool) {
	l.t.Helper()
	m, err := l.store.Load(l.ctx, ref)
	require.NoError(l.t, err)
	f, ok := m.File(path)
	require.True(l.t, ok, path)
	key := "blobs/sha256/" + f.Digest[:2] + "/" + f.Digest[2:]
	if lose {
		require.NoError(l.t, l.disk.Delete(l.ctx, key))
		return
	}
	body, err := l.store.Read(l.ctx, ref, path)
	require.NoError(l.t, err)
	body[0] ^= 1
	_, err = l.disk.Put(l.ctx, key, body, artifact.Condition{})
	require.NoError(l.t, err)
}

// TestADamagedSnapshotIsMadeAgain from the one before it, to the same bits, and is whole again in the bucket.
func TestADamagedSnapshotIsMadeAgain(t *testing.T) {
	l := newLab(t)
	worker := newWorker(t, l.store)
	demos, policy := l.stage("sft"), l.stage("probe")
	spans := trained(l, worker, demos, start(l.out["base"]["model"]), artifact.Ref{}, contract.Span{From: 0, To: 2}, contract.Span{From: 2, To: 4})
	state := start(l.out["base"]["model"])
	var saved []contract.State
	for n := range 3 {
		_, update := round(l, worker, policy, state, n)
		state = update.State
		if n != 1 { // the second snapshot is two rounds after the first
			state = done(l, worker, (*Activities).saveState, contract.StateInput{Stage: policy, State: state})
			saved = append(saved, state)
		}
	}
	export := func(stage contract.Stage, s contract.State) artifact.Ref {
		return done(l, newWorker(t, l.store), (*Activities).exportModel, contract.StateInput{Stage: stage, State: s}).Ref
	}
	for name, c := range map[string]struct {
		stage   contract.Stage
		first   artifact.Ref
		last    contract.State
		files   []string
		lose    bool
		earlier bool // the snapshot before it is damaged too
	}{
		"steps on demonstrations, changed": {demos, spans[0].State.Snapshot, spans[1].State, []string{"model.safetensors"}, false, false},
		"steps on demonstrations, gone":    {demos, spans[0].State.Snapshot, spans[1].State, []string{"optimizer.safetensors", "state.json"}, true, false},
		"rounds, changed":                  {policy, saved[0].Snapshot, saved[1], []string{"optimizer.safetensors"}, false, false},
		"rounds, two snapshots in a row":   {policy, saved[0].Snapshot, saved[1], []string{"model.safetensors"}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			want := export(c.stage, c.last)
			for _, path := range c.files {
				l.damage(c.last.Snapshot, path, c.lose)
				if c.earlier {
					l.damage(c.first, path, c.lose)
				}
			}
			require.Equal(t, want, export(c.stage, c.last))
			for _, ref := range []artifact.Ref{c.first, c.last.Snapshot} {
				m, err := l.store.Load(l.ctx, ref)
				require.NoError(t, err)
				for _, f := range m.Files {
					_, err := l.store.Read(l.ctx, ref, f.Path)
					require.NoError(t, err, "whole again")
				}
			}
		})
	}
	t.Run("what it was made from is gone too", func(t *testing.T) {
		l.t = t
		l.damage(saved[0].Snapshot, "model.safetensors", true)
		l.damage(l.out["base"]["model"], "model.safetensors", true)
		e, err := l.a.open()
		require.NoError(t, err)
		_, err = newWorker(t, l.store).exportModel(l.ctx, e, contract.StateInput{Stage: policy, State: saved[0]})
		require.ErrorIs(t, err, artifact.ErrCorrupt)
		require.ErrorContains(t, err, saved[0].Snapshot.Short())
		require.ErrorContains(t, err, l.out["base"]["model"].Short(), "the one to bring back is named")
	})
}
