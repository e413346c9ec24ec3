package artifact

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// prefixPattern is the text of a shortened ref: at least four digits, with or
// without the kind.
var prefixPattern = regexp.MustCompile(`^(?:([a-z][a-z0-9_-]{0,62})/)?([0-9a-f]{4,64})$`)

// Resolve finds the artifact that a person means: a full ref, an alias, or enough of a
// digest to be unique ("model/ab12" or "ab12"). An alias wins over a shortened digest,
// so what a name means does not change as artifacts are added. The error of an
// ambiguous one wraps ErrAmbiguous and lists what it could be.
func (s *Store) Resolve(ctx context.Context, text string) (Ref, error) {
	if ref, err := ParseRef(text); err == nil {
		return s.complete(ctx, ref)
	}
	if aliasPattern.MatchString(text) {
		alias, err := s.Alias(ctx, text)
		if err == nil {
			return s.complete(ctx, alias.Ref)
		}
		if !isNotFound(err) {
			return Ref{}, err
		}
	}
	parts := prefixPattern.FindStringSubmatch(text)
	if parts == nil {
		return Ref{}, fmt.Errorf("artifact %q: %w: there is no alias of that name, and it is no kind/digest", text, ErrNotFound)
	}
	found, err := s.withPrefix(ctx, parts[1], parts[2])
	if err != nil {
		return Ref{}, fmt.Errorf("artifact %q: %w", text, err)
	}
	switch len(found) {
	case 0:
		return Ref{}, fmt.Errorf("artifact %q: %w: no alias has that name and no digest begins so", text, ErrNotFound)
	case 1:
		return s.complete(ctx, found[0])
	}
	return Ref{}, fmt.Errorf("artifact %q is %w; it could be %s", text, ErrAmbiguous, s.candidates(ctx, found))
}

func (s *Store) withPrefix(ctx context.Context, kind, digits string) ([]Ref, error) {
	var found []Ref
	if kind != "" {
		for item, err := range s.manifests(ctx, "manifests/"+kind+"/"+digits) {
			if err != nil {
				return nil, err
			}
			found = append(found, item.ref)
		}
		return found, nil
	}
	_, refs, err := s.known(ctx, "")
	for _, ref := range refs {
		if strings.HasPrefix(ref.Digest, digits) {
			found = append(found, ref)
		}
	}
	return found, err
}

// candidates describes the first few of several artifacts, to choose from.
func (s *Store) candidates(ctx context.Context, refs []Ref) string {
	const shown = 8
	var lines []string
	for _, ref := range refs[:min(shown, len(refs))] {
		line := ref.Kind + "/" + ref.Digest[:16]
		if m, err := s.Load(ctx, ref); err == nil && m.Summary != "" {
			line += " (" + m.Summary + ")"
		}
		lines = append(lines, line)
	}
	if more := len(refs) - shown; more > 0 {
		lines = append(lines, fmt.Sprintf("%d more", more))
	}
	return strings.Join(lines, ", ")
}

// complete makes sure that ref exists, and fills in its Content.
func (s *Store) complete(ctx context.Context, ref Ref) (Ref, error) {
	m, err := s.Load(ctx, ref)
	if err != nil {
		return Ref{}, err
	}
	ref.Content = m.Content()
	return ref, nil
}
