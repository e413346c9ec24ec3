package artifact

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Collection says what a garbage collection keeps, and how it goes about it.
type Collection struct {
	// OlderThan is the age from which an object may go; MinimumAge at least, and longer
	// than any commit takes.
	OlderThan time.Duration
	// ForgetStages is how long a remembered stage may go unused until it is forgotten; 0
	// is for ever.
	ForgetStages time.Duration
	// ForgetHistory lets artifacts go that aliases named once and do not name any more.
	ForgetHistory bool
	// Roots are artifacts to keep beside those that aliases and remembered stages name.
	Roots []Ref
	// Keep says of an artifact whether it is to be kept; nil is no.
	Keep func(Entry) bool
	// Who is named to those who meet the collection.
	Who string
	// DryRun deletes nothing and writes nothing.
	DryRun bool
}

// MinimumAge is the least that Collection.OlderThan may be.
const MinimumAge = 2 * trustYoung

// Collected is what a collection did, or would do.
type Collected struct {
	Kept    int   // artifacts with their files
	Lineage int   // artifacts of which only the manifest is kept, as the lineage of others
	Removed []Ref // artifacts
	Stages  int   // forgotten
	Blobs   int   // removed
	Bytes   int64 // in these
	Pinned  int   // objects that were to go and stayed, for somebody uses them again
	Missing []Ref // roots that are not there
}

// ErrCollecting says that another collection goes on in the bucket.
var ErrCollecting = errors.New("another collection goes on")

// Collect removes what nothing reaches: artifacts, their files, and stages that are
// forgotten. It keeps, with their files, the artifacts that are young, and those that an
// alias, a remembered stage or the caller names; and of all that these were made from,
// the manifests. Commits may go on meanwhile (hold.go says how). An error leaves what
// was not removed yet; the next collection goes on.
func (s *Store) Collect(ctx context.Context, c Collection) (Collected, error) {
	out, err := s.collect(ctx, c)
	if err != nil {
		return out, fmt.Errorf("collect garbage: %w", err)
	}
	return out, nil
}

func (s *Store) collect(ctx context.Context, c Collection) (out Collected, err error) {
	if least := 2 * s.trust; c.OlderThan < least {
		return out, fmt.Errorf("objects may go from an age of %s on, not %s: commits rely on younger ones", least, c.OlderThan)
	}
	sweep := &sweeper{store: s, id: rand.Text(), who: c.Who, pins: map[string][]string{}}
	now := s.now()
	if !c.DryRun {
		if now, err = sweep.begin(ctx); err != nil {
			return out, err
		}
		defer func() { err = errors.Join(err, sweep.end(context.WithoutCancel(ctx))) }()
	}
	m := &marker{store: s, collection: c, now: now, out: &out, full: map[Ref]bool{}, memos: map[string][]Ref{}}
	if err := m.mark(ctx); err != nil {
		return out, err
	}
	blobs, err := m.deadBlobs(ctx)
	if err != nil {
		return out, err
	}
	// What names goes before what is named: a collection that is cut off leaves no name
	// of nothing.
	manifests := make([]string, len(out.Removed))
	for i, ref := range out.Removed {
		manifests[i] = ref.manifestKey()
	}
	keys := make([]string, len(blobs))
	for i, b := range blobs {
		keys[i] = b.Key
		out.Bytes += b.Size
	}
	out.Stages, out.Blobs = len(m.forgotten), len(blobs)
	if c.DryRun {
		return out, nil
	}
	if err := sweep.tidy(ctx, now.Add(-c.OlderThan)); err != nil {
		return out, err
	}
	stayed := map[string]bool{}
	for _, group := range [][]string{m.forgotten, manifests, keys} {
		if err := sweep.sweep(ctx, group, stayed); err != nil {
			return out, err
		}
	}
	out.without(stayed, blobs)
	removed := map[Ref]bool{}
	for _, ref := range out.Removed {
		removed[bare(ref)] = true
	}
	return out, s.refreshIndex(ctx, m.known, m.before, removed)
}

// without takes what stayed out of the account.
func (out *Collected) without(stayed map[string]bool, blobs []ObjectInfo) {
	out.Pinned = len(stayed)
	out.Removed = slices.DeleteFunc(out.Removed, func(ref Ref) bool { return stayed[ref.manifestKey()] })
	for _, b := range blobs {
		if stayed[b.Key] {
			out.Blobs--
			out.Bytes -= b.Size
		}
	}
	for key := range stayed {
		if strings.HasPrefix(key, stagePrefix) {
			out.Stages--
		}
	}
}

// marker finds out what stays.
type marker struct {
	store      *Store
	collection Collection
	now        time.Time // of the store
	out        *Collected

	full      map[Ref]bool     // artifacts to keep with their files, by kind and digest
	forgotten []string         // keys of stages
	memos     map[string][]Ref // outputs of those that are remembered and not young
	entries   map[Ref]Entry
	known     map[Ref]indexed // the manifests, for the index
	before    map[Ref]indexed // what the index held
}

func bare(ref Ref) Ref { return Ref{Kind: ref.Kind, Digest: ref.Digest} }

func (m *marker) young(modified time.Time) bool {
	return m.now.Sub(modified) < m.collection.OlderThan
}

