package artifact

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Node is an artifact in a lineage: with what it was made from, or with what was made
// from it. A digest covers its parents' digests, so cycles are impossible; what several
// nodes share is one *Node in all of them.
type Node struct {
	Ref      Ref
	Manifest Manifest
	Parents  []Edge // in the answer of Lineage
	Children []Edge // in the answer of Descendants
	// Note says why the manifest could not be had; then Manifest is zero and nothing
	// is known of its parents.
	Note string
}

// Edge leads to a parent or a child. Role is the part that the parent played.
type Edge struct {
	Role string
	Node *Node
}

// Lineage returns the artifact with all that it was made from. A parent that is gone
// or damaged stays in the answer with a note: what is known is still worth reading.
// For ref itself that is an error.
func (s *Store) Lineage(ctx context.Context, ref Ref) (*Node, error) {
	m, err := s.Load(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("lineage: %w", err)
	}
	ref.Content = m.Content()
	root := &Node{Ref: ref, Manifest: m}
	known := map[string]*Node{ref.String(): root}
	// One generation at a time, each loaded together.
	for generation := []*Node{root}; len(generation) > 0; {
		var next []*Node
		for _, n := range generation {
			for _, p := range n.Manifest.Parents {
				node := known[p.Ref.String()]
				if node == nil {
					node = &Node{Ref: p.Ref}
					known[p.Ref.String()] = node
					next = append(next, node)
				}
				n.Parents = append(n.Parents, Edge{Role: p.Role, Node: node})
			}
		}
		if err := parallel(ctx, next, s.fill); err != nil {
			return nil, fmt.Errorf("lineage of %s: %w", ref.Short(), err)
		}
		generation = next
	}
	return root, nil
}

func (s *Store) fill(ctx context.Context, n *Node) error {
	m, err := s.Load(ctx, n.Ref)
	switch {
	case isNotFound(err):
		n.Note = "gone"
	case permanent(err):
		n.Note = err.Error()
	case err != nil:
		return err
	default:
		n.Manifest, n.Ref.Content = m, m.Content()
	}
	return nil
}

// edges lead on from n, whichever way the lineage goes.
func (n *Node) edges() []Edge { return slices.Concat(n.Parents, n.Children) }

// Walk visits every node once, breadth first.
func (n *Node) Walk(visit func(*Node)) {
	seen := map[*Node]bool{n: true}
	for queue := []*Node{n}; len(queue) > 0; queue = queue[1:] {
		visit(queue[0])
		for _, e := range queue[0].edges() {
			if !seen[e.Node] {
				seen[e.Node] = true
				queue = append(queue, e.Node)
			}
		}
	}
}

// String draws the tree, a node a line; a node that was drawn is named again, without
// what is below it.
func (n *Node) String() string {
	var b strings.Builder
	n.draw(&b, "", "", "", map[*Node]bool{})
	return b.String()
}

func (n *Node) draw(b *strings.Builder, lead, below, role string, drawn map[*Node]bool) {
	b.WriteString(lead)
	if role != "" {
		b.WriteString(role + ": ")
	}
	b.WriteString(n.Ref.Short())
	switch {
	case drawn[n]:
		b.WriteString("  (see above)\n")
		return
	case n.Note != "":
		b.WriteString("  (" + n.Note + ")")
	case n.Manifest.Summary != "":
		b.WriteString("  " + n.Manifest.Summary)
	}
	b.WriteByte('\n')
	drawn[n] = true
	edges := n.edges()
	for i, e := range edges {
		branch, space := "├─ ", "│  "
		if i == len(edges)-1 {
			branch, space = "└─ ", "   "
		}
		role := e.Role
		if i >= len(n.Parents) {
			role = "as " + role
		}
		e.Node.draw(b, below+branch, below+space, role, drawn)
	}
}

// Ancestors lists the refs of all that n was made from, sorted and without n itself.
func (n *Node) Ancestors() []Ref {
	var refs []Ref
	n.Walk(func(x *Node) {
		if x != n {
			refs = append(refs, x.Ref)
		}
	})
	slices.SortFunc(refs, func(a, b Ref) int { return strings.Compare(a.String(), b.String()) })
	return refs
}
