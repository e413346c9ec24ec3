package filecache

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, f Folder, name string, size int) {
	t.Helper()
	x, err := f.New()
	require.NoError(t, err)
	_, err = x.Write(make([]byte, size))
	require.NoError(t, err)
	require.NoError(t, x.Keep(name))
}

func names(t *testing.T, f Folder) []string {
	t.Helper()
	entries, err := os.ReadDir(f.Dir)
	require.NoError(t, err)
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestTheOldestUseGoesFirst(t *testing.T) {
	f := Folder{Dir: filepath.Join(t.TempDir(), "deep", "cache"), Limit: 30}
	old := time.Now().Add(-time.Hour)
	for i, name := range []string{"a", "b", "c"} {
		write(t, f, name, 10)
		at := old.Add(time.Duration(i) * time.Minute)
		require.NoError(t, os.Chtimes(f.Path(name), at, at))
	}
	require.Equal(t, []string{"a", "b", "c"}, names(t, f))
	f.Use("a")
	write(t, f, "d", 10)
	require.Equal(t, []string{"a", "c", "d"}, names(t, f))
	write(t, f, "e", 25)
	require.Equal(t, []string{"e"}, names(t, f))
	write(t, f, "too large", 31)
	require.Empty(t, names(t, f))
}

func TestDroppedFilesLeaveNothing(t *testing.T) {
	f := Folder{Dir: t.TempDir(), Limit: 100}
	x, err := f.New()
	require.NoError(t, err)
	x.Drop()
	require.Empty(t, names(t, f))
	f.Use("nothing")
	require.Empty(t, names(t, f))
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = Folder{Dir: filepath.Join(file, "below")}.New()
	require.Error(t, err)
}
