package artifact

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Entry is an artifact in a listing.
type Entry struct {
	Ref      Ref
	Manifest Manifest
}

// listed is what the bucket's listing tells of a manifest.
type listed struct {
	ref      Ref
	modified time.Time
	size     int64
}

// listBatch is how many manifests of a listing are read together.
const listBatch = 512

// List yields the artifacts of one kind, or of all kinds when kind is empty, in the
// order of their digests. A manifest that cannot be read comes with its error, and the
// listing goes on if the caller does; an error without a ref ends it.
func (s *Store) List(ctx context.Context, kind string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		prefix := "manifests/"
		if kind != "" {
			prefix += kind + "/"
		}
		batch := make([]listed, 0, listBatch)
		for item, err := range s.manifests(ctx, prefix) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if batch = append(batch, item); len(batch) == listBatch {
				if !s.yieldBatch(ctx, batch, yield) {
					return
				}
				batch = batch[:0]
			}
		}
		s.yieldBatch(ctx, batch, yield)
	}
}

// yieldBatch reads a batch of manifests together and yields them in order; it says whether the listing goes on.
func (s *Store) yieldBatch(ctx context.Context, batch []listed, yield func(Entry, error) bool) bool {
	entries, errs := s.read(ctx, batch)
	for i := range entries {
		if ctx.Err() != nil {
			yield(Entry{}, context.Cause(ctx))
			return false
		}
		if !yield(entries[i], errs[i]) {
			return false
		}
	}
	return true
}

// read loads listed manifests, each from the local cache where it is there.
func (s *Store) read(ctx context.Context, batch []listed) ([]Entry, []error) {
	entries, errs := make([]Entry, len(batch)), make([]error, len(batch))
	bodies := make([][]byte, len(batch)) // of those that came from the bucket
	s.cache.refresh()
	order := make([]int, len(batch))
	for i := range order {
		order[i] = i
	}
	// Nothing here fails as a whole: each manifest has its own error.
	_ = parallel(ctx, order, func(ctx context.Context, i int) error {
		ref := batch[i].ref
		m, err := s.cache.manifest(ref)
		if err != nil {
			var body []byte
			if body, _, err = s.getAll(ctx, ref.manifestKey()); err == nil {
				m, err = decodeManifest(ref, body)
			} else {
				err = fmt.Errorf("load artifact %s: %w", ref, err)
			}
			if err == nil {
				bodies[i] = body
			}
		}
		if err == nil {
			ref.Content = m.Content()
			if m.Created.IsZero() {
				m.Created = batch[i].modified
			}
		}
		entries[i], errs[i] = Entry{Ref: ref, Manifest: m}, err
		return nil
	})
	s.cache.add(batch, bodies)
	return entries, errs
}

// Kinds lists the kinds of which there are artifacts, in order.
func (s *Store) Kinds(ctx context.Context) ([]string, error) {
	var kinds []string
	for item, err := range s.manifests(ctx, "manifests/") {
		if err != nil {
			return nil, err
		}
		if len(kinds) == 0 || kinds[len(kinds)-1] != item.ref.Kind {
			kinds = append(kinds, item.ref.Kind)
		}
	}
	return kinds, nil
}

// manifests yields what the keys under prefix name, without reading the manifests. Keys
// that are no manifest's are passed over: a bucket may hold what others put there.
func (s *Store) manifests(ctx context.Context, prefix string) iter.Seq2[listed, error] {
	return func(yield func(listed, error) bool) {
		for info, err := range s.backend.List(ctx, prefix) {
			if err != nil {
				yield(listed{}, fmt.Errorf("list %s: %w", prefix, err))
				return
			}
			name, isJSON := strings.CutSuffix(strings.TrimPrefix(info.Key, "manifests/"), ".json")
			ref, err := ParseRef(name)
			if !isJSON || err != nil {
				continue
			}
			if !yield(listed{ref: ref, modified: info.Modified, size: info.Size}, nil) {
				return
			}
		}
	}
}
