package artifact

import (
	"context"
	"fmt"
)

// Repair stores the files of an artifact anew, over blobs that are damaged or gone. Each must have the digest that the manifest says; else nothing
// is written.
func (s *Store) Repair(ctx context.Context, ref Ref, files map[string][]byte) error {
	m, err := s.Load(ctx, ref)
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	for _, f := range m.Files {
		body, ok := files[f.Path]
		if !ok {
			return fmt.Errorf("repair %s: file %s is not given", ref.Short(), f.Path)
		}
		if got := digestOf(body); got != f.Digest {
			return fmt.Errorf("repair %s: file %s: %w: digest %s, want %s", ref.Short(), f.Path, ErrCorrupt, got, f.Digest)
		}
	}
	return parallel(ctx, m.Files, func(ctx context.Context, f File) error {
		if _, err := s.backend.Put(ctx, blobKey(f.Digest), files[f.Path], Condition{}); err != nil {
			return fmt.Errorf("repair %s: file %s: %w", ref.Short(), f.Path, err)
		}
		return nil
	})
}
