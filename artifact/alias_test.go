package artifact_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/artifact/memory"
)

// told is a history in short.
func told(t *testing.T, s *artifact.Store, name string) []string {
	t.Helper()
	values, err := s.AliasHistory(t.Context(), name)
	require.NoError(t, err)
	var out []string
	for i, a := range values {
		require.Equal(t, name, a.Name)
		require.Equal(t, i+1, a.Version)
		require.False(t, a.When.IsZero())
		what := a.Ref.Short()
		if a.Removed {
			require.True(t, a.Ref.IsZero())
			what = "removed"
		}
		out = append(out, fmt.Sprintf("%s by %s: %s", what, a.Who, a.Why))
	}
	return out
}

func TestAliasHistory(t *testing.T) {
	store, _ := open(t)
	a, b := commit(t, store, "model", "a"), commit(t, store, "model", "b")
	_, err := store.AliasHistory(t.Context(), "reason/champion")
	require.ErrorIs(t, err, artifact.ErrNotFound)
	require.ErrorIs(t, store.RemoveAlias(t.Context(), "reason/champion", "me", ""), artifact.ErrNotFound)

	require.NoError(t, store.SetAlias(t.Context(), "reason/champion", a, nil, "ann", "first"))
	require.NoError(t, store.SetAlias(t.Context(), "reason/champion", a, nil, "ann", "no change is no entry"))
	require.NoError(t, store.SetAlias(t.Context(), "reason", b, nil, "cy", "a name above"))
	require.NoError(t, store.SetAlias(t.Context(), "reason/champion", b, &a, "ben", "better"))
	require.NoError(t, store.RemoveAlias(t.Context(), "reason/champion", "ann", "out of use"))
	_, err = store.Alias(t.Context(), "reason/champion")
	require.ErrorIs(t, err, artifact.ErrNotFound)
	_, err = store.Resolve(t.Context(), "reason/champion")
	require.ErrorIs(t, err, artifact.ErrNotFound)
	require.ErrorIs(t, store.RemoveAlias(t.Context(), "reason/champion", "ann", "again"), artifact.ErrNotFound)
	var names []string
	for alias, err := range store.Aliases(t.Context()) {
		require.NoError(t, err)
		names = append(names, alias.Name)
	}
	require.Equal(t, []string{"reason"}, names)
	want := []string{a.Short() + " by ann: first", b.Short() + " by ben: better", "removed by ann: out of use"}
	require.Equal(t, want, told(t, store, "reason/champion"))

	require.ErrorIs(t, store.SetAlias(t.Context(), "reason/champion", a, &b, "ben", "late"), artifact.ErrPrecondition)
	require.NoError(t, store.SetAlias(t.Context(), "reason/champion", a, &artifact.Ref{}, "ben", "back"))
	require.NoError(t, store.SetAlias(t.Context(), "reason/champion", a, &artifact.Ref{}, "ben", "back, retried"))
	require.Equal(t, append(want, a.Short()+" by ben: back"), told(t, store, "reason/champion"))
	require.Equal(t, []string{b.Short() + " by cy: a name above"}, told(t, store, "reason"))
}

// An alias from before there was a history begins one.
func TestAliasHistoryOfAnOldAlias(t *testing.T) {
	store, backend := open(t)
	a, b := commit(t, store, "model", "a"), commit(t, store, "model", "b")
	old := fmt.Sprintf(`{"name":"champion","ref":{"kind":"model","digest":%q},"who":"ann","when":"2026-01-02T03:04:05Z","why":"old"}`, a.Digest)
	_, err := backend.Put(t.Context(), "aliases/champion.json", []byte(old), artifact.Condition{})
	require.NoError(t, err)
	require.Equal(t, []string{a.Short() + " by ann: old"}, told(t, store, "champion"))
	require.NoError(t, store.SetAlias(t.Context(), "champion", b, &a, "ben", "new"))
	require.Equal(t, []string{a.Short() + " by ann: old", b.Short() + " by ben: new"}, told(t, store, "champion"))

	// Somebody deletes the object itself: what comes next does not overwrite the history.
	require.NoError(t, backend.Delete(t.Context(), "aliases/champion.json"))
	require.NoError(t, store.SetAlias(t.Context(), "champion", b, nil, "cy", "again"))
	require.Equal(t, []string{a.Short() + " by ann: old", b.Short() + " by cy: again"}, told(t, store, "champion"))
}

