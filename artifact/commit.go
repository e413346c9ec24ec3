package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// wholeFileBytes is the size up to which CommitDir reads a file into memory, so that
// the bytes it hashed are the bytes it stores; a larger one is streamed.
const wholeFileBytes = 8 << 20

// upload is one blob to store, from memory or from a file, or one that must be there.
type upload struct {
	file   File
	body   []byte
	path   string // on this machine; used when body is nil
	stat   fs.FileInfo
	shared bool // it came without bytes
	// from gives the bytes of a blob that is elsewhere; release is called when they are
	// stored.
	from func(context.Context) (u upload, release func(), err error)
}

// Commit stores files (path -> bytes) as an artifact and returns its ref. Files that
// m.Files lists beside them must be in the store already, which lets a new artifact
// share blobs without moving them. Blobs that are there are not sent again; the
// manifest is written last and only if absent, so Commit may be repeated at any time.
func (s *Store) Commit(ctx context.Context, m Manifest, files map[string][]byte) (Ref, error) {
	shared := slices.Clone(m.Files)
	m.Files = shared
	uploads := make([]upload, 0, len(files))
	for _, path := range slices.Sorted(maps.Keys(files)) {
		body := files[path]
		if body == nil {
			body = []byte{}
		}
		f := File{Path: path, Digest: digestOf(body), Size: int64(len(body))}
		uploads = append(uploads, upload{file: f, body: body})
		m.Files = append(m.Files, f)
	}
	return s.commit(ctx, m, shared, uploads)
}

// CommitDir stores the regular files under dir as an artifact. Symbolic links to
// files are followed (model caches are made of them); anything else is refused.
func (s *Store) CommitDir(ctx context.Context, m Manifest, dir string) (Ref, error) {
	shared := slices.Clone(m.Files)
	m.Files = shared
	var uploads []upload
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return ctx.Err()
		}
		u, err := readUpload(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		u.file.Path = filepath.ToSlash(rel)
		uploads = append(uploads, u)
		m.Files = append(m.Files, u.file)
		return nil
	})
	if err != nil {
		return Ref{}, fmt.Errorf("commit folder %s as %s: %w", dir, m.Kind, err)
	}
	return s.commit(ctx, m, shared, uploads)
}

func (s *Store) commit(ctx context.Context, m Manifest, shared []File, uploads []upload) (Ref, error) {
	body, ref, err := m.encode()
	if err != nil {
		return Ref{}, err
	}
	for _, f := range shared {
		uploads = append(uploads, upload{file: f, shared: true})
	}
	once := map[File]bool{}
	uploads = slices.DeleteFunc(uploads, func(u upload) bool {
		blob := File{Digest: u.file.Digest, Size: u.file.Size}
		seen := once[blob]
		once[blob] = true
		return seen
	})
	if err := s.store(ctx, ref, body, uploads); err != nil {
		return Ref{}, fmt.Errorf("commit %s: %w", ref.Short(), err)
	}
	return ref, nil
}

// store puts what is not there of an artifact, blobs first and the manifest last. Blobs
// that are there for some time, and that a collection could be about to delete, are
// pinned while it works.
func (s *Store) store(ctx context.Context, ref Ref, manifest []byte, blobs []upload) error {
	lacking, old, err := s.survey(ctx, blobs, false)
	if err != nil {
		return err
	}
	held := len(old) > 0
	if held {
		keys := []string{ref.manifestKey()}
		for _, u := range old {
			keys = append(keys, blobKey(u.file.Digest))
		}
		release, err := s.hold(ctx, keys)
		if err != nil {
			return err
		}
		defer release()
		gone, _, err := s.survey(ctx, old, true)
		if err != nil {
			return err
		}
		lacking = append(lacking, gone...)
	}
	if err := parallel(ctx, lacking, s.putBlob); err != nil {
		return err
	}
	return s.putManifest(ctx, ref, manifest, held)
}

