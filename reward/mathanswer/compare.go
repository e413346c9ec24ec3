package mathanswer

import (
	"errors"
	"math/big"
	"strings"
)

// comparison compares a gold answer with another; each side has its own limits, so that what one of them does is not the other's fault.
type comparison struct {
	gold, pred side
	digits     int // see Options
	relations  bool
	fault      error // why the gold answer cannot be judged by, once that is found
}

// equal says whether two answers mean the same.
func (c *comparison) equal(g, p *node) bool {
	if c.pred.work.spend(4) != nil { // the number of comparisons is the response's doing
		return false
	}
	if ge, pe := plusMinus(g), plusMinus(p); len(ge) > 1 || len(pe) > 1 {
		return c.equal(list(ge), list(pe))
	}
	if g.kind == kRelation || p.kind == kRelation {
		return c.relation(g, p)
	}
	if isSet(g) || isSet(p) {
		if same, known := c.sets(g, p); known {
			return same
		}
	}
	if g.kind == kSeq || p.kind == kSeq {
		return c.sequence(g, p)
	}
	switch {
	case g.kind == kMatrix || p.kind == kMatrix || has(g, kMatrix) || has(p, kMatrix):
		return c.matrix(g, p)
	case clock(g).kind == kRatio || clock(p).kind == kRatio:
		return c.ratio(g, p)
	case g.kind == kText || p.kind == kText:
		return g.kind == p.kind && strings.EqualFold(strings.Join(strings.Fields(g.name), " "), strings.Join(strings.Fields(p.name), " "))
	case g.kind == kNeg && p.kind == kNeg && has(g, kBased):
		return c.equal(g.args[0], p.args[0])
	case g.kind == kBased || p.kind == kBased:
		return based(g, p)
	case g.kind == kUnion || p.kind == kUnion:
		return g.kind == p.kind && g.ops[0] == p.ops[0] && c.equal(g.args[0], p.args[0]) && c.equal(g.args[1], p.args[1])
	case infinite(g) != 0 || infinite(p) != 0:
		return infinite(g) == infinite(p)
	}
	return c.scalar(g, p)
}

func has(n *node, k kind) bool { return n.any(func(m *node) bool { return m.kind == k }) }

// isSet says whether an answer can only be a set of numbers.
func isSet(n *node) bool {
	return n.kind == kUnion || n.kind == kSym && (n.name == "set:R" || n.name == "emptyset" || n.name == "varnothing") || n.kind == kSeq && n.open == '{' && len(n.args) == 0
}

func (c *comparison) sets(g, p *node) (same, known bool) {
	a, ok := c.gold.set(g)
	if !ok {
		return false, false
	}
	b, ok := c.pred.set(p)
	return ok && a.equal(b), ok
}

// plusMinus gives an answer for each sign of its ±, taken together; one without is itself.
func plusMinus(n *node) []*node {
	if n.kind == kSeq && (n.open == 0 || n.open == '{') || n.kind == kUnion || !has(n, kPlusMinus) {
		return []*node{n}
	}
	return []*node{signed(n, false), signed(n, true)}
}

func signed(n *node, minus bool) *node {
	out := *n
	out.args = make([]*node, len(n.args))
	for i, a := range n.args {
		out.args[i] = signed(a, minus)
	}
	if n.kind != kPlusMinus {
		return &out
	}
	if minus == (n.name == "±") {
		out.kind = kNeg
		return &out
	}
	return out.args[0]
}

// based compares numbers with a base by digits and base. A gold answer with a base also takes the digits alone, as its problem names the base.
func based(g, p *node) bool {
	if g.kind != kBased {
		return false
	}
	trim := func(s string) string { return strings.TrimLeft(s, "0") }
	if p.kind == kBased {
		return trim(g.name) == trim(p.name) && g.num.Cmp(p.num) == 0
	}
	return p.kind == kNum && p.num.IsInt() && trim(g.name) == trim(p.num.RatString())
}

// ratio compares a:b:c up to a factor, times of day part by part, and a:b with a fraction.
func (c *comparison) ratio(g, p *node) bool {
	g, p = clock(g), clock(p)
	quotient := func(n *node) *node {
		if n.kind == kRatio && len(n.args) == 2 && !n.maybe {
			return &node{kind: kQuotient, args: n.args}
		}
		return n
	}
	if g.kind != kRatio || p.kind != kRatio {
		g, p = quotient(g), quotient(p)
		return g.kind != kRatio && p.kind != kRatio && c.scalar(g, p)
	}
	if len(g.args) != len(p.args) {
		return false
	}
	for i := range g.args {
		if g.maybe && p.maybe {
			if !c.equal(g.args[i], p.args[i]) {
				return false
			}
			continue
		}
		if i > 0 && !c.scalar(&node{kind: kQuotient, args: []*node{g.args[i], g.args[0]}}, &node{kind: kQuotient, args: []*node{p.args[i], p.args[0]}}) {
			return false
		}
	}
	return true
}