// dying fails one put, before or after it was done.
type dying struct {
	*memory.Backend
	mu    sync.Mutex
	at    int // puts until the fatal one
	after bool
}

var errDied = errors.New("the process died")

func (d *dying) Put(ctx context.Context, key string, body []byte, cond artifact.Condition) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at--
	if d.at == 0 && !d.after {
		return "", errDied
	}
	etag, err := d.Backend.Put(ctx, key, body, cond)
	if d.at == 0 {
		return "", errDied
	}
	return etag, err
}

// Wherever a change is cut off, the history holds what was and nothing that was not, and
// the next change goes through.
func TestAliasHistoryIsNeverBehind(t *testing.T) {
	for at := 1; at <= 4; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("put %d after=%v", at, after), func(t *testing.T) {
				backend := &dying{Backend: memory.New()}
				store := artifact.New(backend)
				a, b, c := commit(t, store, "model", "a"), commit(t, store, "model", "b"), commit(t, store, "model", "c")
				require.NoError(t, store.SetAlias(t.Context(), "champion", a, nil, "me", "a"))
				backend.at, backend.after = at, after
				err := store.SetAlias(t.Context(), "champion", b, nil, "me", "b")
				backend.at = 0
				values := told(t, store, "champion")
				now, readErr := store.Alias(t.Context(), "champion")
				require.NoError(t, readErr)
				require.Equal(t, now.Ref.Short()+" by me: "+now.Why, values[len(values)-1])
				require.Len(t, values, now.Version)
				if at < 4 {
					require.ErrorIs(t, err, errDied)
				} else {
					require.NoError(t, err, "a change takes three puts, the first of them a pin")
				}
				require.NoError(t, store.SetAlias(t.Context(), "champion", c, nil, "me", "c"))
				require.Equal(t, append(values, c.Short()+" by me: c"), told(t, store, "champion"))
			})
		}
	}
}

// Writers that race leave a history in which each value follows the one it replaced.
func TestAliasHistoryOfARace(t *testing.T) {
	store, _ := open(t)
	var wg sync.WaitGroup
	for i := range 8 {
		ref := commit(t, store, "model", fmt.Sprint(i))
		wg.Go(func() {
			if err := store.SetAlias(t.Context(), "champion", ref, nil, "me", fmt.Sprint(i)); err != nil {
				t.Errorf("set: %v", err)
			}
		})
	}
	wg.Wait()
	require.Len(t, told(t, store, "champion"), 8)
	values, err := store.AliasHistory(t.Context(), "champion")
	require.NoError(t, err)
	require.Nil(t, values[0].Previous)
	for i := 1; i < len(values); i++ {
		require.Equal(t, values[i-1].Ref, *values[i].Previous)
	}
}

func TestAliasHistoryDamaged(t *testing.T) {
	store, backend := open(t)
	a, b := commit(t, store, "model", "a"), commit(t, store, "model", "b")
	require.NoError(t, store.SetAlias(t.Context(), "champion", a, nil, "me", "a"))
	const first = "alias-history/champion/_00000001.json"
	_, err := backend.Put(t.Context(), first, []byte(strings.Repeat("{", 3)), artifact.Condition{})
	require.NoError(t, err)
	err = store.SetAlias(t.Context(), "champion", b, nil, "me", "b")
	require.ErrorIs(t, err, artifact.ErrCorrupt)
	require.ErrorContains(t, err, first)
	now, err := store.Alias(t.Context(), "champion")
	require.NoError(t, err)
	require.Equal(t, a, now.Ref, "what cannot be kept is not replaced")
}
