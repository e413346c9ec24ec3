package mathanswer

import (
	"slices"
	"strings"
)

// relation compares answers of which one is an equation, an inequality or a membership at least.
func (c *comparison) relation(g, p *node) bool {
	switch {
	case g.kind == kSeq || p.kind == kSeq:
		if p.kind == kSeq && p.open == 0 || g.kind == kSeq && g.open == 0 {
			if c.sequence(g, p) {
				return true
			}
		}
	case g.kind == kRelation && p.kind == kRelation:
		if c.relations2(g, p) {
			return true
		}
	}
	if !c.relations && inequality(p) && !inequality(g) {
		return false
	}
	if g.kind == kRelation && p.kind == kRelation {
		if same, known := c.sets(g, p); known {
			return same && variableOf(g) == variableOf(p)
		}
		return false
	}
	// An equation that names a quantity answers with its value.
	if v := value(g); v != nil && p.kind != kRelation {
		return c.equal(v, p)
	}
	if g.kind != kRelation {
		if v := value(p); v != nil && c.equal(g, v) {
			return true
		}
		if equations(p) { // x + y = 7 answers 7
			return c.equal(g, p.args[len(p.args)-1])
		}
	}
	same, known := c.sets(g, p)
	return known && same
}

// inequality says whether an answer is a relation that orders its sides.
func inequality(n *node) bool {
	return n.kind == kRelation && slices.ContainsFunc(n.ops, func(op string) bool { return strings.ContainsAny(op, "<>") })
}

// variableOf is the variable that a relation bounds or whose set it gives.
func variableOf(n *node) string {
	for _, a := range n.args {
		if a.kind == kSym {
			return a.name
		}
	}
	return ""
}

// value gives what an equation says its left or right side is: the last member of name = … = value.
func value(n *node) *node {
	if n.kind != kRelation || !equations(n) && (len(n.ops) != 1 || n.ops[0] != "in") {
		return nil
	}
	first, last := n.args[0], n.args[len(n.args)-1]
	switch {
	case first.nameLike():
		return last
	case len(n.args) == 2 && last.nameLike() && n.ops[0] == "=" && first.constant():
		return first
	}
	return nil
}

// equations says whether an answer is a chain of equations.
func equations(n *node) bool {
	return n.kind == kRelation && !slices.ContainsFunc(n.ops, func(op string) bool { return op != "=" })
}

// relations2 compares two relations: the same name with equal values, or the same chains up to order and factors.
func (c *comparison) relations2(g, p *node) bool {
	if v, w := value(g), value(p); v != nil && w != nil && c.sameName(g.args[0], p.args[0]) {
		return c.equal(v, w)
	}
	a, b := links(g), links(p)
	if len(a) != len(b) {
		return false
	}
	return matching(len(a), len(b), func(i, j int) bool { return c.link(a[i], b[j]) })
}

// sameName compares the left sides of two definitions as they are written.
func (c *comparison) sameName(g, p *node) bool {
	if g.kind != p.kind || g.name != p.name || len(g.args) != len(p.args) {
		return false
	}
	if g.kind == kNum {
		return g.num.Cmp(p.num) == 0
	}
	for i := range g.args {
		if !c.sameName(g.args[i], p.args[i]) {
			return false
		}
	}
	return true
}

// link is l op 0, op being one of =, !=, <, <= and in.
type link struct {
	op   string
	diff *node
	l, r *node
}

// links takes a chain apart: a < b <= c is a-b < 0 and b-c <= 0. A chain of equations is its first and its last member.
func links(n *node) []link {
	args, ops := n.args, n.ops
	if equations(n) && len(ops) > 1 {
		args, ops = []*node{args[0], args[len(args)-1]}, ops[:1]
	}
	var out []link
	for i, op := range ops {
		l, r := args[i], args[i+1]
		if op == ">" || op == ">=" {
			l, r, op = r, l, flipped(op)
		}
		out = append(out, link{op, &node{kind: kSum, args: []*node{l, {kind: kNeg, args: []*node{r}}}}, l, r})
	}
	return out
}

// link compares a relation with another: their differences have a constant ratio, above 0 for inequalities.
func (c *comparison) link(a, b link) bool {
	if a.op != b.op {
		return false
	}
	if a.op == "in" || !scalarKind(a.l) || !scalarKind(a.r) || !scalarKind(b.l) || !scalarKind(b.r) {
		return c.equal(a.l, b.l) && c.equal(a.r, b.r)
	}
	x, y := c.gold.expression(a.diff), c.pred.expression(b.diff)
	if x.constant || y.constant { // 1 = 2 says nothing; compare the sides
		return x.constant == y.constant && c.equal(a.l, b.l) && c.equal(a.r, b.r)
	}
	if u, v := c.gold.residuesOf(x), c.pred.residuesOf(y); u != nil && v != nil && !proportional(u, v) {
		return false
	}
	u, v, ok := c.values(x, y)
	if !ok {
		return false
	}
	var first number
	seen := false
	return agree(u, v, func(_ int, s, t number) bool {
		if s.isZero() || t.isZero() {
			return s.isZero() && t.isZero()
		}
		r, err := s.quo(t)
		if err != nil {
			return false
		}
		if !seen {
			first, seen = r, true
		}
		return near(r, first) && (a.op == "=" || a.op == "!=" || r.isReal() && r.re.Sign() > 0)
	})
}

// proportional says whether residues at two points have the same ratio, for each prime.
func proportional(u, v []uint64) bool {
	for f := range primes {
		p, per := &primes[f], len(u)/len(primes)
		if per != 2 || len(v) != len(u) {
			return true // left to the values
		}
		if p.mul(u[f*per], v[f*per+1]) != p.mul(u[f*per+1], v[f*per]) {
			return false
		}
	}
	return true
}

func scalarKind(n *node) bool {
	return !n.any(func(m *node) bool {
		return m.kind == kSeq || m.kind == kRelation || m.kind == kUnion || m.kind == kMatrix || m.kind == kRatio || m.kind == kText || m.kind == kBased
	})
}

// matching says whether each of n has a partner of its own among m by the first that fits.
func matching(n, m int, same func(i, j int) bool) bool {
	used := make([]bool, m)
	for i := range n {
		found := false
		for j := range m {
			if !used[j] && same(i, j) {
				used[j], found = true, true
				break
			}
		}
		if !found {
			return false
		}
	}
	return n == m
}
