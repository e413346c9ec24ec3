package devstack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/versity/versitygw/backend/meta"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/headers"
)

// What is refused before anything is made.
func TestPortsAreCheckedFirst(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{TemporalPort: taken}, fmt.Sprintf("port %d (temporal.port) is taken by another process: stop it or set temporal.port", taken)},
		{Options{UIPort: taken}, fmt.Sprintf("port %d (temporal.ui_port) is taken by another process: stop it or set temporal.ui_port", taken)},
		{Options{S3Port: taken}, fmt.Sprintf("port %d (s3.port) is taken by another process: stop it or set s3.port", taken)},
		{Options{TemporalPort: 4999, S3Port: 4999}, "port 4999 is both temporal.port and s3.port"},
		{Options{UIPort: 70000}, "port 70000 (temporal.ui_port) is no port"},
		{Options{UIPort: -1}, "port -1 (temporal.ui_port) is no port"},
	} {
		tt.o.Dir = filepath.Join(t.TempDir(), "data")
		_, err := Start(t.Context(), tt.o)
		require.ErrorContains(t, err, tt.want)
		require.NoDirExists(t, tt.o.Dir)
	}
	_, err = Start(t.Context(), Options{})
	require.ErrorContains(t, err, "data folder is not set")
}

func TestChoosePortsAreDistinct(t *testing.T) {
	p, err := choosePorts(Options{})
	require.NoError(t, err)
	seen := map[int]bool{}
	for _, port := range []int{p.temporal, p.ui, p.s3, p.http, p.history, p.matching, p.workers} {
		require.NotZero(t, port)
		require.False(t, seen[port])
		seen[port] = true
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, probeLock(dir))
	require.NoFileExists(t, filepath.Join(dir, lockName), "probing makes nothing")
	unlock, err := lockDir(dir)
	require.NoError(t, err)
	want := fmt.Sprintf("in use by the process with pid %d", os.Getpid())
	require.ErrorContains(t, probeLock(dir), want)
	_, err = lockDir(dir)
	require.ErrorContains(t, err, want)
	require.NoError(t, unlock())
	require.NoError(t, probeLock(dir))
	unlock, err = lockDir(dir)
	require.NoError(t, err)
	require.NoError(t, unlock())
}

func TestAnotherVersionsDatabase(t *testing.T) {
	dir := t.TempDir()
	temporalDir := filepath.Join(dir, "temporal")
	require.NoError(t, os.MkdirAll(temporalDir, 0o700))
	require.NoError(t, makeDatabase(temporalDir, filepath.Join(temporalDir, "temporal.db")))
	record := filepath.Join(temporalDir, "version")
	require.NoError(t, os.WriteFile(record, []byte("1.2.3\n"), 0o600))
	_, err := Start(t.Context(), Options{Dir: dir})
	require.ErrorContains(t, err, "made by Temporal server 1.2.3 and this is "+headers.ServerVersion)
	require.ErrorContains(t, err, temporalDir)
	require.NoError(t, os.Remove(record))
	_, err = Start(t.Context(), Options{Dir: dir})
	require.ErrorContains(t, err, record)
	require.ErrorIs(t, err, os.ErrNotExist)
	// A start that failed gives everything back.
	require.NoError(t, probeLock(dir))
	require.False(t, running.Load())
}

// A crash while the schema is being made leaves an unfinished database under another
// name, which the next start takes away.
func TestSchemaIsWholeOrAbsent(t *testing.T) {
	dir := t.TempDir()
	unfinished := filepath.Join(dir, "new-123")
	require.NoError(t, os.MkdirAll(unfinished, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(unfinished, "temporal.db"), []byte("half a database"), 0o600))
	_, err := openDatabase(dir, Options{Namespace: "default"})
	require.NoError(t, err)
	entries, err := filepath.Glob(filepath.Join(dir, "new-*"))
	require.NoError(t, err)
	require.Empty(t, entries)
	info, err := os.Stat(filepath.Join(dir, "temporal.db"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	_, err = openDatabase(dir, Options{Namespace: "default"})
	require.NoError(t, err, "again")
}

func TestMissingAttributes(t *testing.T) {
	const keyword, text = enumspb.INDEXED_VALUE_TYPE_KEYWORD, enumspb.INDEXED_VALUE_TYPE_TEXT
	type types = map[string]enumspb.IndexedValueType
	got, err := missingAttributes(types{"A": keyword, "B": text}, types{"A": keyword, "Other": text})
	require.NoError(t, err)
	require.Equal(t, types{"B": text}, got)
	_, err = missingAttributes(types{"A": keyword}, types{"A": text})
	require.ErrorContains(t, err, "search attribute A is of type Text")
}

func TestCredentials(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials.json")
	first, err := loadKeys(path)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(path, 0o644))
	again, err := loadKeys(path)
	require.NoError(t, err)
	require.Equal(t, first, again)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "a file that others could read is closed")
	other, err := loadKeys(path + ".other")
	require.NoError(t, err)
	require.NotEqual(t, first, other)
	for _, text := range []string{"", "{}", `{"access_key": "a", "secret_key": very-secret}`} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err = loadKeys(path)
		require.ErrorContains(t, err, path)
		require.NotContains(t, err.Error(), "very-secret")
	}
}

func TestMetadataKind(t *testing.T) {
	none := func() error { return errors.New("no attributes here") }
	some := func() error { return nil }
	for _, tt := range []struct {
		name   string
		record string // "": absent
		test   func() error
		want   string
		err    string
	}{
		{"new", "", some, attributes, ""},
		{"new without attributes", "", none, besides, ""},
		{"as before", attributes, some, attributes, ""},
		{"files stay files", besides, some, besides, ""},
		{"moved to where there are none", attributes, none, "", "no attributes here"},
		{"rubbish", "x", some, "", `"x"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			record := filepath.Join(t.TempDir(), "metadata")
			if tt.record != "" {
				require.NoError(t, os.WriteFile(record, []byte(tt.record+"\n"), 0o600))
			}
			got, err := metadataKind(record, tt.test)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			again, err := metadataKind(record, tt.test)
			require.NoError(t, err)
			require.Equal(t, got, again)
		})
	}
	if err := testAttributes(t.TempDir()); err != nil {
		require.ErrorIs(t, err, syscall.ENOTSUP)
	}
	require.Error(t, (meta.XattrMeta{}).StoreAttribute(nil, t.TempDir(), "absent", "x", nil))
}

// A store on a file system without extended attributes keeps every promise too.
func TestStoreWithoutAttributes(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "s3"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "s3", "metadata"), []byte(besides+"\n"), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s := &Stack{Dir: dir, Bucket: "temper", failed: make(chan error, 1), stopped: make(chan struct{})}
	p, err := choosePorts(Options{})
	require.NoError(t, err)
	require.NoError(t, s.startS3(ctx, p.s3))
	defer func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	}()
	conforms(t, s)
	require.DirExists(t, filepath.Join(dir, "s3", "metadata.d", "temper"), "metadata is beside the data")
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	_, err := Start(ctx, Options{Dir: dir})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, probeLock(dir))
	require.False(t, running.Load())
}

func TestRotate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.log")
	require.NoError(t, rotate(path), "absent")
	require.NoError(t, os.WriteFile(path, []byte("small"), 0o600))
	require.NoError(t, rotate(path))
	require.FileExists(t, path)
	require.NoError(t, os.Truncate(path, maxLogBytes+1))
	require.NoError(t, rotate(path))
	require.NoFileExists(t, path)
	require.FileExists(t, path+".1")
}
