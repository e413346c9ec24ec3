package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// Load returns the manifest that ref names, after checking its digest.
func (s *Store) Load(ctx context.Context, ref Ref) (Manifest, error) {
	if err := ref.check(); err != nil {
		return Manifest{}, fmt.Errorf("load artifact: %w", err)
	}
	body, info, err := s.getAll(ctx, ref.manifestKey())
	if err != nil {
		return Manifest{}, fmt.Errorf("load artifact %s: %w", ref, err)
	}
	m, err := decodeManifest(ref, body)
	if err != nil {
		return Manifest{}, err
	}
	if m.Created.IsZero() {
		m.Created = info.Modified
	}
	return m, nil
}

// Read returns one file of an artifact, checked against its digest.
func (s *Store) Read(ctx context.Context, ref Ref, path string) ([]byte, error) {
	r, err := s.Open(ctx, ref, path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// Open streams one file of an artifact. The bytes are hashed as they pass, and where
// they are not the promised ones the last Read returns ErrCorrupt in place of io.EOF:
// use nothing before having read to the end.
func (s *Store) Open(ctx context.Context, ref Ref, path string) (io.ReadCloser, error) {
	m, err := s.Load(ctx, ref)
	if err != nil {
		return nil, err
	}
	f, ok := m.File(path)
	if !ok {
		return nil, fmt.Errorf("artifact %s: file %q: %w", ref, path, ErrNotFound)
	}
	return s.openFile(ctx, ref, f)
}

func (s *Store) openFile(ctx context.Context, ref Ref, f File) (io.ReadCloser, error) {
	if r := s.blobs.open(f); r != nil {
		return r, nil
	}
	r, err := s.openBlob(ctx, f)
	if isNotFound(err) {
		return nil, fmt.Errorf("artifact %s: file %s: %w: its blob %s is gone: %w", ref, f.Path, ErrCorrupt, blobKey(f.Digest), err)
	}
	if err != nil {
		return nil, fmt.Errorf("artifact %s: file %s: %w", ref, f.Path, err)
	}
	return &verifying{ReadCloser: r, ref: ref, file: f, hash: sha256.New(), copy: s.blobs.begin(f)}, nil
}

// verifying hashes what is read through it.
type verifying struct {
	io.ReadCloser
	ref  Ref
	file File
	hash hash.Hash
	size int64
	copy *copying // for the cache
}

func (v *verifying) Close() error {
	v.copy.drop()
	return v.ReadCloser.Close()
}

func (v *verifying) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.hash.Write(p[:n])
	v.copy.write(p[:n])
	v.size += int64(n)
	switch {
	case err == io.EOF:
		if got := hex.EncodeToString(v.hash.Sum(nil)); got != v.file.Digest {
			return n, fmt.Errorf("artifact %s: file %s: %w: blob %s has %d bytes with digest %s, want %d bytes",
				v.ref, v.file.Path, ErrCorrupt, blobKey(v.file.Digest), v.size, got, v.file.Size)
		}
		v.copy.keep()
	case err != nil:
		err = fmt.Errorf("artifact %s: file %s: read blob %s: %w", v.ref, v.file.Path, blobKey(v.file.Digest), err)
	}
	return n, err
}

// Fetch lays all files of an artifact out in the folder dir, each checked. The folder
// appears complete or not at all. If dir is there and holds just these files, Fetch
// leaves it; if it holds anything else, Fetch fails.
func (s *Store) Fetch(ctx context.Context, ref Ref, dir string) error {
	m, err := s.Load(ctx, ref)
	if err != nil {
		return err
	}
	if err := s.fetch(ctx, ref, m, filepath.Clean(dir)); err != nil {
		return fmt.Errorf("fetch %s into %s: %w", ref.Short(), dir, err)
	}
	return nil
}

func (s *Store) fetch(ctx context.Context, ref Ref, m Manifest, dir string) error {
	if done, err := holds(dir, m); done || err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	// MkdirTemp makes a private folder; what becomes of it is an ordinary one.
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	if err := parallel(ctx, m.Files, func(ctx context.Context, f File) error {
		return s.fetchFile(ctx, ref, f, filepath.Join(work, filepath.FromSlash(f.Path)))
	}); err != nil {
		return err
	}
	// An empty folder gives way; anything else there stays, and Rename then fails.
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrExist) {
		return err
	}
	err = os.Rename(work, dir)
	if err == nil {
		return nil
	}
	// Somebody else may have fetched the same at the same time.
	done, holdErr := holds(dir, m)
	if done {
		return nil
	}
	return errors.Join(err, holdErr)
}

func (s *Store) fetchFile(ctx context.Context, ref Ref, f File, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	r, err := s.openFile(ctx, ref, f)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	if err == nil {
		err = w.Sync()
	}
	return errors.Join(err, w.Close())
}

// holds says whether dir holds just the files of m. A folder that is absent or empty
// holds nothing, and may be written; one with other things in it is an error.
func holds(dir string, m Manifest) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if len(entries) == 0 && len(m.Files) > 0 {
		return false, nil
	}
	left := make(map[string]File, len(m.Files))
	for _, f := range m.Files {
		left[f.Path] = f
	}
	err = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		want, ok := left[filepath.ToSlash(rel)]
		if !ok {
			return fmt.Errorf("the folder holds another file, %s", rel)
		}
		got, err := hashFile(path)
		if err != nil {
			return err
		}
		if got != want.Digest {
			return fmt.Errorf("the folder holds another %s", rel)
		}
		delete(left, want.Path)
		return nil
	})
	if err != nil {
		return false, err
	}
	for path := range left {
		return false, fmt.Errorf("the folder holds other things, and no %s", path)
	}
	return true, nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("hash %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
