package artifact_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"temper/artifact"
	"temper/artifact/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) (*artifact.Store, *memory.Backend) {
	t.Helper()
	b := memory.New()
	return artifact.New(b), b
}

func commit(t *testing.T, s *artifact.Store, kind, body string, parents ...artifact.Parent) artifact.Ref {
	t.Helper()
	ref, err := s.Commit(t.Context(), artifact.Manifest{Kind: kind, Summary: body, Parents: parents},
		map[string][]byte{"f": []byte(body)})
	require.NoError(t, err)
	return ref
}

func TestParseRef(t *testing.T) {
	digest := strings.Repeat("0a", 32)
	for text, ok := range map[string]bool{
		"model/" + digest:                  true,
		"rl-log_2/" + digest:               true,
		digest:                             false,
		"Model/" + digest:                  false,
		"model/" + digest[1:]:              false,
		"model/" + strings.ToUpper(digest): false,
		"a/b/" + digest:                    false,
		"../" + digest:                     false,
		"":                                 false,
	} {
		ref, err := artifact.ParseRef(text)
		require.Equal(t, ok, err == nil, text)
		if ok {
			require.Equal(t, text, ref.String())
		} else {
			require.ErrorContains(t, err, fmt.Sprintf("%q", text))
		}
	}
}

func FuzzParseRef(f *testing.F) {
	f.Add("model/" + strings.Repeat("0a", 32))
	f.Add("model/../" + strings.Repeat("0", 61))
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := artifact.ParseRef(text)
		if err == nil && ref.String() != text {
			t.Fatalf("%q reads back as %q", text, ref)
		}
		if err == nil && (strings.Contains(text, "..") || strings.Count(text, "/") != 1) {
			t.Fatalf("%q would escape its folder", text)
		}
	})
}

// Content depends on the kind and the files and on nothing else.
func TestContentProperties(t *testing.T) {
	store, _ := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		files := rapid.MapOf(rapid.StringMatching(`[a-z]{1,3}\.[a-z]{1,2}`), rapid.SliceOf(rapid.Byte())).Draw(rt, "files")
		commit := func(m artifact.Manifest, files map[string][]byte) artifact.Ref {
			ref, err := store.Commit(t.Context(), m, files)
			require.NoError(rt, err)
			return ref
		}
		one := commit(artifact.Manifest{Kind: "model"}, files)
		require.Equal(rt, one, commit(artifact.Manifest{Kind: "model"}, files), "the same commit is the same artifact")
		other := commit(artifact.Manifest{Kind: "model", Code: "v2", MadeBy: artifact.MadeBy{Attempt: 2}}, files)
		require.Equal(rt, one.Content, other.Content)
		require.NotEqual(rt, one.Digest, other.Digest)
		require.NotEqual(rt, one.Content, commit(artifact.Manifest{Kind: "dataset"}, files).Content)
		for path, body := range files {
			require.Equal(rt, string(body), read(rt, store, one, path))
		}
		if len(files) > 0 {
			path := rapid.SampledFrom(sortedKeys(files)).Draw(rt, "path")
			changed := map[string][]byte{}
			for p, body := range files {
				changed[p] = body
			}
			changed[path] = append([]byte("x"), changed[path]...)
			require.NotEqual(rt, one.Content, commit(artifact.Manifest{Kind: "model"}, changed).Content, "another byte")
			changed[path+"x"], changed[path] = files[path], nil
			delete(changed, path)
			require.NotEqual(rt, one.Content, commit(artifact.Manifest{Kind: "model"}, changed).Content, "another name")
		}
	})
}

func sortedKeys(files map[string][]byte) []string {
	var keys []string
	for k := range files {
		keys = append(keys, k)
	}
	// rapid wants the same choices in the same order on a replay.
	for i := range keys {
		for j := range i {
			if keys[i] < keys[j] {
				keys[i], keys[j] = keys[j], keys[i]
			}
		}
	}
	return keys
}

func read(t require.TestingT, s *artifact.Store, ref artifact.Ref, path string) string {
	body, err := s.Read(context.Background(), ref, path)
	require.NoError(t, err)
	return string(body)
}

