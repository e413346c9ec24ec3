// Package s3 is an artifact.Backend in a bucket of any S3 store that honours
// conditional puts. It may import artifact, the standard library and minio-go, which
// no other package imports.
package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"temper/artifact"
)

const (
	// attempts a request, with up to a second between them.
	attempts = 5
	// dialTimeout for one attempt: a store in reach answers far sooner.
	dialTimeout = 3 * time.Second
	// openTimeout bounds Open, so that a wrong endpoint is told at once.
	openTimeout = 8 * time.Second
	// partBytes of a multipart upload; it grows where a file would need too many parts.
	partBytes = 32 << 20
	// partThreads is how many parts of a file travel at once.
	partThreads = 4
	// maxParts stays below the 10,000 that S3 allows.
	maxParts = 9000
	// digestHeader carries the SHA-256, in hex, as user metadata.
	digestHeader = "Sha256"
)

type backend struct {
	client  minio.Core
	options Options // resolved; prints without secrets
}

var _ artifact.Backend = (*backend)(nil)

// Open connects to a bucket and sees that it answers to these credentials. It fails
// within 10 seconds: with ErrUnreachable when nothing answers at the endpoint, with
// ErrDenied when the credentials are refused, with ErrNotFound when there is no such
// bucket and CreateBucket is not set.
func Open(ctx context.Context, options Options) (artifact.Backend, error) {
	b, err := open(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("open S3 store: %w", err)
	}
	return b, nil
}

func open(ctx context.Context, options Options) (*backend, error) {
	options, err := options.resolve()
	if err != nil {
		return nil, err
	}
	transport, err := minio.DefaultTransport(options.TLS)
	if err != nil {
		return nil, fmt.Errorf("set up TLS: %w", err)
	}
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	transport.TLSHandshakeTimeout = dialTimeout
	client, err := minio.NewCore(options.Endpoint, &minio.Options{
		Creds:     options.credentials(),
		Secure:    options.TLS,
		Region:    options.Region,
		Transport: transport,
		// Checksums in trailers are not understood everywhere.
		TrailingHeaders: false,
		MaxRetries:      attempts,
	})
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", options.Endpoint, err)
	}
	b := &backend{client: *client, options: options}
	hurry, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err := b.ensureBucket(hurry); err != nil {
		if ctx.Err() == nil && hurry.Err() != nil {
			return nil, fmt.Errorf("%w: nothing answered at %s within %s: %s", artifact.ErrUnreachable, options.Endpoint, openTimeout, err)
		}
		return nil, err
	}
	if err := b.checkProtection(hurry); err != nil {
		return nil, err
	}
	return b, nil
}

func (o Options) credentials() *credentials.Credentials {
	if o.AccessKey != "" {
		return credentials.NewStaticV4(o.AccessKey, o.SecretKey, o.SessionToken)
	}
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{}, &credentials.EnvMinio{}, &credentials.FileAWSCredentials{}, &credentials.IAM{},
	})
}

// ensureBucket lists one key rather than asking for the bucket itself: credentials may
// be good for the prefix alone.
func (b *backend) ensureBucket(ctx context.Context) error {
	err := b.probe(ctx)
	if minio.ToErrorResponse(err).Code != minio.NoSuchBucket {
		return b.explain(ctx, "list", "keys", err)
	}
	if !b.options.CreateBucket {
		return fmt.Errorf("bucket %s at %s: %w", b.options.Bucket, b.options.Endpoint, artifact.ErrNotFound)
	}
	err = b.client.MakeBucket(ctx, b.options.Bucket, minio.MakeBucketOptions{Region: b.options.Region})
	switch minio.ToErrorResponse(err).Code {
	case minio.BucketAlreadyExists, minio.BucketAlreadyOwnedByYou:
		err = b.probe(ctx) // somebody was faster; it may be somebody else's
	}
	return b.explain(ctx, "make", "the root", err)
}

func (b *backend) probe(ctx context.Context) error {
	for o := range b.client.ListObjectsIter(ctx, b.options.Bucket, minio.ListObjectsOptions{Prefix: b.options.Prefix, Recursive: true, MaxKeys: 1}) {
		return o.Err
	}
	return ctx.Err()
}

