package artifact_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
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

// The first listing of a large bucket writes an index; the next read what is new.
func TestListFromTheIndex(t *testing.T) {
	b := &counting{Backend: memory.New()}
	s := artifact.New(b)
	const n = 700 // some batches
	backendtest.Fill(t, b, n)
	b.gets.Store(0)
	want := listAll(t, s, "")
	require.Len(t, want, n)
	require.EqualValues(t, n+1, b.gets.Load(), "every manifest, and the index that is not there")
	require.Empty(t, keysOf(t, b, "index/new/"))

	b.gets.Store(0)
	require.Equal(t, want, listAll(t, s, ""))
	require.EqualValues(t, 1, b.gets.Load())
	models := 0
	for _, e := range want {
		if e.Ref.Kind == "model" {
			models++
		}
	}
	require.Len(t, listAll(t, s, "model"), models)
	kinds, err := s.Kinds(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"evaluation", "model", "rollouts", "state"}, kinds)
	got, err := s.Resolve(t.Context(), want[5].Ref.Digest[:14])
	require.NoError(t, err)
	require.Equal(t, want[5].Ref, got)

	ref := commit(t, s, "model", "new")
	require.NoError(t, b.Delete(t.Context(), manifestOf(commit(t, s, "model", "its commit died"))))
	b.gets.Store(0)
	require.Len(t, listAll(t, s, ""), n+1)
	require.EqualValues(t, 3, b.gets.Load(), "the index and two more")
	got, err = s.Resolve(t.Context(), ref.Digest[:14])
	require.NoError(t, err)
	require.Equal(t, ref, got)

	// Enough new ones, and the index is written again.
	for i := range 300 {
		commit(t, s, "state", fmt.Sprint("more ", i))
	}
	require.Len(t, listAll(t, s, "state"), n/4+300)
	require.Len(t, keysOf(t, b, "index/new/"), 2, "the model, which was not read, and that of the commit that died")
	b.gets.Store(0)
	require.Len(t, listAll(t, s, ""), n+301)
	require.EqualValues(t, 3, b.gets.Load())
}

// A damaged index is none, and a damaged manifest in it is read from the bucket.
func TestListFromADamagedIndex(t *testing.T) {
	b := &counting{Backend: memory.New()}
	s := artifact.New(b)
	backendtest.Fill(t, b, 300)
	want := listAll(t, s, "")
	const key = "index/manifests.gz"
	whole := object(t, b, key)
	plain := unzip(t, whole)
	flipped := bytes.Clone(plain)
	flipped[bytes.Index(flipped, []byte("demo-"))] ^= 1
	for name, c := range map[string]struct {
		data []byte
		gets int64
	}{
		"empty":              {nil, 301},
		"cut short":          {whole[:len(whole)-10], 301},
		"no gzip":            {[]byte("rubbish"), 301},
		"lines of something": {zip(t, []byte("rubbish\n\tmore\n")), 301},
		"a size too large":   {zip(t, plain[:len(plain)-10]), 301},
		"bit flip":           {zip(t, flipped), 2},
		"whole":              {whole, 1},
	} {
		_, err := b.Put(t.Context(), key, c.data, artifact.Condition{})
		require.NoError(t, err)
		b.gets.Store(0)
		require.Equal(t, want, listAll(t, s, ""), name)
		require.Equal(t, c.gets, b.gets.Load(), name)
		require.Equal(t, want, listAll(t, s, ""), name)
	}
	require.Equal(t, plain, unzip(t, object(t, b, key)), "mended each time")
}

// readOnly refuses every put.
type readOnly struct{ *memory.Backend }

func (readOnly) Put(context.Context, string, []byte, artifact.Condition) (string, error) {
	return "", artifact.ErrDenied
}

func TestListByWhoMayOnlyRead(t *testing.T) {
	b := memory.New()
	backendtest.Fill(t, b, 300)
	require.Len(t, listAll(t, artifact.New(readOnly{b}), ""), 300)
}

// Listings that write the index beside commits and collections lose nothing.
func TestIndexBesideCommits(t *testing.T) {
	_, b, c := aged(t)
	s := artifact.New(b)
	s.SetClock(c.read)
	backendtest.Fill(t, b, 300)
	c.advance(2 * day)
	var wg sync.WaitGroup
	made := make([][]artifact.Ref, 3)
	for w := range made {
		wg.Go(func() {
			for i := range 400 {
				ref, err := s.Commit(context.Background(), artifact.Manifest{Kind: "model", Summary: fmt.Sprint(w, i)}, nil)
				if err != nil {
					t.Errorf("commit: %v", err)
				}
				made[w] = append(made[w], ref)
				if i%50 == 0 {
					seen := map[artifact.Ref]bool{}
					for e, err := range s.List(context.Background(), "") {
						if err != nil {
							t.Errorf("list: %v", err)
						}
						seen[e.Ref] = true
					}
					for _, ref := range made[w] {
						if !seen[ref] {
							t.Errorf("%s is not in the listing", ref)
						}
					}
				}
			}
		})
	}
	wg.Go(func() {
		for range 10 {
			if _, err := s.Collect(context.Background(), artifact.Collection{OlderThan: day}); err != nil {
				t.Errorf("collect: %v", err)
			}
		}
	})
	wg.Wait()
	_, err := s.Collect(t.Context(), artifact.Collection{OlderThan: day})
	require.NoError(t, err)
	require.Len(t, listAll(t, s, ""), 1200, "and those of Fill are collected")
	require.Len(t, keysOf(t, b, "manifests/"), 1200)
}

// A collection mends the index of a bucket that was changed by other means.
func TestCollectMendsTheIndex(t *testing.T) {
	_, b, c := aged(t)
	s := artifact.New(b)
	s.SetClock(c.read)
	refs := backendtest.Fill(t, b, 400)
	want := listAll(t, s, "")
	require.NoError(t, b.Delete(t.Context(), manifestOf(refs[0])))
	ref := commit(t, s, "model", "copied here")
	require.NoError(t, b.Delete(t.Context(), "index/new/"+ref.String()))
	require.Equal(t, want[:10], listAll(t, s, "")[:10], "nobody knows")
	_, err := s.Collect(t.Context(), artifact.Collection{OlderThan: day})
	require.NoError(t, err)
	got := map[artifact.Ref]bool{}
	for _, e := range listAll(t, s, "") {
		got[e.Ref] = true
	}
	require.True(t, got[ref])
	require.False(t, got[refs[0]])
	require.Len(t, got, 400)
}

func object(t *testing.T, b artifact.Backend, key string) []byte {
	t.Helper()
	r, _, err := b.Get(t.Context(), key)
	require.NoError(t, err)
	defer r.Close()
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	return data
}

func unzip(t *testing.T, data []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	return plain
}

func zip(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
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
