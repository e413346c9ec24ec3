package devstack

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"
	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/embedgw"
	"github.com/versity/versitygw/iamapi"
	"github.com/versity/versitygw/iamapi/private"
	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/iamapi/types"

	"temper/artifact"
	"temper/artifact/s3"
)

// TestProjectsAreKeptApart: with the policies that temper prints for two projects, in a store that has users as AWS has them, each project's people
// work below their prefix and cannot see, take, change or list what is below the other's.
func TestProjectsAreKeptApart(t *testing.T) {
	const root, region = "root-access", "us-east-1"
	users, err := storage.New(storage.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	arn := func(name string) string { return "arn:aws:iam::000000000000:user/" + name }
	for _, name := range []string{"ann", "bob", "admin"} {
		_, err := users.CreateUser(t.Context(), types.User{UserName: name, UserID: name, Path: "/", Arn: arn(name), CreateDate: time.Now().UTC()})
		require.NoError(t, err)
		_, err = users.CreateAccessKey(t.Context(), storage.CreateAccessKeyInput{UserName: name, AccessKeyID: name + "-access", SecretAccessKey: name + "-secret", Status: "Active", CreateDate: time.Now().UTC()})
		require.NoError(t, err)
	}
	socket := serveUsers(t, users, root)
	account := auth.Account{Access: root, Secret: "root-secret", Role: auth.RoleAdmin}
	iam, err := auth.NewIAMServiceStandalone(account, auth.IAMServiceStandaloneConfig{Endpoint: socket, Region: region})
	require.NoError(t, err)

	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "data"), 0o700))
	t.Chdir(dir) // the store works in its own folder
	store, err := openFolder(dir)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- embedgw.RunVersityGW(ctx, store, &embedgw.Config{RootUserAccess: root, RootUserSecret: account.Secret, Region: region, Ports: []string{address},
			MaxConnections: maxConnections, MaxRequests: maxRequests, MultipartMaxParts: maxMultipartParts, Quiet: true, IAMService: iam})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", address)
		return err == nil && c.Close() == nil
	}, 10*time.Second, 20*time.Millisecond)

	owner, err := minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(root, account.Secret, "")})
	require.NoError(t, err)
	require.NoError(t, owner.MakeBucket(t.Context(), "shared", minio.MakeBucketOptions{}))
	one, err := s3.ProjectPolicy("shared", "teams/ann", []string{arn("ann")}, true)
	require.NoError(t, err)
	other, err := s3.ProjectPolicy("shared", "bob", []string{arn("bob")}, true)
	require.NoError(t, err)
	one.Statement = append(one.Statement, other.Statement...)
	body, err := json.Marshal(one)
	require.NoError(t, err)
	require.NoError(t, owner.SetBucketPolicy(t.Context(), "shared", string(body)))

	open := func(name, prefix string) (*artifact.Store, error) {
		backend, err := s3.Open(t.Context(), s3.Options{Endpoint: address, Bucket: "shared", Prefix: prefix, AccessKey: name + "-access", SecretKey: name + "-secret", Region: region})
		if err != nil {
			return nil, err
		}
		return artifact.New(backend), nil
	}
	for name, prefix := range map[string]string{"ann": "teams/ann", "bob": "bob"} {
		s, err := open(name, prefix)
		require.NoError(t, err)
		ref, err := s.Commit(t.Context(), artifact.Manifest{Kind: "model"}, map[string][]byte{"weights": []byte("of " + name)})
		require.NoError(t, err)
		got, err := s.Read(t.Context(), ref, "weights")
		require.NoError(t, err)
		require.Equal(t, "of "+name, string(got))
		require.NoError(t, s.SetAlias(t.Context(), "champion", ref, nil, name, ""))
		count := 0
		for _, err := range s.List(t.Context(), "model") {
			require.NoError(t, err)
			count++
		}
		require.Equal(t, 1, count)
	}
	for name, prefix := range map[string]string{"ann": "bob", "bob": "teams/ann"} {
		_, err := open(name, prefix)
		require.ErrorIs(t, err, artifact.ErrDenied, "%s below %s", name, prefix)
		client, err := minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(name+"-access", name+"-secret", ""), Region: region})
		require.NoError(t, err)
		for object := range owner.ListObjects(t.Context(), "shared", minio.ListObjectsOptions{Prefix: prefix + "/", Recursive: true}) {
			require.NoError(t, object.Err)
			_, err := client.StatObject(t.Context(), "shared", object.Key, minio.StatObjectOptions{})
			require.Error(t, err, "%s sees %s", name, object.Key)
			require.Error(t, client.RemoveObject(t.Context(), "shared", object.Key, minio.RemoveObjectOptions{}), "%s removes %s", name, object.Key)
		}
		for object := range client.ListObjects(t.Context(), "shared", minio.ListObjectsOptions{Prefix: prefix + "/"}) {
			require.Error(t, object.Err, "%s lists %s", name, object.Key)
		}
	}
}

// serveUsers answers the store's questions about users on a socket.
func serveUsers(t *testing.T, users storage.Storer, root string) string {
	t.Helper()
	api, err := private.New(users, iamapi.RootCredentials{Access: root, Secret: "root-secret"})
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "iam") // a socket's path must be short
	require.NoError(t, err)
	socket := filepath.Join(dir, "s")
	ended := make(chan error, 1)
	go func() {
		// The type of its second parameter, options of TLS, is internal; the zero value is none.
		serve := reflect.ValueOf(api.ServeMultiPort)
		out := serve.Call([]reflect.Value{reflect.ValueOf([]string{socket}), reflect.Zero(serve.Type().In(1))})
		err, _ := out[0].Interface().(error)
		ended <- err
	}()
	t.Cleanup(func() {
		require.NoError(t, api.Shutdown())
		<-ended
		_ = os.RemoveAll(dir)
	})
	require.Eventually(t, func() bool {
		c, err := net.Dial("unix", socket)
		return err == nil && c.Close() == nil
	}, 10*time.Second, 20*time.Millisecond, fmt.Sprint("nobody answers at ", socket))
	return socket
}
