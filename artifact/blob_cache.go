package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"temper/filecache"
)

// blobCache keeps blobs that were read in a folder of this machine, for the next time: a
// model that is measured again, a snapshot that is restored. A blob from there is hashed
// before any of it is used, and one that is damaged is dropped and read from the bucket.
// The cache never makes a read fail: what it cannot write is not kept. The zero value
// keeps nothing.
type blobCache struct{ folder filecache.Folder }

// CacheBlobs keeps the blobs that are read in dir, within limit bytes. Processes, and
// stores of any buckets, may share it.
func CacheBlobs(dir string, limit int64) Option {
	return func(s *Store) { s.blobs.folder = filecache.Folder{Dir: dir, Limit: limit} }
}

// largestShare of the limit is what one blob may take.
const largestShare = 2

func (c blobCache) takes(f File) bool { return f.Size <= c.folder.Limit/largestShare && f.Size > 0 }

// open gives a blob that is in the cache, and whole; nil if there is none.
func (c blobCache) open(f File) io.ReadCloser {
	if !c.takes(f) {
		return nil
	}
	r, err := os.Open(c.folder.Path(f.Digest))
	if err != nil {
		return nil
	}
	h := sha256.New()
	_, err = io.Copy(h, r)
	if err == nil {
		_, err = r.Seek(0, io.SeekStart)
	}
	if err != nil || hex.EncodeToString(h.Sum(nil)) != f.Digest {
		r.Close()
		os.Remove(c.folder.Path(f.Digest))
		return nil
	}
	c.folder.Use(f.Digest)
	return r
}

// copying is a blob on its way into the cache while it is read.
type copying struct {
	file   *filecache.File
	digest string
}

// begin makes a copy of a blob; nil if it is not to be kept.
func (c blobCache) begin(f File) *copying {
	if !c.takes(f) {
		return nil
	}
	file, err := c.folder.New()
	if err != nil {
		return nil
	}
	return &copying{file: file, digest: f.Digest}
}

// write takes what was read.
func (w *copying) write(p []byte) {
	if w == nil || w.file == nil {
		return
	}
	if _, err := w.file.Write(p); err != nil {
		w.drop()
	}
}

// keep is for a blob that was read to its end, and is whole.
func (w *copying) keep() {
	if w == nil || w.file == nil {
		return
	}
	_ = w.file.Keep(w.digest)
	w.file = nil
}

// drop is for any other; after keep it does nothing.
func (w *copying) drop() {
	if w == nil || w.file == nil {
		return
	}
	w.file.Drop()
	w.file = nil
}
