package devstack

import (
	"context"
	"errors"
	"hash/maphash"
	"os"
	"path/filepath"
	"sync"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3response"
)

// durable adds two promises to the gateway's folder. Objects are on the disk before
// their puts return; the gateway leaves that to the kernel, and so to the machine's
// staying up. And what a read returns is one object: where metadata is in files beside
// the data, the gateway may pair old bytes with a new ETag, and a compare-and-set that
// trusts the pair loses an update.
type durable struct {
	*posix.Posix
	root string
	seed maphash.Seed
	// locks are shared by the objects whose names hash alike. One is held from when an
	// object's bytes have arrived until it has its name, never while a client sends.
	locks [256]sync.RWMutex
}

func newDurable(folder *posix.Posix, root string) *durable {
	return &durable{Posix: folder, root: root, seed: maphash.MakeSeed()}
}

// place is the object's path, and the lock that guards it.
func (d *durable) place(bucket, key *string) (string, *sync.RWMutex) {
	path := d.root
	if bucket != nil && key != nil {
		path = filepath.Join(path, *bucket, *key)
	}
	return path, &d.locks[maphash.String(d.seed, path)%uint64(len(d.locks))]
}

// PutObject syncs the bytes before the object gets its name, and then the name.
func (d *durable) PutObject(ctx context.Context, input s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	path, lock := d.place(input.Bucket, input.Key)
	locked := false
	defer func() {
		if locked {
			lock.Unlock()
		}
	}()
	output, err := d.PutObjectWithPostFunc(ctx, input, func(staged *os.File) error {
		if err := staged.Sync(); err != nil {
			return err
		}
		lock.Lock()
		locked = true
		return nil
	})
	if err == nil {
		err = ignoreGone(syncPath(filepath.Dir(path)))
	}
	return output, err
}

// CompleteMultipartUpload syncs the assembled object and its name.
func (d *durable) CompleteMultipartUpload(ctx context.Context, input *awss3.CompleteMultipartUploadInput) (s3response.CompleteMultipartUploadResult, string, error) {
	path, lock := d.place(input.Bucket, input.Key)
	lock.Lock()
	defer lock.Unlock()
	result, version, err := d.Posix.CompleteMultipartUpload(ctx, input)
	if err == nil {
		err = errors.Join(ignoreGone(syncPath(path)), ignoreGone(syncPath(filepath.Dir(path))))
	}
	return result, version, err
}

// GetObject opens the bytes and reads the metadata between two puts.
func (d *durable) GetObject(ctx context.Context, input *awss3.GetObjectInput) (*awss3.GetObjectOutput, error) {
	_, lock := d.place(input.Bucket, input.Key)
	lock.RLock()
	defer lock.RUnlock()
	return d.Posix.GetObject(ctx, input)
}

// HeadObject reads the metadata between two puts.
func (d *durable) HeadObject(ctx context.Context, input *awss3.HeadObjectInput) (*awss3.HeadObjectOutput, error) {
	_, lock := d.place(input.Bucket, input.Key)
	lock.RLock()
	defer lock.RUnlock()
	return d.Posix.HeadObject(ctx, input)
}

// DeleteObject removes the bytes and the metadata between two reads.
func (d *durable) DeleteObject(ctx context.Context, input *awss3.DeleteObjectInput) (*awss3.DeleteObjectOutput, error) {
	_, lock := d.place(input.Bucket, input.Key)
	lock.Lock()
	defer lock.Unlock()
	return d.Posix.DeleteObject(ctx, input)
}

// ignoreGone passes over what somebody else has deleted since.
func ignoreGone(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