func (m *marker) mark(ctx context.Context) error {
	for _, ref := range m.collection.Roots {
		m.full[bare(ref)] = true
	}
	if err := m.markAliases(ctx); err != nil {
		return err
	}
	if err := m.markStages(ctx); err != nil {
		return err
	}
	if err := m.readManifests(ctx); err != nil {
		return err
	}
	for ref, e := range m.entries {
		if m.young(m.known[ref].modified) || m.collection.Keep != nil && m.collection.Keep(e) {
			m.full[ref] = true
		}
	}
	m.forgetEmpty()
	lineage := m.lineage()
	for ref := range m.entries {
		switch {
		case m.full[ref]:
			m.out.Kept++
		case lineage[ref]:
			m.out.Lineage++
		default:
			m.out.Removed = append(m.out.Removed, ref)
		}
	}
	for ref := range m.full {
		if _, there := m.entries[ref]; !there {
			m.out.Missing = append(m.out.Missing, ref)
		}
	}
	for _, refs := range [][]Ref{m.out.Removed, m.out.Missing} {
		slices.SortFunc(refs, func(a, b Ref) int { return strings.Compare(a.String(), b.String()) })
	}
	return nil
}

// markAliases keeps what aliases name and, unless told otherwise, what they named.
func (m *marker) markAliases(ctx context.Context) error {
	for a, err := range m.store.aliasValues(ctx) {
		if err != nil {
			return err
		}
		if !a.Removed {
			m.full[bare(a.Ref)] = true
		}
	}
	if m.collection.ForgetHistory {
		return nil
	}
	for info, err := range m.store.backend.List(ctx, "alias-history/") {
		if err != nil {
			return err
		}
		body, _, err := m.store.getAll(ctx, info.Key)
		if err != nil {
			return err
		}
		a, err := decodeAlias(info.Key, body)
		if err != nil {
			return err
		}
		if !a.Removed {
			m.full[bare(a.Ref)] = true
		}
	}
	return nil
}

// markStages keeps the outputs of remembered stages.
func (m *marker) markStages(ctx context.Context) error {
	for info, err := range m.store.backend.List(ctx, stagePrefix) {
		if err != nil {
			return err
		}
		forget := m.collection.ForgetStages
		if forget > 0 && !m.young(info.Modified) && m.now.Sub(info.Modified) >= forget {
			m.forgotten = append(m.forgotten, info.Key)
			continue
		}
		body, _, err := m.store.getAll(ctx, info.Key)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		var stored storedMemo
		if err := decodeJSON(body, &stored); err != nil {
			continue // Recall does the stage again, and its memo is then a whole one
		}
		for _, ref := range stored.Outputs {
			m.full[bare(ref)] = true
			if !m.young(info.Modified) {
				m.memos[info.Key] = append(m.memos[info.Key], bare(ref))
			}
		}
	}
	return nil
}

// forgetEmpty forgets the stages of which an output is not there: they will be done again.
func (m *marker) forgetEmpty() {
	for _, key := range slices.Sorted(maps.Keys(m.memos)) {
		if slices.ContainsFunc(m.memos[key], func(ref Ref) bool { return m.entries[ref].Ref.IsZero() }) {
			m.forgotten = append(m.forgotten, key)
		}
	}
}

// readManifests lists the manifests themselves and reads those that the index does not
// hold. One that is damaged ends the collection, for nobody knows what it needs.
func (m *marker) readManifests(ctx context.Context) error {
	x, err := m.store.readIndex(ctx)
	if err != nil {
		return err
	}
	m.entries, m.known, m.before = map[Ref]Entry{}, map[Ref]indexed{}, maps.Clone(x.entries)
	take := func(batch []listed, refs []Ref) error {
		entries, errs := m.store.read(ctx, refs, x.entries)
		for i, e := range entries {
			switch {
			case isNotFound(errs[i]):
			case errs[i] != nil:
				return errs[i]
			default:
				m.entries[refs[i]] = e
				m.known[refs[i]] = indexed{body: x.entries[refs[i]].body, modified: batch[i].modified}
			}
		}
		return nil
	}
	var batch []listed
	var refs []Ref
	for item, err := range m.store.manifests(ctx, "manifests/") {
		if err != nil {
			return err
		}
		batch, refs = append(batch, item), append(refs, item.ref)
		if len(batch) == listBatch {
			if err := take(batch, refs); err != nil {
				return err
			}
			batch, refs = batch[:0], refs[:0]
		}
	}
	return take(batch, refs)
}

// lineage is all that the artifacts which are kept were made from.
func (m *marker) lineage() map[Ref]bool {
	reached := map[Ref]bool{}
	queue := slices.Collect(maps.Keys(m.full))
	for ; len(queue) > 0; queue = queue[1:] {
		for _, p := range m.entries[queue[0]].Manifest.Parents {
			if ref := bare(p.Ref); !reached[ref] {
				reached[ref] = true
				queue = append(queue, ref)
			}
		}
	}
	return reached
}

// deadBlobs lists the blobs that no artifact needs which is kept with its files.
func (m *marker) deadBlobs(ctx context.Context) ([]ObjectInfo, error) {
	live := map[string]bool{}
	for ref := range m.full {
		for _, f := range m.entries[ref].Manifest.Files {
			live[blobKey(f.Digest)] = true
		}
	}
	var dead []ObjectInfo
	for info, err := range m.store.backend.List(ctx, "blobs/") {
		if err != nil {
			return nil, err
		}
		if !live[info.Key] && !m.young(info.Modified) {
			dead = append(dead, info)
		}
	}
	return dead, nil
}
