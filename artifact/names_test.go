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

func TestListAndKinds(t *testing.T) {
	store, backend := open(t)
	want := map[artifact.Ref]bool{}
	for i := range 3 {
		want[commit(t, store, "model", fmt.Sprint(i))] = true
	}
	data := commit(t, store, "dataset", "d")
	_, err := backend.Put(t.Context(), "manifests/README.txt", []byte("not ours"), artifact.Condition{})
	require.NoError(t, err)
	kinds, err := store.Kinds(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"dataset", "model"}, kinds)
	got := map[artifact.Ref]bool{}
	for e, err := range store.List(t.Context(), "model") {
		require.NoError(t, err)
		require.NotEmpty(t, e.Manifest.Summary)
		got[e.Ref] = true
	}
	require.Equal(t, want, got)
	all := 0
	for range store.List(t.Context(), "") {
		all++
	}
	require.Equal(t, 4, all)

	_, err = backend.Put(t.Context(), "manifests/dataset/"+data.Digest+".json", []byte("{}"), artifact.Condition{})
	require.NoError(t, err)
	all, bad := 0, 0
	for e, err := range store.List(t.Context(), "") {
		all++
		if err != nil {
			bad++
			require.ErrorIs(t, err, artifact.ErrCorrupt)
			require.Equal(t, data.Digest, e.Ref.Digest)
		}
	}
	require.Equal(t, []int{4, 1}, []int{all, bad}, "a damaged manifest does not hide the others")
}

func TestResolve(t *testing.T) {
	store, _ := open(t)
	// Enough artifacts that two share their first four digits.
	byPrefix := map[string][]artifact.Ref{}
	var twins, lone []artifact.Ref
	for i := 0; len(twins) == 0 || len(lone) == 0; i++ {
		ref := commit(t, store, "model", fmt.Sprint(i))
		p := ref.Digest[:4]
		byPrefix[p] = append(byPrefix[p], ref)
		twins, lone = nil, nil
		for _, refs := range byPrefix {
			if len(refs) == 1 {
				lone = refs
			} else {
				twins = refs
			}
		}
	}
	one := lone[0]
	for _, text := range []string{one.String(), one.Digest, one.Short(), one.Digest[:4], "model/" + one.Digest[:4]} {
		got, err := store.Resolve(t.Context(), text)
		require.NoError(t, err, text)
		require.Equal(t, one, got, text)
	}
	_, err := store.Resolve(t.Context(), twins[0].Digest[:4])
	require.ErrorIs(t, err, artifact.ErrAmbiguous)
	for _, ref := range twins {
		require.ErrorContains(t, err, "model/"+ref.Digest[:16])
	}
	// "ffff" may be taken by chance; a kind of which there is none is not.
	for _, text := range []string{"", "nobody/champion", "dataset/" + one.Digest[:8], "dataset/" + one.Digest, "UPPER", one.Digest[:3]} {
		_, err := store.Resolve(t.Context(), text)
		require.ErrorIs(t, err, artifact.ErrNotFound, text)
	}
	require.NoError(t, store.SetAlias(t.Context(), one.Digest[:4], twins[0], nil, "me", "a name made of hex digits"))
	got, err := store.Resolve(t.Context(), one.Digest[:4])
	require.NoError(t, err)
	require.Equal(t, twins[0], got, "an alias wins over a shortened digest")
	got, err = store.Resolve(t.Context(), one.Digest[:5])
	require.NoError(t, err)
	require.Equal(t, one, got)
}

