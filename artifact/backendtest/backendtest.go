// Package backendtest is the conformance suite of artifact.Backend: every
// implementation passes it, and each promise in that interface's comments has a test
// here. It may import artifact, the standard library and testify.
package backendtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"temper/artifact"
)

// Run tests the backends that open returns, each of which must be empty.
func Run(t *testing.T, open func(t *testing.T) artifact.Backend) {
	tests := []struct {
		name string
		test func(t *testing.T, b artifact.Backend)
	}{
		{"round trip", roundTrip},
		{"absent", absent},
		{"overwrite", overwrite},
		{"put file", putFile},
		{"ranges", ranges},
		{"list", list},
		{"list stops", listStops},
		{"delete", remove},
		{"if absent", ifAbsent},
		{"if match", ifMatch},
		{"one winner of sixteen", oneWinner},
		{"compare and set counts", compareAndSet},
		{"whole objects only", wholeObjects},
		{"cancelled", cancelled},
		{"store: damaged blobs", damagedBlobs},
		{"store: commit, fetch, lineage", storeTour},
		{"store: index, collection", storeUpkeep},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

func put(t *testing.T, b artifact.Backend, key, body string) string {
	t.Helper()
	etag, err := b.Put(t.Context(), key, []byte(body), artifact.Condition{})
	require.NoError(t, err)
	require.NotEmpty(t, etag)
	return etag
}

func get(t *testing.T, b artifact.Backend, key string) string {
	t.Helper()
	r, info, err := b.Get(t.Context(), key)
	require.NoError(t, err)
	defer r.Close()
	body, err := io.ReadAll(r)
	require.NoError(t, err)
	require.EqualValues(t, len(body), info.Size)
	return string(body)
}

func roundTrip(t *testing.T, b artifact.Backend) {
	for key, body := range map[string]string{
		"a":                         "one",
		"folder/of/things/x.json":   `{"a":1}`,
		"empty":                     "",
		"bytes":                     string([]byte{0, 255, 10, 13, 0}),
		"names/with space+and=more": "y",
	} {
		before := time.Now().Add(-2 * time.Second) // stores round to seconds
		etag := put(t, b, key, body)
		require.Equal(t, body, get(t, b, key), key)
		info, err := b.Stat(t.Context(), key)
		require.NoError(t, err, key)
		require.Equal(t, key, info.Key)
		require.EqualValues(t, len(body), info.Size, key)
		require.Equal(t, etag, info.ETag, key)
		require.WithinRange(t, info.Modified, before, time.Now().Add(2*time.Second), key)
		r, opened, err := b.Get(t.Context(), key)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		require.Equal(t, info.ETag, opened.ETag)
		require.Equal(t, key, opened.Key)
	}
}

func absent(t *testing.T, b artifact.Backend) {
	put(t, b, "folder/there", "x")
	for _, key := range []string{"nowhere", "folder/nowhere", "folder", "folder/there/below"} {
		_, _, err := b.Get(t.Context(), key)
		require.ErrorIs(t, err, artifact.ErrNotFound, key)
		require.ErrorContains(t, err, key)
		_, err = b.Stat(t.Context(), key)
		require.ErrorIs(t, err, artifact.ErrNotFound, key)
		require.ErrorContains(t, err, key)
	}
}

func overwrite(t *testing.T, b artifact.Backend) {
	first := put(t, b, "k", "first")
	second := put(t, b, "k", "second, longer")
	require.NotEqual(t, first, second)
	require.Equal(t, "second, longer", get(t, b, "k"))
	put(t, b, "k", "3")
	require.Equal(t, "3", get(t, b, "k"))
}

func putFile(t *testing.T, b artifact.Backend) {
	path := filepath.Join(t.TempDir(), "weights")
	// Long enough for several parts of a multipart upload, and not a multiple of one.
	body := bytes.Repeat([]byte("0123456789abcdef"), 40<<16)
	body = append(body, "tail"...)
	require.NoError(t, os.WriteFile(path, body, 0o600))
	require.NoError(t, b.PutFile(t.Context(), "big/weights", path))
	require.NoError(t, b.PutFile(t.Context(), "big/weights", path), "again")
	r, info, err := b.Get(t.Context(), "big/weights")
	require.NoError(t, err)
	defer r.Close()
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.True(t, bytes.Equal(body, got))
	require.EqualValues(t, len(body), info.Size)

	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, b.PutFile(t.Context(), "big/empty", path))
	require.Empty(t, get(t, b, "big/empty"))

	err = b.PutFile(t.Context(), "big/none", path+".none")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = b.Stat(t.Context(), "big/none")
	require.ErrorIs(t, err, artifact.ErrNotFound)
}

func ranges(t *testing.T, b artifact.Backend) {
	put(t, b, "k", "0123456789")
	read := func(offset, length int64) (string, error) {
		r, err := b.GetRange(t.Context(), "k", offset, length)
		if err != nil {
			return "", err
		}
		defer r.Close()
		body, err := io.ReadAll(r)
		return string(body), err
	}
	for _, c := range []struct {
		offset, length int64
		want           string
	}{{0, 10, "0123456789"}, {0, 1, "0"}, {3, 4, "3456"}, {9, 1, "9"}} {
		got, err := read(c.offset, c.length)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	for _, c := range [][2]int64{{0, 11}, {10, 1}, {5, 6}, {-1, 2}, {0, 0}} {
		_, err := read(c[0], c[1])
		require.Error(t, err, "%v", c)
	}
	_, err := b.GetRange(t.Context(), "nowhere", 0, 1)
	require.ErrorIs(t, err, artifact.ErrNotFound)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.GetRange(ctx, "k", 0, 1)
	require.ErrorIs(t, err, context.Canceled)
}

func keys(t *testing.T, b artifact.Backend, prefix string) []string {
	t.Helper()
	found := []string{}
	for info, err := range b.List(t.Context(), prefix) {
		require.NoError(t, err)
		require.EqualValues(t, len(info.Key), info.Size, "these objects hold as many bytes as their keys")
		require.NotEmpty(t, info.ETag)
		require.False(t, info.Modified.IsZero())
		found = append(found, info.Key)
	}
	return found
}

func list(t *testing.T, b artifact.Backend) {
	require.Empty(t, keys(t, b, ""))
	all := []string{"a/1", "a/2/x", "a/20", "ab", "b"}
	for _, key := range slices.Backward(all) {
		put(t, b, key, key)
	}
	for prefix, want := range map[string][]string{
		"":      all,
		"a/":    {"a/1", "a/2/x", "a/20"},
		"a/2":   {"a/2/x", "a/20"},
		"a/2/":  {"a/2/x"},
		"a":     {"a/1", "a/2/x", "a/20", "ab"},
		"b":     {"b"},
		"b/":    {},
		"other": {},
	} {
		require.Equal(t, want, keys(t, b, prefix), "prefix %q", prefix)
	}
}

func listStops(t *testing.T, b artifact.Backend) {
	for i := range 5 {
		put(t, b, fmt.Sprintf("k/%d", i), "x")
	}
	seen := 0
	for _, err := range b.List(t.Context(), "k/") {
		require.NoError(t, err)
		if seen++; seen == 2 {
			break
		}
	}
	require.Equal(t, 2, seen)
}

func remove(t *testing.T, b artifact.Backend) {
	put(t, b, "f/k", "x")
	put(t, b, "f/k2", "y")
	require.NoError(t, b.Delete(t.Context(), "f/k"))
	_, err := b.Stat(t.Context(), "f/k")
	require.ErrorIs(t, err, artifact.ErrNotFound)
	require.NoError(t, b.Delete(t.Context(), "f/k"), "again")
	require.NoError(t, b.Delete(t.Context(), "never/was"))
	require.Equal(t, "y", get(t, b, "f/k2"))
}

func ifAbsent(t *testing.T, b artifact.Backend) {
	cond := artifact.Condition{IfAbsent: true}
	_, err := b.Put(t.Context(), "k", []byte("1"), cond)
	require.NoError(t, err)
	_, err = b.Put(t.Context(), "k", []byte("2"), cond)
	require.ErrorIs(t, err, artifact.ErrPrecondition)
	require.ErrorContains(t, err, "k")
	require.Equal(t, "1", get(t, b, "k"))
	require.NoError(t, b.Delete(t.Context(), "k"))
	_, err = b.Put(t.Context(), "k", []byte("3"), cond)
	require.NoError(t, err)
	require.Equal(t, "3", get(t, b, "k"))
}

func ifMatch(t *testing.T, b artifact.Backend) {
	first := put(t, b, "k", "1")
	second, err := b.Put(t.Context(), "k", []byte("2"), artifact.Condition{IfMatch: first})
	require.NoError(t, err)
	_, err = b.Put(t.Context(), "k", []byte("3"), artifact.Condition{IfMatch: first})
	require.ErrorIs(t, err, artifact.ErrPrecondition)
	require.Equal(t, "2", get(t, b, "k"))
	_, err = b.Put(t.Context(), "k", []byte("3"), artifact.Condition{IfMatch: second})
	require.NoError(t, err)
	_, err = b.Put(t.Context(), "absent", []byte("1"), artifact.Condition{IfMatch: first})
	require.ErrorIs(t, err, artifact.ErrPrecondition)
	_, err = b.Put(t.Context(), "k", []byte("4"), artifact.Condition{IfMatch: first, IfAbsent: true})
	require.Error(t, err, "both conditions")
	require.Equal(t, "3", get(t, b, "k"))
}

const writers = 16

func oneWinner(t *testing.T, b artifact.Backend) {
	for round := range 8 {
		key := fmt.Sprintf("race/%d", round)
		var wg sync.WaitGroup
		var winner atomic.Int64
		errs := make([]error, writers)
		for i := range writers {
			wg.Go(func() {
				_, errs[i] = b.Put(t.Context(), key, fmt.Appendf(nil, "writer %d", i), artifact.Condition{IfAbsent: true})
				if errs[i] == nil {
					winner.Store(int64(i))
				}
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				require.ErrorIs(t, err, artifact.ErrPrecondition)
			}
		}
		require.Equal(t, 1, won, "winners")
		require.Equal(t, fmt.Sprintf("writer %d", winner.Load()), get(t, b, key))
	}
}

// compareAndSet lets writers extend one object, each having read it before: an update
// that is lost would leave the object too short.
func compareAndSet(t *testing.T, b artifact.Backend) {
	put(t, b, "log", ".")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for {
				r, info, err := b.Get(t.Context(), "log")
				if err != nil {
					t.Errorf("get: %v", err)
					return
				}
				body, err := io.ReadAll(r)
				r.Close()
				if err != nil {
					t.Errorf("read: %v", err)
					return
				}
				_, err = b.Put(t.Context(), "log", fmt.Appendf(body, "%d", i), artifact.Condition{IfMatch: info.ETag})
				if err == nil {
					return
				}
				if !isPrecondition(err) {
					t.Errorf("put: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	got := []byte(get(t, b, "log"))
	slices.Sort(got)
	require.Equal(t, ".01234567", string(got))
}

// wholeObjects reads while others overwrite: each answer is one of the versions.
func wholeObjects(t *testing.T, b artifact.Backend) {
	version := func(i int) string { return string(bytes.Repeat([]byte{byte('a' + i)}, 64<<10+i)) }
	put(t, b, "k", version(0))
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 8 {
				if _, err := b.Put(t.Context(), "k", []byte(version(i)), artifact.Condition{}); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		})
	}
	for range 40 {
		body := get(t, b, "k")
		require.Equal(t, version(int(body[0]-'a')), body)
	}
	wg.Wait()
}

func cancelled(t *testing.T, b artifact.Backend) {
	put(t, b, "k", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Put(ctx, "k2", []byte("x"), artifact.Condition{})
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = b.Get(ctx, "k")
	require.ErrorIs(t, err, context.Canceled)
	_, err = b.Stat(ctx, "k")
	require.ErrorIs(t, err, context.Canceled)
	for _, err = range b.List(ctx, "") {
	}
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, b.Delete(ctx, "k"), context.Canceled)
	require.Equal(t, "x", get(t, b, "k"))
}