// Put implements artifact.Backend.
func (b *backend) Put(ctx context.Context, key string, body []byte, cond artifact.Condition) (string, error) {
	sum := sha256.Sum256(body)
	options := minio.PutObjectOptions{
		UserMetadata:     map[string]string{digestHeader: hex.EncodeToString(sum[:])},
		DisableMultipart: true,
		SendContentMd5:   true, // the store refuses what a proxy changed on the way
	}
	if err := b.protect(key, &options); err != nil {
		return "", err
	}
	switch {
	case cond.IfAbsent && cond.IfMatch != "":
		return "", fmt.Errorf("put %s: IfAbsent and IfMatch exclude each other", key)
	case cond.IfAbsent:
		options.SetMatchETagExcept("*")
	case cond.IfMatch != "":
		options.SetMatchETag(cond.IfMatch)
	}
	for attempt := 1; ; attempt++ {
		info, err := b.client.Client.PutObject(ctx, b.options.Bucket, b.options.Prefix+key, bytes.NewReader(body), int64(len(body)), options)
		if err == nil {
			return info.ETag, nil
		}
		// Stores say "conflict" when two conditional puts overlap: neither has been
		// decided by its condition, so ask again.
		if minio.ToErrorResponse(err).StatusCode == http.StatusConflict && attempt < attempts {
			if err := pause(ctx, time.Duration(attempt)*50*time.Millisecond); err != nil {
				return "", fmt.Errorf("put %s: %w", key, err)
			}
			continue
		}
		err = b.explain(ctx, "put", key, err)
		if cond.IfMatch != "" && errors.Is(err, artifact.ErrNotFound) {
			// What should have been replaced is not there at all.
			err = fmt.Errorf("put %s in bucket %s: %w: the object is gone", key, b.options.Bucket, artifact.ErrPrecondition)
		}
		return "", err
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// PutFile implements artifact.Backend.
func (b *backend) PutFile(ctx context.Context, key, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	defer f.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("put %s: read %s: %w", key, path, err)
	}
	options := minio.PutObjectOptions{
		UserMetadata: map[string]string{digestHeader: hex.EncodeToString(hash.Sum(nil))},
		PartSize:     uint64(max(partBytes, (size/maxParts/(1<<20)+1)<<20)),
		NumThreads:   partThreads,
	}
	if err := b.protect(key, &options); err != nil {
		return err
	}
	info, err := b.client.Client.PutObject(ctx, b.options.Bucket, b.options.Prefix+key, f, size, options)
	if err != nil {
		return b.explain(ctx, "put", key, err)
	}
	if info.Size != size {
		return fmt.Errorf("put %s: %w: %d of %d bytes of %s were sent", key, artifact.ErrCorrupt, info.Size, size, path)
	}
	return nil
}

// Get implements artifact.Backend.
func (b *backend) Get(ctx context.Context, key string) (io.ReadCloser, artifact.ObjectInfo, error) {
	r, info, _, err := b.client.GetObject(ctx, b.options.Bucket, b.options.Prefix+key, minio.GetObjectOptions{})
	if err != nil {
		return nil, artifact.ObjectInfo{}, b.explain(ctx, "get", key, err)
	}
	return &body{ReadCloser: r, explain: func(err error) error { return b.explain(ctx, "get", key, err) }}, b.info(info), nil
}

// GetRange implements artifact.Backend.
func (b *backend) GetRange(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	options := minio.GetObjectOptions{}
	if offset < 0 || length < 1 {
		return nil, fmt.Errorf("get %d bytes at %d of %s: there is no such range", length, offset, key)
	}
	if err := options.SetRange(offset, offset+length-1); err != nil {
		return nil, fmt.Errorf("get %d bytes at %d of %s: %w", length, offset, key, err)
	}
	explain := func(err error) error { return b.explain(ctx, "get", key, err) }
	r, info, _, err := b.client.GetObject(ctx, b.options.Bucket, b.options.Prefix+key, options)
	if err != nil {
		return nil, explain(err)
	}
	if info.Size != length { // of what comes
		return nil, errors.Join(fmt.Errorf("get %d bytes at %d of %s: the store sends %d", length, offset, key, info.Size), r.Close())
	}
	return &body{ReadCloser: r, explain: explain}, nil
}

// body explains the errors that come while an object streams in.
type body struct {
	io.ReadCloser
	explain func(error) error
}

func (r *body) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = r.explain(err)
	}
	return n, err
}

// Stat implements artifact.Backend.
func (b *backend) Stat(ctx context.Context, key string) (artifact.ObjectInfo, error) {
	name := b.options.Prefix + key
	info, err := b.client.StatObject(ctx, b.options.Bucket, name, minio.StatObjectOptions{})
	if minio.ToErrorResponse(err).StatusCode == http.StatusForbidden { // the answer to a HEAD request does not say why
		if err = b.peek(ctx, name); err == nil {
			info, err = b.client.StatObject(ctx, b.options.Bucket, name, minio.StatObjectOptions{})
		}
	}
	if err != nil {
		return artifact.ObjectInfo{}, b.explain(ctx, "stat", key, err)
	}
	return b.info(info), nil
}

// peek asks for the first byte of an object.
func (b *backend) peek(ctx context.Context, name string) error {
	var o minio.GetObjectOptions
	if err := o.SetRange(0, 0); err != nil {
		return err
	}
	body, _, _, err := b.client.GetObject(ctx, b.options.Bucket, name, o)
	if err != nil {
		return err
	}
	return body.Close()
}

// List implements artifact.Backend.
func (b *backend) List(ctx context.Context, prefix string) iter.Seq2[artifact.ObjectInfo, error] {
	return func(yield func(artifact.ObjectInfo, error) bool) {
		for o := range b.client.ListObjectsIter(ctx, b.options.Bucket, minio.ListObjectsOptions{Prefix: b.options.Prefix + prefix, Recursive: true}) {
			if o.Err != nil {
				yield(artifact.ObjectInfo{}, b.explain(ctx, "list", prefix, o.Err))
				return
			}
			if strings.HasSuffix(o.Key, "/") {
				continue // a folder that somebody's browser made
			}
			if !yield(b.info(o), nil) {
				return
			}
		}
		// The client ends a cancelled listing as if it were complete.
		if err := ctx.Err(); err != nil {
			yield(artifact.ObjectInfo{}, fmt.Errorf("list %s: %w", prefix, err))
		}
	}
}

// Delete implements artifact.Backend.
func (b *backend) Delete(ctx context.Context, key string) error {
	err := b.explain(ctx, "delete", key, b.client.RemoveObject(ctx, b.options.Bucket, b.options.Prefix+key, minio.RemoveObjectOptions{}))
	if errors.Is(err, artifact.ErrNotFound) {
		return nil
	}
	return err
}

func (b *backend) info(o minio.ObjectInfo) artifact.ObjectInfo {
	return artifact.ObjectInfo{Key: strings.TrimPrefix(o.Key, b.options.Prefix), Size: o.Size, ETag: o.ETag, Modified: o.LastModified}
}