// clock takes what follows from a time of day: 1:30 PM.
func clock(n *node) *node {
	if n.kind == kUnit && n.args[0].kind == kRatio {
		return n.args[0]
	}
	return n
}

// scalar compares two numbers or formulas.
func (c *comparison) scalar(g, p *node) bool {
	g, p, ok := c.units(g, p)
	if !ok {
		return false
	}
	if (g.kind == kPercent) != (p.kind == kPercent) { // 28% answers 28, and 0.28
		a, b := g, p
		if g.kind == kPercent {
			a = g.args[0]
		} else {
			b = p.args[0]
		}
		if c.numbers(a, b) {
			return true
		}
	}
	return c.numbers(g, p)
}

// units takes the units from two quantities; known is false where the units cannot both be right.
func (c *comparison) units(g, p *node) (a, b *node, possible bool) {
	gu, gn, gm := c.gold.split(g)
	pu, pn, pm := c.pred.split(p)
	if gm && !p.constant() || pm && !g.constant() { // a letter that is a variable
		return g, p, true
	}
	if gu == "" || pu == "" {
		return gn, pn, true
	}
	x, ok := unitOf(gu)
	y, ok2 := unitOf(pu)
	switch {
	case !ok || !ok2:
		return gn, pn, true
	case x.dimension != y.dimension:
		return nil, nil, false
	case x.factor.Cmp(y.factor) == 0:
		return gn, pn, true
	}
	return c.gold.scaled(gn, x.factor), c.pred.scaled(pn, y.factor), true
}

// scaled gives a quantity times a factor, the same node each time, so that its value is computed once.
func (s *side) scaled(n *node, factor *big.Rat) *node {
	key := derived{n, factor}
	if _, ok := s.made[key]; !ok {
		s.made[key] = &node{kind: kProduct, args: []*node{n, {kind: kNum, num: factor, decimals: -1}}}
	}
	return s.made[key]
}

// split takes the unit from a quantity, also from under a sign.
func (s *side) split(n *node) (name string, inner *node, maybe bool) {
	switch n.kind {
	case kUnit:
		return n.name, n.args[0], n.maybe
	case kNeg:
		if name, inner, maybe = s.split(n.args[0]); name != "" {
			key := derived{n: n}
			if _, ok := s.made[key]; !ok {
				s.made[key] = &node{kind: kNeg, args: []*node{inner}}
			}
			return name, s.made[key], maybe
		}
	}
	return "", n, false
}

// values evaluates both sides; not ok where one has no values, for which the gold's side is to blame if it is the gold.
func (c *comparison) values(gold, pred *expression) (u, v []sample, ok bool) {
	u, err := c.gold.valuesOf(gold)
	if err != nil {
		c.blame(err)
		return nil, nil, false
	}
	v, err = c.pred.valuesOf(pred)
	return u, v, err == nil
}

// numbers compares two scalars without units by their values.
func (c *comparison) numbers(g, p *node) bool {
	x, y := c.gold.expression(g), c.pred.expression(p)
	a, b := c.gold.residuesOf(x), c.pred.residuesOf(y)
	if a != nil && b != nil {
		if equalResidues(a, b) {
			return true
		}
		if !x.constant || !y.constant || c.decimals(g) < 0 && c.decimals(p) < 0 {
			return false
		}
	}
	u, v, ok := c.values(x, y)
	if !ok {
		return false
	}
	if (a == nil || b == nil) && agree(u, v, func(_ int, s, t number) bool { return near(s, t) }) {
		return true
	}
	return x.constant && y.constant && (c.rounded(p, v[0].v, u[0].v) || c.rounded(g, u[0].v, v[0].v))
}

func (c *comparison) blame(err error) {
	if c.fault == nil && !errors.Is(err, errInfinite) {
		c.fault = err
	}
}

func equalResidues(a, b []uint64) bool {
	// A constant has one point for each prime, others have two.
	per := max(len(a), len(b)) / len(primes)
	for i := range per * len(primes) {
		x, y := a[i*len(a)/(per*len(primes))], b[i*len(b)/(per*len(primes))]
		if x != y {
			return false
		}
	}
	return true
}

// decimals gives the number of decimals of a decimal that stands for what rounds to it, -1 for anything else.
func (c *comparison) decimals(n *node) int {
	extra := 0
	for n.kind == kNeg || n.kind == kPercent {
		if n.kind == kPercent {
			extra += 2
		}
		n = n.args[0]
	}
	if n.kind != kNum || n.decimals < 0 || n.num.Sign() == 0 || n.decimals+extra < c.digits {
		return -1
	}
	return n.decimals + extra
}

// rounded says whether the decimal n, with the value v, is what exact rounds to.
func (c *comparison) rounded(n *node, v, exact number) bool {
	d := c.decimals(n)
	if d < 0 || !exact.isReal() {
		return false
	}
	ulp := fromRat(new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d)), nil)))
	distance := newFloat().Abs(sub(v.re, exact.re))
	return distance.Cmp(mul(ulp, add(float(0.5), newFloat().SetMantExp(float(1), -100)))) <= 0
}
