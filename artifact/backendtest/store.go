package backendtest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/artifact"
)

func isPrecondition(err error) bool { return errors.Is(err, artifact.ErrPrecondition) }

// damagedBlobs changes blobs behind the store's back, as bad disks do: what is read
// back is the right bytes or an error, and committing again mends what it can see.
func damagedBlobs(t *testing.T, b artifact.Backend) {
	store := artifact.New(b)
	const body = "the quick brown fox"
	files := map[string][]byte{"weights.bin": []byte(body)}
	ref, err := store.Commit(t.Context(), artifact.Manifest{Kind: "model"}, files)
	require.NoError(t, err)
	m, err := store.Load(t.Context(), ref)
	require.NoError(t, err)
	digest := m.Files[0].Digest
	key := "blobs/sha256/" + digest[:2] + "/" + digest[2:]
	require.Equal(t, body, get(t, b, key))

	flipped := []byte(body)
	flipped[7] ^= 1
	for name, damaged := range map[string]string{"truncated": body[:5], "bit-flipped": string(flipped), "emptied": ""} {
		put(t, b, key, damaged)
		_, err = store.Read(t.Context(), ref, "weights.bin")
		require.ErrorIs(t, err, artifact.ErrCorrupt, name)
		for _, part := range []string{ref.String(), "weights.bin", key} {
			require.ErrorContains(t, err, part, name)
		}
		dir := filepath.Join(t.TempDir(), "out")
		require.ErrorIs(t, store.Fetch(t.Context(), ref, dir), artifact.ErrCorrupt, name)
		require.NoDirExists(t, dir, name)
	}

	put(t, b, key, body[:5])
	again, err := store.Commit(t.Context(), artifact.Manifest{Kind: "model"}, files)
	require.NoError(t, err)
	require.Equal(t, ref, again)
	require.Equal(t, body, get(t, b, key), "a blob of the wrong size is stored again")

	require.NoError(t, b.Delete(t.Context(), key))
	_, err = store.Read(t.Context(), ref, "weights.bin")
	require.ErrorIs(t, err, artifact.ErrCorrupt)
	require.ErrorContains(t, err, key)

	manifest := "manifests/model/" + ref.Digest + ".json"
	put(t, b, manifest, strings.Replace(get(t, b, manifest), "weights", "Weights", 1))
	_, err = store.Load(t.Context(), ref)
	require.ErrorIs(t, err, artifact.ErrCorrupt)
	require.ErrorContains(t, err, manifest)
	_, err = store.Commit(t.Context(), artifact.Manifest{Kind: "model"}, files)
	require.NoError(t, err)
	_, err = store.Read(t.Context(), ref, "weights.bin")
	require.NoError(t, err, "commit mends a damaged manifest")
}

// storeTour takes a folder with a large file through the store and back.
func storeTour(t *testing.T, b artifact.Backend) {
	store := artifact.New(b)
	dir := filepath.Join(t.TempDir(), "model")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
	large := bytes.Repeat([]byte("weights!"), 20<<17) // 20 MiB: streamed, in several parts
	for name, body := range map[string][]byte{"config.json": []byte("{}"), "model.safetensors": large, "sub/empty": nil} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), body, 0o600))
	}
	base, err := store.CommitDir(t.Context(), artifact.Manifest{Kind: "model", Summary: "base"}, dir)
	require.NoError(t, err)
	tuned, err := store.Commit(t.Context(), artifact.Manifest{Kind: "model", Summary: "tuned",
		Parents: []artifact.Parent{{Role: "base", Ref: base}}}, map[string][]byte{"w": []byte("1")})
	require.NoError(t, err)

	out := filepath.Join(t.TempDir(), "deep", "out")
	require.NoError(t, store.Fetch(t.Context(), base, out))
	require.NoError(t, store.Fetch(t.Context(), base, out), "again")
	got, err := os.ReadFile(filepath.Join(out, "model.safetensors"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(large, got))

	require.NoError(t, store.SetAlias(t.Context(), "reason/champion", tuned, nil, "me", "first"))
	require.ErrorIs(t, store.SetAlias(t.Context(), "reason/champion", base, &base, "me", "stale"), artifact.ErrPrecondition)
	require.NoError(t, store.SetAlias(t.Context(), "reason/champion", base, &tuned, "me", "worse"))
	found, err := store.Resolve(t.Context(), "reason/champion")
	require.NoError(t, err)
	require.Equal(t, base, found)

	node, err := store.Lineage(t.Context(), tuned)
	require.NoError(t, err)
	require.Equal(t, tuned.Short()+"  tuned\n└─ base: "+base.Short()+"  base\n", node.String())

	require.NoError(t, store.Remember(t.Context(), "stage-1", map[string]artifact.Ref{"model": tuned}))
	memo, ok, err := store.Recall(t.Context(), "stage-1")
	require.NoError(t, err)
	require.True(t, ok, memo.Note)
	require.Equal(t, map[string]artifact.Ref{"model": tuned}, memo.Outputs)
}

// storeUpkeep fills a bucket until it has an index, and collects garbage in it. What is there is
// young, so nothing goes; what a collection and commits say to each other is said all the same.
func storeUpkeep(t *testing.T, b artifact.Backend) {
	store := artifact.New(b)
	refs := Fill(t, b, 260)
	list := func() []artifact.Entry {
		var all []artifact.Entry
		for e, err := range store.List(t.Context(), "") {
			require.NoError(t, err)
			all = append(all, e)
		}
		return all
	}
	want := list()
	require.Len(t, want, len(refs))
	_, err := b.Stat(t.Context(), "index/manifests.gz")
	require.NoError(t, err)
	require.Equal(t, want, list(), "from the index")
	require.NoError(t, store.SetAlias(t.Context(), "first", refs[0], nil, "me", ""))
	got, err := store.Collect(t.Context(), artifact.Collection{OlderThan: artifact.MinimumAge, Who: "the suite"})
	require.NoError(t, err)
	require.Equal(t, artifact.Collected{Kept: len(refs)}, got)
	require.Equal(t, want, list())
	for info, err := range b.List(t.Context(), "gc/") {
		require.NoError(t, err)
		require.Fail(t, "left behind", info.Key)
	}
	node, err := store.Descendants(t.Context(), refs[0])
	require.NoError(t, err)
	below := 0
	node.Walk(func(*artifact.Node) { below++ })
	require.Equal(t, len(refs), below)
}
