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

// Alias is a mutable name of an artifact, with the last change of it.
type Alias struct {
	Name     string    `json:"name"`
	Ref      Ref       `json:"ref"`
	Previous *Ref      `json:"previous,omitempty"`
	Who      string    `json:"who"`
	When     time.Time `json:"when"`
	Why      string    `json:"why"`
}

var aliasPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*$`)

func aliasKey(name string) (string, error) {
	if len(name) > 200 || !aliasPattern.MatchString(name) {
		return "", fmt.Errorf("alias %q: want lower-case words such as reason/champion", name)
	}
	if _, err := ParseRef(name); err == nil {
		return "", fmt.Errorf("alias %q would hide the artifact of that name", name)
	}
	return "aliases/" + name + ".json", nil
}

// aliasAttempts bounds how often an unconditional SetAlias yields to other writers.
const aliasAttempts = 32

// SetAlias makes name mean ref. With expect nil it replaces whatever is there; with
// expect the zero Ref it creates only; else it replaces just the ref that expect names,
// and answers ErrPrecondition with the ref that is there otherwise. Repeating a call
// that has succeeded succeeds, so it may be retried. The artifact must exist.
func (s *Store) SetAlias(ctx context.Context, name string, ref Ref, expect *Ref, who, why string) error {
	key, err := aliasKey(name)
	if err != nil {
		return err
	}
	if ref, err = s.complete(ctx, ref); err != nil {
		return fmt.Errorf("set alias %s: %w", name, err)
	}
	for range aliasAttempts {
		old, etag, err := s.readAlias(ctx, key)
		if err != nil && !isNotFound(err) {
			return fmt.Errorf("set alias %s: %w", name, err)
		}
		if done, err := decideAlias(old, ref, expect); done || err != nil {
			if err != nil {
				err = fmt.Errorf("set alias %s to %s: %w", name, ref.Short(), err)
			}
			return err
		}
		next := Alias{Name: name, Ref: ref, Who: who, When: s.now().UTC().Round(time.Millisecond), Why: why}
		cond := Condition{IfAbsent: true}
		if etag != "" {
			cond = Condition{IfMatch: etag}
			if !old.Ref.IsZero() {
				next.Previous = &old.Ref
			}
		}
		body, err := json.Marshal(next)
		if err != nil {
			return fmt.Errorf("set alias %s: %w", name, err)
		}
		// A lost race reads again: the winner may be what expect wants, or be this call.
		if _, err = s.backend.Put(ctx, key, body, cond); !errors.Is(err, ErrPrecondition) {
			if err != nil {
				err = fmt.Errorf("set alias %s: %w", name, err)
			}
			return err
		}
	}
	return fmt.Errorf("set alias %s: %w: other writers changed it %d times meanwhile", name, ErrPrecondition, aliasAttempts)
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
	if err != nil {
		return Alias{}, fmt.Errorf("alias %s: %w", name, err)
	}
	return a, nil
}

// Aliases yields all aliases in the order of their names; an error ends them.
func (s *Store) Aliases(ctx context.Context) iter.Seq2[Alias, error] {
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
				continue // removed since it was listed
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// DeleteAlias removes a name; the artifact stays.
func (s *Store) DeleteAlias(ctx context.Context, name string) error {
	key, err := aliasKey(name)
	if err != nil {
		return err
	}
	if err := s.backend.Delete(ctx, key); err != nil {
		return fmt.Errorf("delete alias %s: %w", name, err)
	}
	return nil
}

func (s *Store) readAlias(ctx context.Context, key string) (Alias, string, error) {
	body, info, err := s.getAll(ctx, key)
	if err != nil {
		return Alias{}, "", err
	}
	var a Alias
	if err := decodeJSON(body, &a); err != nil {
		return Alias{}, "", fmt.Errorf("%w: %s: %w", ErrCorrupt, key, err)
	}
	if err := a.Ref.check(); err != nil {
		return Alias{}, "", fmt.Errorf("%w: %s: %w", ErrCorrupt, key, err)
	}
	return a, info.ETag, nil
}
