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
)

// wholeFileBytes is the size up to which CommitDir reads a file into memory, so that
// the bytes it hashed are the bytes it stores; a larger one is streamed.
const wholeFileBytes = 8 << 20

// upload is one blob to store, from memory or from a file.
type upload struct {
	file File
	body []byte
	path string // on this machine; used when body is nil
	stat fs.FileInfo
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
		note, err := s.missing(ctx, f)
		if err == nil && note != "" {
			err = fmt.Errorf("%w: %s, and it came without bytes", ErrNotFound, note)
		}
		if err != nil {
			return Ref{}, fmt.Errorf("commit %s: %w", ref.Short(), err)
		}
	}
	once := map[string]bool{}
	uploads = slices.DeleteFunc(uploads, func(u upload) bool {
		seen := once[u.file.Digest]
		once[u.file.Digest] = true
		return seen
	})
	if err := parallel(ctx, uploads, s.putBlob); err != nil {
		return Ref{}, fmt.Errorf("commit %s: %w", ref.Short(), err)
	}
	_, err = s.backend.Put(ctx, ref.manifestKey(), body, Condition{IfAbsent: true})
	if errors.Is(err, ErrPrecondition) {
		// It is there: an earlier attempt, or somebody else with the same manifest. Its
		// bytes are checked, for a damaged one would otherwise stay for ever.
		old, _, getErr := s.getAll(ctx, ref.manifestKey())
		if getErr == nil && digestOf(old) == ref.Digest {
			return ref, nil
		}
		_, err = s.backend.Put(ctx, ref.manifestKey(), body, Condition{})
	}
	if err != nil {
		return Ref{}, fmt.Errorf("commit %s: write manifest: %w", ref.Short(), err)
	}
	return ref, nil
}

// putBlob stores one blob unless one of the right size is there. One of another size
// is damaged and is replaced.
func (s *Store) putBlob(ctx context.Context, u upload) error {
	key := blobKey(u.file.Digest)
	info, err := s.backend.Stat(ctx, key)
	if err == nil && info.Size == u.file.Size {
		return nil
	}
	if err != nil && !isNotFound(err) {
		return fmt.Errorf("file %s: %w", u.file.Path, err)
	}
	if u.body != nil {
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
