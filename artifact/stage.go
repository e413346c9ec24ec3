package artifact

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
)

// Memo is what is remembered of a stage.
type Memo struct {
	// Outputs by name; empty when there is nothing to use.
	Outputs map[string]Ref
	// Note says, when a memo is there but cannot be used, what of it is gone.
	Note string
}

var stagePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$`)

// stagePrefix begins the keys of memos.
const stagePrefix = "stages/"

func stageKey(key string) (string, error) {
	if !stagePattern.MatchString(key) {
		return "", fmt.Errorf("stage key %q: want letters, digits, dots, dashes and underscores", key)
	}
	return stagePrefix + key + ".json", nil
}

// Remember records that the stage whose inputs hash to key gave these outputs. The
// last call for a key wins: any of them is a true account.
func (s *Store) Remember(ctx context.Context, key string, outputs map[string]Ref) error {
	at, err := stageKey(key)
	if err != nil {
		return err
	}
	for name, ref := range outputs {
		if err := ref.check(); err != nil {
			return fmt.Errorf("remember stage %s: output %q: %w", key, name, err)
		}
	}
	body, err := json.Marshal(storedMemo{Outputs: outputs})
	if err != nil {
		return fmt.Errorf("remember stage %s: %w", key, err)
	}
	if _, err := s.backend.Put(ctx, at, body, Condition{}); err != nil {
		return fmt.Errorf("remember stage %s: %w", key, err)
	}
	return nil
}

type storedMemo struct {
	Outputs map[string]Ref `json:"outputs"`
}

// Recall answers what the stage with this key gave before. ok is false when nothing is
// remembered, and also when an output's manifest, or one of its blobs, is gone or has
// the wrong size; Memo.Note then names it, and the stage must run again. The bytes of
// blobs are not read: that happens where they are used.
func (s *Store) Recall(ctx context.Context, key string) (memo Memo, ok bool, err error) {
	at, err := stageKey(key)
	if err != nil {
		return Memo{}, false, err
	}
	body, info, err := s.getAll(ctx, at)
	if isNotFound(err) {
		return Memo{}, false, nil
	}
	if err != nil {
		return Memo{}, false, fmt.Errorf("recall stage %s: %w", key, err)
	}
	var stored storedMemo
	if err := decodeJSON(body, &stored); err != nil {
		return Memo{Note: fmt.Sprintf("memo %s is unreadable: %v", at, err)}, false, nil
	}
	old := s.old(info)
	if old {
		release, err := s.holdAll(ctx, slices.Collect(maps.Values(stored.Outputs)), at)
		if err != nil {
			return Memo{}, false, fmt.Errorf("recall stage %s: %w", key, err)
		}
		defer release()
	}
	for _, name := range slices.Sorted(maps.Keys(stored.Outputs)) {
		note, err := s.absent(ctx, stored.Outputs[name])
		if err != nil {
			return Memo{}, false, fmt.Errorf("recall stage %s: output %q: %w", key, name, err)
		}
		if note != "" {
			return Memo{Note: fmt.Sprintf("output %q: %s", name, note)}, false, nil
		}
	}
	if old {
		// A memo is as old as its last use.
		if _, err := s.backend.Put(ctx, at, body, Condition{}); err != nil {
			return Memo{}, false, fmt.Errorf("recall stage %s: %w", key, err)
		}
	}
	return Memo{Outputs: stored.Outputs}, true, nil
}

// absent says what of an artifact cannot be had; "" when all of it is there.
func (s *Store) absent(ctx context.Context, ref Ref) (note string, err error) {
	m, err := s.Load(ctx, ref)
	if permanent(err) {
		return err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	var mu sync.Mutex
	err = parallel(ctx, m.Files, func(ctx context.Context, f File) error {
		lack, err := s.missing(ctx, f)
		if err != nil || lack == "" {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		// The smallest text, so that the answer does not depend on who was first.
		if lack = "artifact " + ref.String() + ": " + lack; note == "" || lack < note {
			note = lack
		}
		return nil
	})
	return note, err
}

// missing says what is wrong with a file's blob as far as its size tells.
func (s *Store) missing(ctx context.Context, f File) (note string, err error) {
	info, err := s.backend.Stat(ctx, blobKey(f.Digest))
	switch {
	case isNotFound(err):
		return fmt.Sprintf("file %s: blob %s is gone", f.Path, blobKey(f.Digest)), nil
	case err != nil:
		return "", fmt.Errorf("file %s: %w", f.Path, err)
	case info.Size != f.Size:
		return fmt.Sprintf("file %s: blob %s has %d bytes, want %d", f.Path, blobKey(f.Digest), info.Size, f.Size), nil
	}
	return "", nil
}
