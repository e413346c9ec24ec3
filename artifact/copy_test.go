package artifact_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/artifact/memory"
)

func TestCopyTo(t *testing.T) {
	from, fromBackend := open(t)
	base := commit(t, from, "model", "base")
	state := commit(t, from, "state", "state", artifact.Parent{Role: "base", Ref: base})
	large := bytes.Repeat([]byte("weights!"), 2<<20) // of those that go through a file
	model, err := from.Commit(t.Context(), artifact.Manifest{Kind: "model", Parents: []artifact.Parent{{Role: "state", Ref: state}, {Role: "base", Ref: base}}},
		map[string][]byte{"w": large, "c": []byte("{}"), "empty": nil})
	require.NoError(t, err)

	to, backend := open(t)
	got, err := from.CopyTo(t.Context(), to, model, false)
	require.NoError(t, err)
	require.Equal(t, artifact.Copied{Artifacts: 3, Files: 3, Bytes: int64(len(large) + 2)}, got)
	require.Equal(t, string(large), read(t, to, model, "w"))
	a, err := from.Lineage(t.Context(), model)
	require.NoError(t, err)
	b, err := to.Lineage(t.Context(), model)
	require.NoError(t, err)
	require.Equal(t, a.String(), b.String())
	_, err = to.Read(t.Context(), base, "f")
	require.ErrorIs(t, err, artifact.ErrCorrupt, "only its manifest came")

	got, err = from.CopyTo(t.Context(), to, model, false)
	require.NoError(t, err)
	require.Equal(t, artifact.Copied{Artifacts: 3}, got, "nothing is sent twice")
	require.NoError(t, backend.Delete(t.Context(), blobOf("{}")))
	got, err = from.CopyTo(t.Context(), to, model, true)
	require.NoError(t, err)
	require.Equal(t, 3, got.Files, "what is missing, and what the parents have")
	require.Equal(t, "base", read(t, to, base, "f"))

	// A damaged file is not copied, and nothing names it.
	other, otherBackend := open(t)
	_, err = fromBackend.Put(t.Context(), blobOf("{}"), []byte("[]"), artifact.Condition{})
	require.NoError(t, err)
	_, err = from.CopyTo(t.Context(), other, model, false)
	require.ErrorIs(t, err, artifact.ErrCorrupt)
	require.False(t, has(t, otherBackend, manifestOf(model)))
	require.False(t, has(t, otherBackend, blobOf("{}")))
	require.True(t, has(t, otherBackend, manifestOf(base)), "parents come first")

	require.NoError(t, fromBackend.Delete(t.Context(), manifestOf(base)))
	got, err = from.CopyTo(t.Context(), other, state, false)
	require.NoError(t, err)
	require.Equal(t, sortedRefs(base), sortedRefs(got.Gone...))
	_, err = from.CopyTo(t.Context(), other, base, false)
	require.ErrorIs(t, err, artifact.ErrNotFound)
}

// A copy that is cut off anywhere goes on when it is repeated.
func TestCopyToGoesOn(t *testing.T) {
	from, _ := open(t)
	base := commit(t, from, "model", "base")
	model := commit(t, from, "model", "model", artifact.Parent{Role: "base", Ref: base})
	for puts := range 10 {
		backend := &flaky{Backend: memory.New(), left: puts}
		to := artifact.New(backend)
		_, err := from.CopyTo(t.Context(), to, model, true)
		if err == nil {
			require.Equal(t, 6, puts)
			return
		}
		require.ErrorIs(t, err, artifact.ErrUnreachable)
		backend.left = 99
		_, err = from.CopyTo(t.Context(), to, model, true)
		require.NoError(t, err)
		require.Equal(t, "model", read(t, to, model, "f"))
		require.Equal(t, "base", read(t, to, base, "f"))
	}
	t.Fatal("it never got through")
}

func TestBlobCache(t *testing.T) {
	b := &counting{Backend: memory.New()}
	dir := filepath.Join(t.TempDir(), "cache")
	plain := artifact.New(b)
	cached := func() *artifact.Store { return artifact.New(b, artifact.CacheBlobs(dir, 100)) }
	one, two := strings.Repeat("1", 40), strings.Repeat("2", 40)
	ref, err := plain.Commit(t.Context(), artifact.Manifest{Kind: "model"}, map[string][]byte{"one": []byte(one), "two": []byte(two), "large": bytes.Repeat([]byte("x"), 60), "empty": nil})
	require.NoError(t, err)
	blobs := func(s *artifact.Store, path, want string) int64 {
		t.Helper()
		before := b.gets.Load()
		require.Equal(t, want, read(t, s, ref, path))
		return b.gets.Load() - before - 1 // less the manifest
	}
	s := cached()
	require.EqualValues(t, 1, blobs(s, "one", one))
	require.EqualValues(t, 0, blobs(s, "one", one))
	require.EqualValues(t, 0, blobs(cached(), "one", one), "another process")
	require.EqualValues(t, 1, blobs(s, "large", strings.Repeat("x", 60)))
	require.EqualValues(t, 1, blobs(s, "large", strings.Repeat("x", 60)), "more than half of the limit")
	require.EqualValues(t, 1, blobs(s, "two", two))
	out := filepath.Join(t.TempDir(), "out")
	require.NoError(t, s.Fetch(t.Context(), ref, out))
	body, err := os.ReadFile(filepath.Join(out, "one"))
	require.NoError(t, err)
	require.Equal(t, one, string(body))

	// A damaged file is not used.
	for _, damaged := range [][]byte{nil, []byte(one[:10]), []byte(strings.Repeat("3", 40))} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, sha(one)), damaged, 0o600))
		require.EqualValues(t, 1, blobs(s, "one", one))
		require.EqualValues(t, 0, blobs(s, "one", one))
	}

	// What was not read to its end, or is not whole, is not kept.
	require.NoError(t, os.RemoveAll(dir))
	r, err := s.Open(t.Context(), ref, "one")
	require.NoError(t, err)
	_, err = io.ReadFull(r, make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, r.Close())
	_, err = b.Put(t.Context(), blobOf(two), []byte(one), artifact.Condition{})
	require.NoError(t, err)
	_, err = s.Read(t.Context(), ref, "two")
	require.ErrorIs(t, err, artifact.ErrCorrupt)
	entries, err := os.ReadDir(dir)
	require.True(t, err == nil && len(entries) == 0 || errors.Is(err, os.ErrNotExist), "%v", entries)

	// A folder that cannot be written is no cache, and no error.
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Equal(t, one, read(t, artifact.New(b, artifact.CacheBlobs(filepath.Join(file, "below"), 100)), ref, "one"))
}