func TestCommitKeepsTheManifest(t *testing.T) {
	store, _ := open(t)
	parent := commit(t, store, "dataset", "demos")
	made := artifact.Manifest{
		Kind: "model", Parents: []artifact.Parent{{Role: "data", Ref: parent}},
		MadeBy:   artifact.MadeBy{Workflow: "w", Run: "r", Stage: "sft", Activity: "train", Attempt: 3},
		Settings: json.RawMessage(`{"lr":1e-5}`), Device: "cpu", Code: "abc",
		Metrics: map[string]float64{"loss": 0.1}, Summary: "sft",
	}
	ref, err := store.Commit(t.Context(), made, map[string][]byte{"b": []byte("22"), "a/c": []byte("1")})
	require.NoError(t, err)
	got, err := store.Load(t.Context(), ref)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), got.Created, time.Minute, "the bucket's time")
	require.Equal(t, []string{"a/c", "b"}, []string{got.Files[0].Path, got.Files[1].Path})
	require.EqualValues(t, 3, got.Size())
	require.Equal(t, ref.Content, got.Content())
	made.Files, made.Created = got.Files, got.Created
	require.Equal(t, made, got)
}

func TestCommitRefuses(t *testing.T) {
	store, backend := open(t)
	good := artifact.File{Path: "f", Digest: strings.Repeat("0", 64)}
	with := func(change func(*artifact.Manifest)) artifact.Manifest {
		m := artifact.Manifest{Kind: "model"}
		change(&m)
		return m
	}
	tests := []struct {
		name  string
		m     artifact.Manifest
		files map[string][]byte
		want  string
	}{
		{"no kind", artifact.Manifest{}, nil, "kind"},
		{"kind with slash", artifact.Manifest{Kind: "a/b"}, nil, "kind"},
		{"path upwards", artifact.Manifest{Kind: "model"}, map[string][]byte{"../x": nil}, "../x"},
		{"absolute path", artifact.Manifest{Kind: "model"}, map[string][]byte{"/etc/passwd": nil}, "/etc/passwd"},
		{"backslash", artifact.Manifest{Kind: "model"}, map[string][]byte{`..\x`: nil}, `..\\x`},
		{"the folder itself", artifact.Manifest{Kind: "model"}, map[string][]byte{".": nil}, "path"},
		{"file and folder", artifact.Manifest{Kind: "model"}, map[string][]byte{"a": nil, "a/b": nil}, "folder of a/b"},
		{"named twice", with(func(m *artifact.Manifest) { m.Files = []artifact.File{good} }), map[string][]byte{"f": nil}, "twice"},
		{"shared blob absent", with(func(m *artifact.Manifest) { m.Files = []artifact.File{good} }), nil, "not found"},
		{"NaN", with(func(m *artifact.Manifest) { m.Metrics = map[string]float64{"loss": math.NaN()} }), nil, `"loss"`},
		{"settings", with(func(m *artifact.Manifest) { m.Settings = json.RawMessage("{") }), nil, "settings"},
		{"parent", with(func(m *artifact.Manifest) { m.Parents = []artifact.Parent{{Role: "base"}} }), nil, `"base"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := store.Commit(t.Context(), tt.m, tt.files)
			require.ErrorContains(t, err, tt.want)
		})
	}
	for info := range backend.List(t.Context(), "") {
		t.Errorf("a refused commit stored %s", info.Key)
	}
}

func TestCommitSharesBlobs(t *testing.T) {
	store, backend := open(t)
	first, err := store.Commit(t.Context(), artifact.Manifest{Kind: "model"}, map[string][]byte{"weights": []byte("W"), "tokenizer": []byte("T")})
	require.NoError(t, err)
	m, err := store.Load(t.Context(), first)
	require.NoError(t, err)
	tokenizer, ok := m.File("tokenizer")
	require.True(t, ok)
	second, err := store.Commit(t.Context(), artifact.Manifest{Kind: "model", Files: []artifact.File{tokenizer}}, map[string][]byte{"weights": []byte("W2")})
	require.NoError(t, err)
	require.Equal(t, "T", read(t, store, second, "tokenizer"))
	blobs := 0
	for range backend.List(t.Context(), "blobs/") {
		blobs++
	}
	require.Equal(t, 3, blobs)
}

func TestCommitDirEqualsCommit(t *testing.T) {
	store, _ := open(t)
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "blob")
	require.NoError(t, os.WriteFile(outside, []byte("linked"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d", "x"), []byte("1"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link")))
	fromDir, err := store.CommitDir(t.Context(), artifact.Manifest{Kind: "model"}, dir)
	require.NoError(t, err)
	fromMap, err := store.Commit(t.Context(), artifact.Manifest{Kind: "model"}, map[string][]byte{"d/x": []byte("1"), "link": []byte("linked")})
	require.NoError(t, err)
	require.Equal(t, fromMap, fromDir)

	require.NoError(t, os.Symlink(t.TempDir(), filepath.Join(dir, "elsewhere")))
	_, err = store.CommitDir(t.Context(), artifact.Manifest{Kind: "model"}, dir)
	require.ErrorContains(t, err, "elsewhere")
	_, err = store.CommitDir(t.Context(), artifact.Manifest{Kind: "model"}, filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// changing rewrites the file while it is sent, as an impatient user may.
type changing struct{ *memory.Backend }

func (c changing) PutFile(ctx context.Context, key, path string) error {
	if err := os.Truncate(path, 9<<20); err != nil {
		return err
	}
	return c.Backend.PutFile(ctx, key, path)
}

func TestCommitDirNoticesAChangingFile(t *testing.T) {
	backend := memory.New()
	store := artifact.New(changing{backend})
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "w"), make([]byte, 10<<20), 0o600))
	_, err := store.CommitDir(t.Context(), artifact.Manifest{Kind: "model"}, dir)
	require.ErrorContains(t, err, "changed while")
	for info := range backend.List(t.Context(), "") {
		t.Errorf("left %s behind", info.Key)
	}
}

// flaky fails the nth put, as a process that dies there would.
type flaky struct {
	*memory.Backend
	mu   sync.Mutex
	left int
}

func (f *flaky) Put(ctx context.Context, key string, body []byte, cond artifact.Condition) (string, error) {
	f.mu.Lock()
	f.left--
	down := f.left < 0
	f.mu.Unlock()
	if down {
		return "", fmt.Errorf("put %s: %w", key, artifact.ErrUnreachable)
	}
	return f.Backend.Put(ctx, key, body, cond)
}

// A commit that dies anywhere leaves no artifact, and the next attempt makes it.
func TestCommitSurvivesDyingAnywhere(t *testing.T) {
	files := map[string][]byte{"a": []byte("1"), "b": []byte("2"), "c": []byte("3")}
	for puts := range 5 { // three files, the note for the index, the manifest
		backend := &flaky{Backend: memory.New(), left: puts}
		store := artifact.New(backend)
		_, err := store.Commit(t.Context(), artifact.Manifest{Kind: "model"}, files)
		require.ErrorIs(t, err, artifact.ErrUnreachable, "after %d puts", puts)
		kinds, err := store.Kinds(t.Context())
		require.NoError(t, err)
		require.Empty(t, kinds)
		backend.left = 99
		ref, err := store.Commit(t.Context(), artifact.Manifest{Kind: "model"}, files)
		require.NoError(t, err)
		require.Equal(t, "3", read(t, store, ref, "c"))
		require.Equal(t, 99-2-(3-min(3, puts)), backend.left, "of the files, only what was not there is sent")
	}
}

func TestReadNamesWhatIsMissing(t *testing.T) {
	store, _ := open(t)
	ref := commit(t, store, "model", "x")
	_, err := store.Read(t.Context(), ref, "nope")
	require.ErrorIs(t, err, artifact.ErrNotFound)
	require.NotErrorIs(t, err, artifact.ErrCorrupt)
	require.ErrorContains(t, err, `"nope"`)
	gone := ref
	gone.Digest = strings.Repeat("0", 64)
	_, err = store.Load(t.Context(), gone)
	require.ErrorIs(t, err, artifact.ErrNotFound)
	require.ErrorContains(t, err, gone.String())
	wrong := ref
	wrong.Content = strings.Repeat("1", 64)
	_, err = store.Load(t.Context(), wrong)
	require.ErrorIs(t, err, artifact.ErrCorrupt)
	_, err = store.Load(t.Context(), artifact.Ref{})
	require.ErrorContains(t, err, "empty")
}

func TestFetchLeavesOtherFoldersAlone(t *testing.T) {
	store, _ := open(t)
	ref, err := store.Commit(t.Context(), artifact.Manifest{Kind: "model"}, map[string][]byte{"a": []byte("1"), "d/b": []byte("2")})
	require.NoError(t, err)
	for name, files := range map[string]map[string]string{
		"another file": {"a": "1", "d/b": "2", "notes.txt": "mine"},
		"other bytes":  {"a": "1", "d/b": "3"},
		"a part":       {"a": "1"},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		for path, body := range files {
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(body), 0o600))
		}
		require.ErrorContains(t, store.Fetch(t.Context(), ref, dir), "the folder holds", name)
		for path, body := range files {
			got, err := os.ReadFile(filepath.Join(dir, path))
			require.NoError(t, err, name)
			require.Equal(t, body, string(got), name)
		}
	}
	empty := t.TempDir()
	require.NoError(t, store.Fetch(t.Context(), ref, empty))
	require.FileExists(t, filepath.Join(empty, "d", "b"))

	shared := filepath.Join(t.TempDir(), "shared")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := store.Fetch(t.Context(), ref, shared); err != nil {
				t.Errorf("concurrent fetch: %v", err)
			}
		})
	}
	wg.Wait()
	entries, err := os.ReadDir(filepath.Dir(shared))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no working folders are left")
}