func TestSetAlias(t *testing.T) {
	store, _ := open(t)
	a, b, c := commit(t, store, "model", "a"), commit(t, store, "model", "b"), commit(t, store, "model", "c")
	none := artifact.Ref{}
	steps := []struct {
		what   string
		to     artifact.Ref
		expect *artifact.Ref
		is     artifact.Ref // afterwards
		ok     bool
	}{
		{"expected another, is absent", a, &b, none, false},
		{"create", a, &none, a, true},
		{"create, retried", a, &none, a, true},
		{"create, late", b, &none, a, false},
		{"replace", b, &a, b, true},
		{"replace, retried", b, &a, b, true},
		{"replace, late", c, &a, b, false},
		{"already so", b, &b, b, true},
		{"whatever is there", c, nil, c, true},
		{"whatever is there, again", c, nil, c, true},
	}
	for _, s := range steps {
		err := store.SetAlias(t.Context(), "reason/champion", s.to, s.expect, "me", s.what)
		require.Equal(t, s.ok, err == nil, "%s: %v", s.what, err)
		got, getErr := store.Alias(t.Context(), "reason/champion")
		require.Equal(t, s.is, got.Ref, s.what)
		if !s.ok {
			require.ErrorIs(t, err, artifact.ErrPrecondition, s.what)
			require.ErrorContains(t, err, got.Ref.String(), s.what)
		}
		require.Equal(t, s.is.IsZero(), errors.Is(getErr, artifact.ErrNotFound), s.what)
	}
	got, err := store.Alias(t.Context(), "reason/champion")
	require.NoError(t, err)
	require.Equal(t, &b, got.Previous)
	require.Equal(t, []string{"me", "whatever is there"}, []string{got.Who, got.Why})
	require.False(t, got.When.IsZero())

	absent := artifact.Ref{Kind: "model", Digest: strings.Repeat("0", 64)}
	require.ErrorIs(t, store.SetAlias(t.Context(), "x", absent, nil, "me", ""), artifact.ErrNotFound)
	for _, name := range []string{"", "/", "a/", "a//b", "../a", "A", a.String()} {
		require.ErrorContains(t, store.SetAlias(t.Context(), name, a, nil, "me", ""), "alias", name)
	}

	require.NoError(t, store.SetAlias(t.Context(), "other", a, nil, "me", ""))
	var names []string
	for alias, err := range store.Aliases(t.Context()) {
		require.NoError(t, err)
		names = append(names, alias.Name)
	}
	require.Equal(t, []string{"other", "reason/champion"}, names)
	require.NoError(t, store.RemoveAlias(t.Context(), "other", "me", ""))
	_, err = store.Alias(t.Context(), "other")
	require.ErrorIs(t, err, artifact.ErrNotFound)
}

// Of many that would replace the same champion, one does.
func TestSetAliasRace(t *testing.T) {
	store, _ := open(t)
	old := commit(t, store, "model", "old")
	require.NoError(t, store.SetAlias(t.Context(), "champion", old, nil, "me", ""))
	refs := make([]artifact.Ref, 16)
	for i := range refs {
		refs[i] = commit(t, store, "model", fmt.Sprint(i))
	}
	errs := make([]error, len(refs))
	var wg sync.WaitGroup
	for i := range refs {
		wg.Go(func() { errs[i] = store.SetAlias(t.Context(), "champion", refs[i], &old, "me", "") })
	}
	wg.Wait()
	got, err := store.Alias(t.Context(), "champion")
	require.NoError(t, err)
	for i, err := range errs {
		if refs[i] == got.Ref {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, artifact.ErrPrecondition)
		}
	}
}

// lost stores what it is asked to and then claims not to have, as a connection does
// that breaks before the answer.
type lost struct {
	*memory.Backend
	once sync.Once
}

func (l *lost) Put(ctx context.Context, key string, body []byte, cond artifact.Condition) (etag string, err error) {
	etag, err = l.Backend.Put(ctx, key, body, cond)
	if cond.IfMatch != "" {
		l.once.Do(func() { err = artifact.ErrPrecondition })
	}
	return etag, err
}

