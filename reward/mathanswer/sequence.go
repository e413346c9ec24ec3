package mathanswer

import "slices"

// sequence compares lists and sets without order, tuples and intervals with.
func (c *comparison) sequence(g, p *node) bool {
	ge, pe := c.elements(g), c.elements(p)
	if len(ge) > maxElements || len(pe) > maxElements {
		return false
	}
	// Where one side names its values (x = 1, y = 2) and the other does not, the values are compared.
	if namedList(ge) && !anyRelation(pe) {
		ge = values(ge)
	} else if namedList(pe) && !anyRelation(ge) {
		pe = values(pe)
	}
	if (g.kind != kSeq || p.kind != kSeq) && (len(ge) != 1 || len(pe) != 1) && !loose(g) && !loose(p) {
		return c.vector(g, p)
	}
	if ordered(p) && ordered(g) && !brackets(g, p) && !c.notInterval(g) {
		same, known := c.sets(g, p)
		return known && same
	}
	if ordered(g) || ordered(p) && g.open != '{' && g.open != 0 {
		if len(ge) != len(pe) || !ordered(p) && len(c.distinct(pe)) != len(pe) {
			return false
		}
		for i := range ge {
			if !c.equal(ge[i], pe[i]) {
				return false
			}
		}
		return true
	}
	if (anyRelation(ge) || anyRelation(pe)) && oneVariable(ge, pe) {
		if a, ok := c.gold.set(list(ge)); ok {
			if b, ok := c.pred.set(list(pe)); ok {
				return a.equal(b)
			}
		}
	}
	return c.covers(ge, pe)
}

// covers says whether each member has an equal one on the other side: lists and sets do not count how often.
func (c *comparison) covers(ge, pe []*node) bool {
	if len(pe) > 8*len(ge)+8 { // no answer repeats itself that often
		return false
	}
	used := make([]bool, len(pe))
	for i, a := range ge {
		found := i < len(pe) && c.equal(a, pe[i]) // in order, mostly
		if found {
			used[i] = true
		}
		for j := 0; j < len(pe) && !found; j++ {
			if j != i && c.equal(a, pe[j]) {
				used[j], found = true, true
			}
		}
		if !found {
			return false
		}
	}
	for j, b := range pe {
		if !used[j] && !slices.ContainsFunc(ge, func(a *node) bool { return c.equal(a, b) }) {
			return false
		}
	}
	return true
}

// elements gives the members of a sequence with ± written out; anything else is its own only member.
func (c *comparison) elements(n *node) []*node {
	if n.kind != kSeq {
		return []*node{n}
	}
	if ordered(n) {
		return n.args
	}
	var out []*node
	for _, a := range n.args {
		if a.kind == kRelation && len(a.ops) == 1 && a.ops[0] == "in" && a.args[1].kind == kSym && len(n.args) > 1 { // k in Z
			continue
		}
		out = append(out, plusMinus(a)...)
	}
	return out
}

func (c *comparison) distinct(in []*node) []*node {
	var out []*node
	for _, a := range in {
		fresh := true
		for _, b := range out {
			x, y := c.pred.expression(a), c.pred.expression(b)
			if u, v := c.pred.residuesOf(x), c.pred.residuesOf(y); u != nil && v != nil {
				fresh = fresh && !equalResidues(u, v)
				continue
			}
			u, err := c.pred.valuesOf(x)
			v, err2 := c.pred.valuesOf(y)
			if err == nil && err2 == nil && agree(u, v, func(_ int, s, t number) bool { return near(s, t) }) {
				fresh = false
			}
		}
		if fresh {
			out = append(out, a)
		}
	}
	return out
}

func ordered(n *node) bool { return n.kind == kSeq && (n.open == '(' || n.open == '[') }

// loose says whether a sequence of one member may be written as the member.
func loose(n *node) bool { return n.kind == kSeq && !ordered(n) }

func brackets(g, p *node) bool { return g.open == p.open && g.close == p.close }

// notInterval says whether a pair of brackets cannot be an interval: more than two members, or ends out of order.
// An infinite end is open however it is written.
func (c *comparison) notInterval(g *node) bool {
	if len(g.args) != 2 {
		return true
	}
	lo, hi := infinite(g.args[0]), infinite(g.args[1])
	if lo != 0 || hi != 0 {
		return false
	}
	a, ok := c.gold.real(g.args[0])
	b, ok2 := c.gold.real(g.args[1])
	return ok && ok2 && a.Cmp(b) > 0
}

func anyRelation(list []*node) bool {
	for _, n := range list {
		if n.kind == kRelation {
			return true
		}
	}
	return false
}

// oneVariable says whether all relations of two lists are about the same variable.
func oneVariable(lists ...[]*node) bool {
	name := ""
	for _, list := range lists {
		for _, n := range list {
			if n.kind != kRelation {
				continue
			}
			v := variableOf(n)
			if v == "" || name != "" && v != name {
				return false
			}
			name = v
		}
	}
	return true
}

// namedList says whether a list begins with an equation that names a value.
func namedList(list []*node) bool { return len(list) > 0 && value(list[0]) != nil }

// values takes the names from the members that have one.
func values(list []*node) []*node {
	var out []*node
	for _, n := range list {
		if v := value(n); v != nil {
			n = v
		}
		out = append(out, n)
	}
	return out
}
