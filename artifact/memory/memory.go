// Package memory is an artifact.Backend in memory, for tests of packages that use
// an artifact.Store. It may import artifact and the standard library.
package memory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"temper/artifact"
)

// Backend is a bucket in memory. The zero value is not ready: use New.
type Backend struct {
	// Now gives the time of what is put, for tests of what depends on ages.
	Now func() time.Time

	mu      sync.Mutex
	objects map[string]object
}

type object struct {
	body     []byte
	etag     string
	modified time.Time
}

var _ artifact.Backend = (*Backend)(nil)

// New returns an empty bucket.
func New() *Backend { return &Backend{Now: time.Now, objects: map[string]object{}} }

// Put implements artifact.Backend.
func (b *Backend) Put(ctx context.Context, key string, body []byte, cond artifact.Condition) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	if cond.IfAbsent && cond.IfMatch != "" {
		return "", fmt.Errorf("put %s: IfAbsent and IfMatch exclude each other", key)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old, there := b.objects[key]
	if (cond.IfAbsent && there) || (cond.IfMatch != "" && (!there || old.etag != cond.IfMatch)) {
		return "", fmt.Errorf("put %s: %w", key, artifact.ErrPrecondition)
	}
	sum := sha256.Sum256(body)
	o := object{body: slices.Clone(body), etag: hex.EncodeToString(sum[:16]), modified: b.Now()}
	b.objects[key] = o
	return o.etag, nil
}

// PutFile implements artifact.Backend.
func (b *Backend) PutFile(ctx context.Context, key, path string) error {
	body, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	_, err = b.Put(ctx, key, body, artifact.Condition{})
	return err
}

// Get implements artifact.Backend.
func (b *Backend) Get(ctx context.Context, key string) (io.ReadCloser, artifact.ObjectInfo, error) {
	info, err := b.Stat(ctx, key)
	if err != nil {
		return nil, info, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	// A stored body is never written to again, so readers share it.
	o, ok := b.objects[key]
	if !ok {
		return nil, artifact.ObjectInfo{}, fmt.Errorf("get %s: %w", key, artifact.ErrNotFound)
	}
	return io.NopCloser(bytes.NewReader(o.body)), o.info(key), nil
}

// GetRange implements artifact.Backend.
func (b *Backend) GetRange(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.objects[key]
	if !ok {
		return nil, fmt.Errorf("get %s: %w", key, artifact.ErrNotFound)
	}
	if offset < 0 || length < 1 || offset+length > int64(len(o.body)) {
		return nil, fmt.Errorf("get %d bytes at %d of %s: it has %d", length, offset, key, len(o.body))
	}
	return io.NopCloser(bytes.NewReader(o.body[offset : offset+length])), nil
}

// Stat implements artifact.Backend.
func (b *Backend) Stat(ctx context.Context, key string) (artifact.ObjectInfo, error) {
	if err := ctx.Err(); err != nil {
		return artifact.ObjectInfo{}, fmt.Errorf("get %s: %w", key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.objects[key]
	if !ok {
		return artifact.ObjectInfo{}, fmt.Errorf("get %s: %w", key, artifact.ErrNotFound)
	}
	return o.info(key), nil
}

// List implements artifact.Backend, over the keys there when the iteration begins.
func (b *Backend) List(ctx context.Context, prefix string) iter.Seq2[artifact.ObjectInfo, error] {
	return func(yield func(artifact.ObjectInfo, error) bool) {
		b.mu.Lock()
		objects := maps.Clone(b.objects)
		b.mu.Unlock()
		for _, key := range slices.Sorted(maps.Keys(objects)) {
			if err := ctx.Err(); err != nil {
				yield(artifact.ObjectInfo{}, fmt.Errorf("list %s: %w", prefix, err))
				return
			}
			if strings.HasPrefix(key, prefix) && !yield(objects[key].info(key), nil) {
				return
			}
		}
	}
}

// Delete implements artifact.Backend.
func (b *Backend) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.objects, key)
	return nil
}

func (o object) info(key string) artifact.ObjectInfo {
	return artifact.ObjectInfo{Key: key, Size: int64(len(o.body)), ETag: o.etag, Modified: o.modified}
}
