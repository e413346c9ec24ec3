package artifact

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// manifestCache keeps manifests that were listed in one file on this machine, a line
// each: manifests never change, and reading thousands of small objects from a bucket is
// what makes a listing slow. Processes share the file: they append to it, a batch at a
// time, and read what others have appended. It is never trusted: a manifest from it has
// the digest that its ref promises, or it is read from the bucket. And it never makes a
// listing fail: what cannot be read or written there is read from the bucket again. A nil
// cache is empty and keeps nothing.
type manifestCache struct {
	path string

	mu     sync.Mutex
	file   os.FileInfo // as it was read; another one takes its place when it is cleaned
	end    int64       // of what was read
	bodies map[Ref][]byte
}

// CacheManifests keeps the manifests that listings read in the folder dir, for the
// listings that follow. Stores of any buckets may share it.
func CacheManifests(dir string) Option {
	return func(s *Store) { s.cache = &manifestCache{path: filepath.Join(dir, "pack")} }
}

// errNotCached is what a manifest that is not in the cache gives.
var errNotCached = errors.New("not in the cache of manifests")

// refresh reads what has been appended to the file since it was read last.
func (c *manifestCache) refresh() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := os.Open(c.path)
	if err != nil {
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return
	}
	if c.file == nil || !os.SameFile(c.file, info) || info.Size() < c.end {
		c.end, c.bodies = 0, map[Ref][]byte{}
	}
	c.file = info
	data := make([]byte, info.Size()-c.end)
	n, err := f.ReadAt(data, c.end)
	if err != nil && err != io.EOF {
		return
	}
	data = data[:n]
	for {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			return // a line that is being written is read next time
		}
		line := data[:end+1]
		data, c.end = data[end+1:], c.end+int64(end+1)
		name, body, ok := bytes.Cut(line, []byte{'\t'})
		if ref, err := ParseRef(string(name)); ok && err == nil {
			c.bodies[ref] = body
		}
	}
}

// manifest gives a manifest that is in the cache.
func (c *manifestCache) manifest(ref Ref) (Manifest, error) {
	if c == nil {
		return Manifest{}, errNotCached
	}
	c.mu.Lock()
	body := c.bodies[Ref{Kind: ref.Kind, Digest: ref.Digest}]
	c.mu.Unlock()
	if body == nil {
		return Manifest{}, errNotCached
	}
	return decodeManifest(ref, body)
}

// add appends manifests that came from the bucket; a nil body is none.
func (c *manifestCache) add(batch []listed, bodies [][]byte) {
	if c == nil {
		return
	}
	var lines bytes.Buffer
	for i, body := range bodies {
		// A line is one line. Manifests that this program writes are.
		if n := len(body); n > 0 && bytes.IndexByte(body, '\n') == n-1 {
			lines.WriteString(batch[i].ref.String() + "\t")
			lines.Write(body)
		}
	}
	if lines.Len() == 0 {
		return
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return
	}
	f, err := os.OpenFile(c.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = f.Write(lines.Bytes()) // part of a line is passed over by whoever reads it
}

// retain drops the manifests that keep does not want, once they are worth the writing.
func (c *manifestCache) retain(keep func(Ref) bool) {
	c.refresh()
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines bytes.Buffer
	dropped := 0
	for ref, body := range c.bodies {
		if keep(ref) {
			lines.WriteString(ref.String() + "\t")
			lines.Write(body)
		} else {
			dropped++
		}
	}
	if dropped == 0 {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(c.path), "new-")
	if err != nil {
		return
	}
	defer os.Remove(f.Name()) // no longer there once renamed
	_, err = f.Write(lines.Bytes())
	if errors.Join(err, f.Close()) == nil {
		_ = os.Rename(f.Name(), c.path) // what others append meanwhile is read from the bucket once more
	}
}