// putManifest stores a manifest unless it is there. One that is there for some time is
// stored again: it is young then, and a collection keeps it with its blobs.
func (s *Store) putManifest(ctx context.Context, ref Ref, body []byte, held bool) error {
	fail := func(err error) error {
		if err != nil {
			err = fmt.Errorf("write manifest: %w", err)
		}
		return err
	}
	key := ref.manifestKey()
	if err := s.noteNew(ctx, ref); err != nil {
		return err
	}
	_, err := s.backend.Put(ctx, key, body, Condition{IfAbsent: true})
	if !errors.Is(err, ErrPrecondition) {
		return fail(err)
	}
	// An earlier attempt, or somebody else with the same manifest. Its bytes are checked,
	// for a damaged one would otherwise stay for ever.
	there, info, err := s.getAll(ctx, key)
	if err == nil && digestOf(there) == ref.Digest && !s.old(info) {
		return nil
	}
	if !held {
		release, err := s.hold(ctx, []string{key})
		if err != nil {
			return err
		}
		defer release()
	}
	_, err = s.backend.Put(ctx, key, body, Condition{})
	return fail(err)
}

// survey says which blobs have to be stored, and for which that is open until they are
// held, for they are there and not young. A blob of the wrong size is damaged, and has to
// be stored.
func (s *Store) survey(ctx context.Context, blobs []upload, held bool) (lacking, old []upload, err error) {
	var mu sync.Mutex
	err = parallel(ctx, blobs, func(ctx context.Context, u upload) error {
		info, err := s.backend.Stat(ctx, blobKey(u.file.Digest))
		if err != nil && !isNotFound(err) {
			return fmt.Errorf("file %s: %w", u.file.Path, err)
		}
		there := err == nil
		mu.Lock()
		defer mu.Unlock()
		if there && !held && s.old(info) {
			old = append(old, u)
		} else if !there || info.Size != u.file.Size {
			lacking = append(lacking, u)
		}
		return nil
	})
	return lacking, old, err
}

// putBlob stores one blob.
func (s *Store) putBlob(ctx context.Context, u upload) error {
	key := blobKey(u.file.Digest)
	switch {
	case u.from != nil:
		here, release, err := u.from(ctx)
		if err != nil {
			return err
		}
		defer release()
		return s.putBlob(ctx, here)
	case u.shared:
		note, err := s.missing(ctx, u.file)
		if err == nil && note != "" {
			err = fmt.Errorf("%w: %s, and it came without bytes", ErrNotFound, note)
		}
		return err
	case u.body != nil:
		if _, err := s.backend.Put(ctx, key, u.body, Condition{}); err != nil {
			return fmt.Errorf("file %s: store blob: %w", u.file.Path, err)
		}
		return nil
	}
	if err := s.backend.PutFile(ctx, key, u.path); err != nil {
		return fmt.Errorf("file %s: store blob: %w", u.file.Path, err)
	}
	now, err := os.Stat(u.path)
	if err != nil || now.Size() != u.stat.Size() || !now.ModTime().Equal(u.stat.ModTime()) {
		// What was sent may not be what was hashed: nobody may find it under this name.
		err = errors.Join(fmt.Errorf("file %s changed while it was being stored", u.path), err)
		return errors.Join(err, s.backend.Delete(ctx, key))
	}
	return nil
}

// readUpload hashes a file, and keeps its bytes if it is small.
func readUpload(path string) (upload, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return upload{}, err
	}
	if !stat.Mode().IsRegular() {
		return upload{}, fmt.Errorf("%s is neither a file nor a link to one (%s)", path, stat.Mode().Type())
	}
	if stat.Size() <= wholeFileBytes {
		body, err := os.ReadFile(path)
		if err != nil {
			return upload{}, err
		}
		return upload{file: File{Digest: digestOf(body), Size: int64(len(body))}, body: body}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return upload{}, err
	}
	defer f.Close()
	h := sha256.New()
	size, err := io.Copy(h, f)
	if err != nil {
		return upload{}, fmt.Errorf("hash %s: %w", path, err)
	}
	return upload{file: File{Digest: hex.EncodeToString(h.Sum(nil)), Size: size}, path: path, stat: stat}, nil
}
