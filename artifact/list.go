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

// listBatch is how many manifests of a listing are read together.
const listBatch = 512

// List yields the artifacts of one kind, or of all kinds when kind is empty, in the
// order of their digests. A manifest that cannot be read comes with its error, and the
// listing goes on if the caller does; an error without a ref ends it. Artifacts are
// listed from the index where the bucket has one.
func (s *Store) List(ctx context.Context, kind string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		x, refs, err := s.known(ctx, kind)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		fresh := 0 // manifests that are not in the index
		for len(refs) > 0 {
			batch := refs[:min(listBatch, len(refs))]
			refs = refs[len(batch):]
			entries, errs := s.read(ctx, batch, x.entries)
			for i, e := range entries {
				if ctx.Err() != nil {
					yield(Entry{}, context.Cause(ctx))
					return
				}
				if _, added := x.added[bare(e.Ref)]; added && isNotFound(errs[i]) {
					continue // its commit is under way, or died
				}
				if !yield(e, errs[i]) {
					return
				}
			}
		}
		for _, e := range x.entries {
			if e.fresh {
				fresh++
			}
		}
		// An index is a help, not a duty: who may only read lists all the same.
		if kind == "" && fresh >= indexFrom || x.usable && fresh >= indexAgain {
			_ = s.writeIndex(ctx, x)
		}
	}
}

// known gives the index, and the refs of a kind in order: those in the index and those to
// be added or, where there is no index, what the bucket lists.
func (s *Store) known(ctx context.Context, kind string) (*index, []Ref, error) {
	x, err := s.readIndex(ctx)
	if err != nil {
		return nil, nil, err
	}
	if !x.usable {
		prefix := "manifests/"
		if kind != "" {
			prefix += kind + "/"
		}
		var refs []Ref
		for item, err := range s.manifests(ctx, prefix) {
			if err != nil {
				return nil, nil, err
			}
			refs = append(refs, item.ref)
		}
		return x, refs, nil
	}
	names := map[Ref]bool{}
	for ref := range x.entries {
		names[ref] = true
	}
	for ref := range x.added {
		names[ref] = true
	}
	for ref := range names {
		if kind != "" && ref.Kind != kind {
			delete(names, ref)
		}
	}
	return x, sortRefs(names), nil
}

// read loads manifests, each from the index where it is there and is what its ref
// promises. What came from the bucket is added to the index.
func (s *Store) read(ctx context.Context, refs []Ref, known map[Ref]indexed) ([]Entry, []error) {
	entries, errs := make([]Entry, len(refs)), make([]error, len(refs))
	found := make([]indexed, len(refs))
	order := make([]int, len(refs))
	for i := range order {
		order[i] = i
	}
	// Nothing here fails as a whole: each manifest has its own error.
	_ = parallel(ctx, order, func(ctx context.Context, i int) error {
		ref := refs[i]
		e, ok := known[bare(ref)]
		m, err := Manifest{}, ErrNotFound
		if ok {
			m, err = decodeManifest(ref, e.body)
		}
		if err != nil {
			var info ObjectInfo
			if e.body, info, err = s.getAll(ctx, ref.manifestKey()); err != nil {
				err = fmt.Errorf("load artifact %s: %w", ref, err)
			} else {
				e.modified, e.fresh = info.Modified, true
				m, err = decodeManifest(ref, e.body)
			}
		}
		if err == nil {
			ref.Content = m.Content()
			if m.Created.IsZero() {
				m.Created = e.modified
			}
			found[i] = e
		}
		entries[i], errs[i] = Entry{Ref: ref, Manifest: m}, err
		return nil
	})
	for i, e := range found {
		if e.fresh {
			known[bare(refs[i])] = e
		}
	}
	return entries, errs
}

// Kinds lists the kinds of which there are artifacts, in order.
func (s *Store) Kinds(ctx context.Context) ([]string, error) {
	_, refs, err := s.known(ctx, "")
	if err != nil {
		return nil, err
	}
	var kinds []string
	for _, ref := range refs {
		if len(kinds) == 0 || kinds[len(kinds)-1] != ref.Kind {
			kinds = append(kinds, ref.Kind)
		}
	}
	return kinds, nil
}

// listed is what the bucket's listing tells of a manifest.
type listed struct {
	ref      Ref
	modified time.Time
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
			if !yield(listed{ref, info.Modified}, nil) {
				return
			}
		}
	}
}