func TestSetAliasNoticesItsOwnWrite(t *testing.T) {
	store := artifact.New(&lost{Backend: memory.New()})
	a, b := commit(t, store, "model", "a"), commit(t, store, "model", "b")
	require.NoError(t, store.SetAlias(t.Context(), "champion", a, nil, "me", ""))
	require.NoError(t, store.SetAlias(t.Context(), "champion", b, &a, "me", ""))
}

func TestRecall(t *testing.T) {
	store, backend := open(t)
	_, ok, err := store.Recall(t.Context(), "k1")
	require.NoError(t, err)
	require.False(t, ok)

	ref := commit(t, store, "model", "body")
	outputs := map[string]artifact.Ref{"model": ref}
	require.NoError(t, store.Remember(t.Context(), "k1", outputs))
	m, err := store.Load(t.Context(), ref)
	require.NoError(t, err)
	blob := "blobs/sha256/" + m.Files[0].Digest[:2] + "/" + m.Files[0].Digest[2:]
	manifest := "manifests/model/" + ref.Digest + ".json"

	for name, damage := range map[string]struct {
		key  string
		body []byte // nil: delete
		note string
	}{
		"blob gone":          {blob, nil, blob},
		"blob truncated":     {blob, []byte("bo"), blob},
		"manifest gone":      {manifest, nil, ref.String()},
		"manifest truncated": {manifest, []byte("{"), manifest},
		"memo is rubbish":    {"stages/k1.json", []byte("{"), "stages/k1.json"},
	} {
		commit(t, store, "model", "body")
		require.NoError(t, store.Remember(t.Context(), "k1", outputs))
		memo, ok, err := store.Recall(t.Context(), "k1")
		require.NoError(t, err, name)
		require.True(t, ok, "%s: %s", name, memo.Note)
		require.Equal(t, outputs, memo.Outputs, name)
		if damage.body == nil {
			require.NoError(t, backend.Delete(t.Context(), damage.key))
		} else {
			_, err = backend.Put(t.Context(), damage.key, damage.body, artifact.Condition{})
			require.NoError(t, err)
		}
		memo, ok, err = store.Recall(t.Context(), "k1")
		require.NoError(t, err, name)
		require.False(t, ok, name)
		require.Contains(t, memo.Note, damage.note, name)
		require.Empty(t, memo.Outputs, name)
	}
	for _, key := range []string{"", "../x", "a/b"} {
		require.ErrorContains(t, store.Remember(t.Context(), key, nil), "stage key")
	}
	require.ErrorContains(t, store.Remember(t.Context(), "k", map[string]artifact.Ref{"out": {}}), `"out"`)
}

func TestLineage(t *testing.T) {
	store, backend := open(t)
	base := commit(t, store, "model", "base")
	demos := commit(t, store, "dataset", "demos")
	sft := commit(t, store, "model", "sft", artifact.Parent{Role: "base", Ref: base}, artifact.Parent{Role: "data", Ref: demos})
	rl := commit(t, store, "model", "rl", artifact.Parent{Role: "policy", Ref: sft}, artifact.Parent{Role: "reference", Ref: base})
	node, err := store.Lineage(t.Context(), rl)
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		rl.Short() + "  rl",
		"├─ policy: " + sft.Short() + "  sft",
		"│  ├─ base: " + base.Short() + "  base",
		"│  └─ data: " + demos.Short() + "  demos",
		"└─ reference: " + base.Short() + "  (see above)",
		"",
	}, "\n"), node.String())
	require.Same(t, node.Parents[1].Node, node.Parents[0].Node.Parents[0].Node)
	require.Len(t, node.Ancestors(), 3)

	require.NoError(t, backend.Delete(t.Context(), "manifests/dataset/"+demos.Digest+".json"))
	node, err = store.Lineage(t.Context(), rl)
	require.NoError(t, err)
	require.Contains(t, node.String(), "data: "+demos.Short()+"  (gone)")
	_, err = store.Lineage(t.Context(), demos)
	require.ErrorIs(t, err, artifact.ErrNotFound)
}
