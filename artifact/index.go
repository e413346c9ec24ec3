package artifact

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The index holds the manifests of a bucket in one object, for thousands of small objects
// take long to list and to read. It is a copy, and is never what an artifact exists by:
//
//	index/manifests.gz             for each manifest: a line with its ref, time and size; its bytes
//	index/new/<kind>/<digest>      empty; a manifest that may not be in there yet
//
// A commit puts the second before the manifest, so a listing that looks for these first
// and reads the index then misses none. A listing that finds many of them writes the
// index anew and deletes those that are in it. A small bucket has no index.
//
// A garbage collection lists the manifests themselves, and leaves an index of what is
// there: so it mends the index of a bucket into which manifests were copied, or from
// which they were deleted, by other means.
const (
	indexKey  = "index/manifests.gz"
	newPrefix = "index/new/"
	// indexFrom is how many manifests are worth an index, and indexAgain how many that are
	// not in it are worth writing it anew: each costs a listing a request.
	indexFrom  = 256
	indexAgain = 64
	// newStale is the age of an entry whose commit has died.
	newStale = time.Hour
)

// indexed is a manifest as the index holds it.
type indexed struct {
	body     []byte
	modified time.Time
	fresh    bool // it came from the bucket, not from the index
}

// index is what is known of a bucket's manifests. The entries are by kind and digest.
type index struct {
	etag    string // of the object; empty: there is none
	usable  bool   // there is one, and it is not damaged
	entries map[Ref]indexed
	added   map[Ref]ObjectInfo // objects below newPrefix
}

func newKey(ref Ref) string { return newPrefix + ref.Kind + "/" + ref.Digest }

// noteNew says that a manifest is about to be stored.
func (s *Store) noteNew(ctx context.Context, ref Ref) error {
	if _, err := s.backend.Put(ctx, newKey(ref), nil, Condition{}); err != nil {
		return fmt.Errorf("note the manifest for the index: %w", err)
	}
	return nil
}

// readIndex reads the index, the entries that are to be added first.
func (s *Store) readIndex(ctx context.Context) (*index, error) {
	x := &index{entries: map[Ref]indexed{}, added: map[Ref]ObjectInfo{}}
	for info, err := range s.backend.List(ctx, newPrefix) {
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", newPrefix, err)
		}
		if ref, err := ParseRef(strings.TrimPrefix(info.Key, newPrefix)); err == nil {
			x.added[ref] = info
		}
	}
	r, info, err := s.backend.Get(ctx, indexKey)
	if isNotFound(err) {
		return x, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", indexKey, err)
	}
	x.etag = info.ETag
	if entries, err := decodeIndex(data); err == nil {
		x.usable, x.entries = true, entries
	} // a damaged one is none: the manifests are read, and it is written anew
	return x, nil
}

func decodeIndex(data []byte) (map[Ref]indexed, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	lines, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, err
	}
	entries := map[Ref]indexed{}
	for len(lines) > 0 {
		head, rest, _ := bytes.Cut(lines, []byte{'\n'})
		parts := strings.Split(string(head), "\t")
		if len(parts) != 3 {
			return nil, fmt.Errorf("%q is no head of a manifest", head)
		}
		ref, err := ParseRef(parts[0])
		nanos, timeErr := strconv.ParseInt(parts[1], 10, 64)
		size, sizeErr := strconv.Atoi(parts[2])
		if err := errors.Join(err, timeErr, sizeErr); err != nil || size < 0 || size > len(rest) {
			return nil, fmt.Errorf("%q is no head of a manifest: %w", head, err)
		}
		entries[ref] = indexed{body: rest[:size], modified: time.Unix(0, nanos)}
		lines = rest[size:]
	}
	return entries, nil
}

func encodeIndex(entries map[Ref]indexed) ([]byte, error) {
	var out bytes.Buffer
	packed, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriter(packed)
	for _, ref := range sortRefs(entries) {
		e := entries[ref]
		fmt.Fprintf(w, "%s\t%d\t%d\n", ref, e.modified.UnixNano(), len(e.body))
		if _, err := w.Write(e.body); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(w.Flush(), packed.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// sortRefs gives the refs of a map in the order of their keys in the bucket.
func sortRefs[T any](m map[Ref]T) []Ref {
	refs := make([]Ref, 0, len(m))
	for ref := range m {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, func(a, b Ref) int {
		if a.Kind == b.Kind {
			return strings.Compare(a.Digest, b.Digest)
		}
		return strings.Compare(a.Kind+"/", b.Kind+"/")
	})
	return refs
}

// writeIndex replaces the index that x was read from, and takes away the entries that it
// holds now. The error wraps ErrPrecondition where another writer was faster.
func (s *Store) writeIndex(ctx context.Context, x *index) error {
	body, err := encodeIndex(x.entries)
	if err != nil {
		return err
	}
	cond := Condition{IfMatch: x.etag}
	if x.etag == "" {
		cond = Condition{IfAbsent: true}
	}
	if _, err := s.backend.Put(ctx, indexKey, body, cond); err != nil {
		return err
	}
	var done []string
	for ref, info := range x.added {
		if _, there := x.entries[ref]; there || s.now().Sub(info.Modified) > newStale {
			done = append(done, info.Key)
		}
	}
	return parallel(ctx, done, s.backend.Delete)
}

// refreshIndex makes the index hold the manifests that are there, as a collection has
// listed them, less those that it has removed, and what came meanwhile: what the index
// holds now, and did not hold at the time before, or holds with a later time.
func (s *Store) refreshIndex(ctx context.Context, there, before map[Ref]indexed, removed map[Ref]bool) error {
	for range attempts {
		if err := s.tryRefresh(ctx, there, before, removed); !errors.Is(err, ErrPrecondition) {
			return err
		}
	}
	return fmt.Errorf("write the index: %w: listings wrote it %d times meanwhile", ErrPrecondition, attempts)
}

func (s *Store) tryRefresh(ctx context.Context, there, before map[Ref]indexed, removed map[Ref]bool) error {
	x, err := s.readIndex(ctx)
	if err != nil {
		return err
	}
	if !x.usable && len(there) < indexFrom {
		return nil
	}
	seen := x.entries
	x.entries = map[Ref]indexed{}
	for ref, e := range there {
		if !removed[ref] {
			x.entries[ref] = e
		}
	}
	for ref, e := range seen {
		old, known := there[ref]
		if !known {
			old, known = before[ref]
		}
		if !known || e.modified.After(old.modified) {
			x.entries[ref] = e
		}
	}
	return s.writeIndex(ctx, x)
}
