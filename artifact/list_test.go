package artifact_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/artifact/backendtest"
	"temper/artifact/memory"
)

// counting counts the objects that are read.
type counting struct {
	*memory.Backend
	gets, lists atomic.Int64
}

func (c *counting) Get(ctx context.Context, key string) (io.ReadCloser, artifact.ObjectInfo, error) {
	c.gets.Add(1)
	return c.Backend.Get(ctx, key)
}

func (c *counting) List(ctx context.Context, prefix string) iter.Seq2[artifact.ObjectInfo, error] {
	c.lists.Add(1)
	return c.Backend.List(ctx, prefix)
}

func listAll(t testing.TB, s *artifact.Store, kind string) []artifact.Entry {
	t.Helper()
	var all []artifact.Entry
	for e, err := range s.List(context.Background(), kind) {
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

// A second listing reads what is new, whichever process reads it, and answers the same.
func TestListFromTheCache(t *testing.T) {
	b := &counting{Backend: memory.New()}
	dir := filepath.Join(t.TempDir(), "cache")
	plain := artifact.New(b)
	const n = 1200 // some batches
	backendtest.Fill(t, b, n)
	want := listAll(t, plain, "")
	require.Len(t, want, n)
	require.EqualValues(t, n, b.gets.Load())

	first := artifact.New(b, artifact.CacheManifests(dir))
	require.Equal(t, want, listAll(t, first, ""))
	b.gets.Store(0)
	b.lists.Store(0)
	for _, s := range []*artifact.Store{first, artifact.New(b, artifact.CacheManifests(dir))} {
		require.Equal(t, want, listAll(t, s, ""))
	}
	require.Zero(t, b.gets.Load())
	require.EqualValues(t, 2, b.lists.Load())

	other := artifact.New(b, artifact.CacheManifests(dir))
	require.Len(t, listAll(t, other, ""), n)
	ref := commit(t, plain, "model", "new")
	b.gets.Store(0)
	require.Len(t, listAll(t, first, ""), n+1)
	require.EqualValues(t, 1, b.gets.Load())
	require.Len(t, listAll(t, other, ""), n+1)
	require.EqualValues(t, 1, b.gets.Load(), "it reads what the other has added")

	require.NoError(t, b.Delete(t.Context(), manifestOf(ref)))
	require.Len(t, listAll(t, first, ""), n, "the bucket says what there is, not the cache")
}

// What is damaged in the cache is read from the bucket.
func TestListFromADamagedCache(t *testing.T) {
	b := &counting{Backend: memory.New()}
	dir := t.TempDir()
	backendtest.Fill(t, b, 20)
	want := listAll(t, artifact.New(b, artifact.CacheManifests(dir)), "")
	pack := filepath.Join(dir, "pack")
	whole, err := os.ReadFile(pack)
	require.NoError(t, err)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	flipped := bytes.Clone(whole)
	flipped[len(lines[0])+len(lines[1])/2] ^= 1
	for name, c := range map[string]struct {
		data []byte
		gets int64
	}{
		"empty":      {nil, 20},
		"cut short":  {whole[:len(whole)-10], 1},
		"bit flip":   {flipped, 1},
		"rubbish":    {append([]byte("rubbish\n\tmore\nmodel/x\ty\n"), whole...), 0},
		"torn apart": {append([]byte(string(lines[0][:50])), whole...), 1},
		"whole":      {whole, 0},
	} {
		require.NoError(t, os.WriteFile(pack, c.data, 0o600))
		b.gets.Store(0)
		s := artifact.New(b, artifact.CacheManifests(dir))
		require.Equal(t, want, listAll(t, s, ""), name)
		require.Equal(t, c.gets, b.gets.Load(), name)
		require.Equal(t, want, listAll(t, s, ""), name)
	}
	// A folder that cannot be written is no cache, and no error.
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Equal(t, want, listAll(t, artifact.New(b, artifact.CacheManifests(filepath.Join(file, "below"))), ""))
}

func TestCollectCleansTheCache(t *testing.T) {
	_, b, c := aged(t)
	dir := t.TempDir()
	s := artifact.New(b, artifact.CacheManifests(dir))
	s.SetClock(c.read)
	keep, drop := commit(t, s, "model", "keep"), commit(t, s, "model", "drop")
	require.Len(t, listAll(t, s, ""), 2)
	c.advance(2 * day)
	require.NoError(t, s.SetAlias(t.Context(), "keep", keep, nil, "me", ""))
	_, err := s.Collect(t.Context(), artifact.Collection{OlderThan: day})
	require.NoError(t, err)
	pack, err := os.ReadFile(filepath.Join(dir, "pack"))
	require.NoError(t, err)
	require.Contains(t, string(pack), keep.Digest)
	require.NotContains(t, string(pack), drop.Digest)
	require.Len(t, listAll(t, s, ""), 1)
}

func TestDescendants(t *testing.T) {
	store, backend := open(t)
	base := commit(t, store, "model", "base")
	demos := commit(t, store, "dataset", "demos")
	sft := commit(t, store, "model", "sft", artifact.Parent{Role: "base", Ref: base}, artifact.Parent{Role: "data", Ref: demos})
	rl := commit(t, store, "model", "rl", artifact.Parent{Role: "policy", Ref: sft}, artifact.Parent{Role: "reference", Ref: base})
	commit(t, store, "model", "unrelated")
	node, err := store.Descendants(t.Context(), base)
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		base.Short() + "  base",
		"├─ as base: " + sft.Short() + "  sft",
		"│  └─ as policy: " + rl.Short() + "  rl",
		"└─ as reference: " + rl.Short() + "  (see above)",
		"",
	}, "\n"), node.String())
	node, err = store.Descendants(t.Context(), rl)
	require.NoError(t, err)
	require.Equal(t, rl.Short()+"  rl\n", node.String())

	_, err = backend.Put(t.Context(), manifestOf(sft), []byte("{}"), artifact.Condition{})
	require.NoError(t, err)
	node, err = store.Descendants(t.Context(), base)
	require.NoError(t, err)
	require.Contains(t, node.String(), "as reference: "+rl.Short(), "a damaged child does not hide the others")
	_, err = store.Descendants(t.Context(), artifact.Ref{Kind: "model", Digest: strings.Repeat("0", 64)})
	require.ErrorIs(t, err, artifact.ErrNotFound)
}

// BenchmarkList lists 10,000 manifests of a kilobyte or two from memory.
func BenchmarkList(b *testing.B) { backendtest.BenchmarkList(b, memory.New()) }

// The manifests of Fill are of the size that those of runs have.
func TestFillIsLikeARun(t *testing.T) {
	b := memory.New()
	backendtest.Fill(t, b, 100)
	total := 0
	for _, e := range listAll(t, artifact.New(b), "") {
		body, err := json.Marshal(e.Manifest)
		require.NoError(t, err)
		total += len(body)
	}
	require.InDelta(t, 1600, total/100, 500, fmt.Sprint(total/100))
}
