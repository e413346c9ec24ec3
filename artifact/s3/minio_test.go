package s3_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/artifact/backendtest"
	"temper/artifact/s3"
)

// minioServer finds the server that make minio builds.
func minioServer(t *testing.T) string {
	t.Helper()
	path := os.Getenv("TEMPER_TEST_MINIO")
	if path == "" {
		path = filepath.Join("..", "..", "bin", "minio")
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("no MinIO server at " + path + ": make minio builds one")
	}
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}

// startMinio runs a server in a process of its own and says how to reach it.
func startMinio(t *testing.T, env ...string) s3.Options {
	t.Helper()
	server := minioServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	log, err := os.Create(filepath.Join(t.TempDir(), "minio.log"))
	require.NoError(t, err)
	cmd := exec.Command(server, "server", t.TempDir(), "--address", address, "--console-address", "127.0.0.1:0", "--quiet")
	cmd.Env = append(env, "MINIO_ROOT_USER=tester", "MINIO_ROOT_PASSWORD=a-test-password", "MINIO_BROWSER=off", "MINIO_UPDATE=off", "HOME="+t.TempDir(), "PATH="+os.Getenv("PATH"))
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
	})
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get("http://" + address + "/minio/health/live")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(end) {
			said, _ := os.ReadFile(log.Name())
			require.Fail(t, "MinIO does not answer", "%s", said)
		}
	}
	return s3.Options{Endpoint: address, AccessKey: "tester", SecretKey: "a-test-password", Bucket: "temper", CreateBucket: true}
}

func TestMinioConforms(t *testing.T) {
	o := startMinio(t)
	n := 0
	backendtest.Run(t, func(t *testing.T) artifact.Backend {
		n++
		below := o
		below.Prefix = fmt.Sprintf("suite/%d", n)
		b, err := s3.Open(t.Context(), below)
		require.NoError(t, err)
		return b
	})
	t.Run("no such bucket", func(t *testing.T) {
		other := o
		other.Bucket, other.CreateBucket = "another", false
		_, err := s3.Open(t.Context(), other)
		require.ErrorIs(t, err, artifact.ErrNotFound)
	})
	t.Run("strangers are refused", func(t *testing.T) {
		other := o
		other.SecretKey = "a wrong password"
		_, err := s3.Open(t.Context(), other)
		require.ErrorIs(t, err, artifact.ErrDenied)
	})
	t.Run("no encryption without a key", func(t *testing.T) {
		other := o
		other.Encryption = s3.SSES3
		_, err := s3.Open(t.Context(), other)
		require.ErrorIs(t, err, s3.ErrProtection)
	})
	t.Run("no object lock", func(t *testing.T) {
		other := o
		other.LockMode, other.LockDays = s3.Governance, 1
		_, err := s3.Open(t.Context(), other)
		require.ErrorIs(t, err, s3.ErrProtection)
	})
}

// A server with a key encrypts what it is asked to, and a bucket with object lock keeps it.
func TestMinioProtects(t *testing.T) {
	o := startMinio(t, "MINIO_KMS_SECRET_KEY=test-key:IyqsU3kMFloCNup4BsZtf/rmfHVcTgznO2F25CkEH1g=")
	client, err := minio.New(o.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, "")})
	require.NoError(t, err)
	require.NoError(t, client.MakeBucket(t.Context(), "locked", minio.MakeBucketOptions{ObjectLocking: true}))
	o.Bucket, o.LockMode, o.LockDays, o.CreateBucket = "locked", s3.Governance, 2, false
	for mode, want := range map[string]string{s3.SSES3: "AES256", s3.SSEKMS: "aws:kms"} {
		o.Encryption, o.Prefix = mode, mode
		b, err := s3.Open(t.Context(), o)
		require.NoError(t, err)
		store := artifact.New(b)
		large := make([]byte, 40<<20) // several parts up and down
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "w"), large, 0o600))
		ref, err := store.CommitDir(t.Context(), artifact.Manifest{Kind: "model", Summary: mode}, dir)
		require.NoError(t, err)
		require.NoError(t, store.SetAlias(t.Context(), "best", ref, nil, "me", ""))
		got, err := store.Read(t.Context(), ref, "w")
		require.NoError(t, err)
		require.Len(t, got, len(large))

		objects := 0
		for info := range client.ListObjects(t.Context(), o.Bucket, minio.ListObjectsOptions{Prefix: mode + "/", Recursive: true}) {
			require.NoError(t, info.Err)
			stat, err := client.StatObject(t.Context(), o.Bucket, info.Key, minio.StatObjectOptions{})
			require.NoError(t, err)
			require.Equal(t, want, stat.Metadata.Get("X-Amz-Server-Side-Encryption"), info.Key)
			locked := stat.Metadata.Get("X-Amz-Object-Lock-Mode")
			if filepath.Base(filepath.Dir(info.Key)) == "aliases" {
				require.Empty(t, locked)
			} else if filepath.Base(filepath.Dir(info.Key)) == "model" && filepath.Ext(info.Key) == ".json" {
				require.Equal(t, "GOVERNANCE", locked)
				err = client.RemoveObject(context.Background(), o.Bucket, info.Key, minio.RemoveObjectOptions{VersionID: stat.VersionID})
				require.Error(t, err, "it is retained")
			}
			objects++
		}
		require.GreaterOrEqual(t, objects, 3)
	}
}
