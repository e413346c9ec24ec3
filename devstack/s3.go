package devstack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/embedgw"

	"temper/artifact/s3"
)

// region is what the store calls its place.
const region = "us-east-1"

// Limits of the gateway; it takes none as "refuse everything".
const (
	maxConnections    = 4096
	maxRequests       = 2048
	maxMultipartParts = 10000
)

// KeysFile is the file with the store's credentials.
func (s *Stack) KeysFile() string { return filepath.Join(s.Dir, "s3", "credentials.json") }

// startS3 serves Dir/s3/data and makes the bucket.
func (s *Stack) startS3(ctx context.Context, port int) error {
	dir := filepath.Join(s.Dir, "s3")
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		return fmt.Errorf("make the S3 store's folder: %w", err)
	}
	k, err := loadKeys(s.KeysFile())
	if err != nil {
		return err
	}
	s.AccessKey, s.SecretKey, s.S3Endpoint = k.AccessKey, k.SecretKey, address(port)

	before, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the working directory: %w", err)
	}
	store, err := openFolder(dir)
	if err != nil {
		return fmt.Errorf("S3 store %s: %w", dir, err)
	}
	s.started("working directory", func() error {
		// Where it was may have been removed meanwhile, which is no fault of the stack.
		if err := os.Chdir(before); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	})
	serve, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() {
		err := embedgw.RunVersityGW(serve, store, &embedgw.Config{
			RootUserAccess: k.AccessKey, RootUserSecret: k.SecretKey, Region: region,
			Ports: []string{s.S3Endpoint}, MaxConnections: maxConnections, MaxRequests: maxRequests,
			MultipartMaxParts: maxMultipartParts, Quiet: true,
			// Connections that clients keep open would hold up the end for ten seconds.
			KeepAlive: false,
			// The one account there is; left out, the gateway says so on stdout.
			IAMService: auth.NewIAMServiceSingle(auth.Account{Access: k.AccessKey, Secret: k.SecretKey, Role: auth.RoleAdmin}),
		})
		if serve.Err() != nil {
			err = nil
		} else {
			s.fail(fmt.Errorf("the S3 store at %s ended: %w", s.S3Endpoint, err))
		}
		done <- err
	}()
	s.started("S3 store", func() error { cancel(); return <-done })

	dialer := net.Dialer{}
	if err := s.until(ctx, "the S3 store at "+s.S3Endpoint, func(ctx context.Context) error {
		c, err := dialer.DialContext(ctx, "tcp", s.S3Endpoint)
		if err != nil {
			return err
		}
		return c.Close()
	}); err != nil {
		return err
	}
	options := s.S3()
	options.CreateBucket = true
	if _, err := s3.Open(ctx, options); err != nil {
		return fmt.Errorf("make bucket %s: %w", s.Bucket, err)
	}
	return nil
}
