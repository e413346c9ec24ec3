package artifact

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Descendants returns the artifact with all that was made from it, directly or not. The
// bucket keeps no index of children, for it would have to be kept whole against writers
// that die: every manifest names its parents, and reading them all is a listing. A
// manifest that cannot be read is passed over if it is damaged; any other error is one.
func (s *Store) Descendants(ctx context.Context, ref Ref) (*Node, error) {
	m, err := s.Load(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("descendants: %w", err)
	}
	ref.Content = m.Content()
	root := &Node{Ref: ref, Manifest: m}
	nodes := map[string]*Node{ref.String(): root}
	type use struct {
		child *Node
		role  string
	}
	uses := map[string][]use{} // by parent
	for e, err := range s.List(ctx, "") {
		if permanent(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("descendants of %s: %w", ref.Short(), err)
		}
		node := nodes[e.Ref.String()]
		if node == nil {
			node = &Node{Ref: e.Ref, Manifest: e.Manifest}
			nodes[e.Ref.String()] = node
		}
		for _, p := range e.Manifest.Parents {
			uses[p.Ref.String()] = append(uses[p.Ref.String()], use{child: node, role: p.Role})
		}
	}
	reached := map[*Node]bool{root: true}
	for queue := []*Node{root}; len(queue) > 0; queue = queue[1:] {
		n := queue[0]
		for _, u := range uses[n.Ref.String()] {
			n.Children = append(n.Children, Edge{Role: u.role, Node: u.child})
			if !reached[u.child] {
				reached[u.child] = true
				queue = append(queue, u.child)
			}
		}
		// The oldest first, as things were made.
		slices.SortStableFunc(n.Children, func(a, b Edge) int {
			if c := a.Node.Manifest.Created.Compare(b.Node.Manifest.Created); c != 0 {
				return c
			}
			return strings.Compare(a.Node.Ref.String(), b.Node.Ref.String())
		})
	}
	return root, nil
}
