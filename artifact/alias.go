package artifact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strings"
	"time"
)

// Alias is one value of a mutable name: what it means since a change, and the change.
type Alias struct {
	Name string `json:"name"`
	// Version counts the changes of the name, from 1. A value written before changes were
	// counted has 0, and is the first.
	Version  int       `json:"version,omitempty"`
	Ref      Ref       `json:"ref,omitzero"` // zero where the name was removed
	Previous *Ref      `json:"previous,omitempty"`
	Who      string    `json:"who"`
	When     time.Time `json:"when"`
	Why      string    `json:"why"`
	// Removed says that the change took the name away; its history goes on after it.
	Removed bool `json:"removed,omitempty"`
}

var aliasPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*$`)

// CheckAlias says what is wrong with a name for an alias.
func CheckAlias(name string) error {
	if len(name) > 200 || !aliasPattern.MatchString(name) {
		return fmt.Errorf("alias %q: want lower-case words such as reason/champion", name)
	}
	if _, err := ParseRef(name); err == nil {
		return fmt.Errorf("alias %q would hide the artifact of that name", name)
	}
	return nil
}

func aliasKey(name string) (string, error) {
	return "aliases/" + name + ".json", CheckAlias(name)
}

// SetAlias makes name mean ref. With expect nil it replaces whatever is there; with
// expect the zero Ref it creates only; else it replaces just the ref that expect names,
// and answers ErrPrecondition with the ref that is there otherwise. Repeating a call
// that has succeeded succeeds, so it may be retried. The artifact must be there, with its
// files.
func (s *Store) SetAlias(ctx context.Context, name string, ref Ref, expect *Ref, who, why string) error {
	if err := CheckAlias(name); err != nil {
		return err
	}
	ref, err := s.complete(ctx, ref)
	if err != nil {
		return fmt.Errorf("set alias %s: %w", name, err)
	}
	release, err := s.holdAll(ctx, []Ref{ref})
	if err != nil {
		return fmt.Errorf("set alias %s: %w", name, err)
	}
	defer release()
	note, err := s.absent(ctx, ref)
	if err == nil && note != "" {
		err = fmt.Errorf("%w: %s", ErrNotFound, note)
	}
	if err != nil {
		return fmt.Errorf("set alias %s: %w", name, err)
	}
	err = s.changeAlias(ctx, name, func(old Alias) (next Alias, done bool, err error) {
		done, err = decideAlias(old, ref, expect)
		return Alias{Ref: ref, Who: who, Why: why}, done, err
	})
	if err != nil {
		return fmt.Errorf("set alias %s to %s: %w", name, ref.Short(), err)
	}
	return nil
}

// RemoveAlias takes a name away; the artifact and the name's history stay, and the
// removal is the newest entry there. A name that is not set is ErrNotFound.
func (s *Store) RemoveAlias(ctx context.Context, name, who, why string) error {
	if err := CheckAlias(name); err != nil {
		return err
	}
	err := s.changeAlias(ctx, name, func(old Alias) (next Alias, done bool, err error) {
		if old.Ref.IsZero() {
			err = ErrNotFound
		}
		return Alias{Removed: true, Who: who, Why: why}, false, err
	})
	if err != nil {
		return fmt.Errorf("remove alias %s: %w", name, err)
	}
	return nil
}

// changeAlias replaces the value of a name by what decide makes of the old one, which is
// zero where there is none. The old value goes into the history before it is replaced,
// and it is replaced only if it is still there: so the history and the name together
// hold every value that the name has had, and no other, wherever a process dies.
func (s *Store) changeAlias(ctx context.Context, name string, decide func(old Alias) (next Alias, done bool, err error)) error {
	key, err := aliasKey(name)
	if err != nil {
		return err
	}
	for range attempts {
		old, etag, err := s.readAlias(ctx, key)
		if err != nil && !isNotFound(err) {
			return err
		}
		next, done, err := decide(old)
		if done || err != nil {
			return err
		}
		next.Name, next.When = name, s.now().UTC().Round(time.Millisecond)
		cond := Condition{IfAbsent: true}
		if etag != "" {
			cond = Condition{IfMatch: etag}
			next.Version = old.version() + 1
			if !old.Ref.IsZero() {
				next.Previous = &old.Ref
			}
			if err := s.archiveAlias(ctx, old); err != nil {
				return err
			}
		} else if next.Version, err = s.firstVersion(ctx, name); err != nil {
			return err
		}
		body, err := json.Marshal(next)
		if err != nil {
			return err
		}
		// A lost race reads again: the winner may be what decide wants, or be this call.
		if _, err = s.backend.Put(ctx, key, body, cond); !errors.Is(err, ErrPrecondition) {
			return err
		}
	}
	return fmt.Errorf("%w: other writers changed it %d times meanwhile", ErrPrecondition, attempts)
}

// decideAlias says whether nothing is left to write, or nothing may be written.
func decideAlias(old Alias, ref Ref, expect *Ref) (done bool, err error) {
	var previous Ref
	if old.Previous != nil {
		previous = *old.Previous
	}
	switch {
	case expect == nil:
		return old.Ref.Same(ref), nil
	case old.Ref.Same(ref) && (previous.Same(*expect) || old.Ref.Same(*expect)):
		return true, nil
	case old.Ref.Same(*expect):
		return false, nil
	}
	return false, fmt.Errorf("%w: it is %s, expected %s", ErrPrecondition, old.Ref, *expect)
}

// Alias returns what name means.
func (s *Store) Alias(ctx context.Context, name string) (Alias, error) {
	key, err := aliasKey(name)
	if err != nil {
		return Alias{}, err
	}
	a, _, err := s.readAlias(ctx, key)
	if err == nil && a.Removed {
		err = fmt.Errorf("%w: it was removed", ErrNotFound)
	}
	if err != nil {
		return Alias{}, fmt.Errorf("alias %s: %w", name, err)
	}
	return a, nil
}

// Aliases yields all aliases in the order of their names; an error ends them.
func (s *Store) Aliases(ctx context.Context) iter.Seq2[Alias, error] {
	return func(yield func(Alias, error) bool) {
		for a, err := range s.aliasValues(ctx) {
			if err == nil && a.Removed {
				continue
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// aliasValues yields the newest value of every name that was ever set.
func (s *Store) aliasValues(ctx context.Context) iter.Seq2[Alias, error] {
	return func(yield func(Alias, error) bool) {
		for info, err := range s.backend.List(ctx, "aliases/") {
			if err != nil {
				yield(Alias{}, fmt.Errorf("list aliases: %w", err))
				return
			}
			if !strings.HasSuffix(info.Key, ".json") {
				continue
			}
			a, _, err := s.readAlias(ctx, info.Key)
			if isNotFound(err) {
				continue // deleted by hand since it was listed
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

func (s *Store) readAlias(ctx context.Context, key string) (Alias, string, error) {
	body, info, err := s.getAll(ctx, key)
	if err != nil {
		return Alias{}, "", err
	}
	a, err := decodeAlias(key, body)
	return a, info.ETag, err
}

func decodeAlias(key string, body []byte) (Alias, error) {
	var a Alias
	err := decodeJSON(body, &a)
	if err == nil && !(a.Removed && a.Ref.IsZero()) {
		err = a.Ref.check()
	}
	if err != nil {
		return Alias{}, fmt.Errorf("%w: %s: %w", ErrCorrupt, key, err)
	}
	return a, nil
}
