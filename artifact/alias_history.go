package artifact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The history of an alias is one immutable object for each value that it has had, named
// by the value's version. A value is written there by whoever is about to replace it.
// Entries that precede the name itself, so to speak promises of a change, would have to
// be told from changes that were lost to another writer; entries that follow it could be
// lost with the process. Versions are changed by compare-and-set, so no two values have
// the same.

// version is the count of changes up to this value.
func (a Alias) version() int { return max(a.Version, 1) }

// historyPrefix begins the keys of a name's earlier values. The underscore, which no part
// of a name begins with, keeps them apart from those of names below this one.
func historyPrefix(name string) string { return "alias-history/" + name + "/_" }

func historyKey(name string, version int) string {
	return fmt.Sprintf("%s%08d.json", historyPrefix(name), version)
}

// archiveAlias keeps a value that is about to be replaced.
func (s *Store) archiveAlias(ctx context.Context, a Alias) error {
	a.Version = a.version()
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	key := historyKey(a.Name, a.Version)
	_, err = s.backend.Put(ctx, key, body, Condition{IfAbsent: true})
	if !errors.Is(err, ErrPrecondition) {
		return err
	}
	// Another writer was faster, or died after this step: then it has written the same.
	there, _, err := s.getAll(ctx, key)
	if err == nil && string(there) != string(body) {
		err = fmt.Errorf("%w: %s is another change than the one that is there", ErrCorrupt, key)
	}
	return err
}

// firstVersion is the version of a name that has no value. It goes on after a history
// whose newest entry somebody deleted by hand.
func (s *Store) firstVersion(ctx context.Context, name string) (int, error) {
	last := 0
	for info, err := range s.backend.List(ctx, historyPrefix(name)) {
		if err != nil {
			return 0, err
		}
		if version, ok := historyVersion(name, info.Key); ok {
			last = max(last, version)
		}
	}
	return last + 1, nil
}

func historyVersion(name, key string) (int, bool) {
	digits, isJSON := strings.CutSuffix(strings.TrimPrefix(key, historyPrefix(name)), ".json")
	version, err := strconv.Atoi(digits)
	return version, isJSON && err == nil && version > 0
}

// AliasHistory returns every value that a name has had, the oldest first, removals among
// them; the last is the one that holds. A name that never had one is ErrNotFound.
func (s *Store) AliasHistory(ctx context.Context, name string) ([]Alias, error) {
	key, err := aliasKey(name)
	if err != nil {
		return nil, err
	}
	fail := func(err error) ([]Alias, error) {
		return nil, fmt.Errorf("history of alias %s: %w", name, err)
	}
	// The newest value is read first: all that came before it is in the history by then.
	newest, _, err := s.readAlias(ctx, key)
	there := err == nil
	if err != nil && !isNotFound(err) {
		return fail(err)
	}
	var values []Alias
	for info, err := range s.backend.List(ctx, historyPrefix(name)) {
		if err != nil {
			return fail(err)
		}
		version, ok := historyVersion(name, info.Key)
		if !ok || there && version >= newest.version() {
			continue
		}
		body, _, err := s.getAll(ctx, info.Key)
		if err != nil {
			return fail(err)
		}
		a, err := decodeAlias(info.Key, body)
		if err != nil {
			return fail(err)
		}
		values = append(values, a)
	}
	if there {
		newest.Version = newest.version()
		values = append(values, newest)
	}
	if len(values) == 0 {
		return fail(ErrNotFound)
	}
	return values, nil
}
