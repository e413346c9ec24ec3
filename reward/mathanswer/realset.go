package mathanswer

import (
	"math/big"
	"slices"
)

// piece is an interval of real numbers with its ends; nil is infinite. A point is closed with equal ends.
type piece struct {
	lo, hi             *big.Float
	loClosed, hiClosed bool
}

// realSet is a union of pieces, ascending, no two of which touch.
type realSet []piece

var everything = realSet{{}}

// set reads an answer as a set of real numbers: intervals, finite sets, their unions, and relations that bound one variable.
func (s *side) set(n *node) (realSet, bool) {
	if s.work.spend(1) != nil {
		return nil, false
	}
	switch n.kind {
	case kSym:
		switch n.name {
		case "set:R":
			return everything, true
		case "emptyset", "varnothing":
			return realSet{}, true
		}
		return nil, false
	case kUnion:
		a, ok := s.set(n.args[0])
		if !ok {
			return nil, false
		}
		b, ok := s.set(n.args[1])
		if !ok {
			return nil, false
		}
		switch n.ops[0] {
		case "cup":
			return union(append(slices.Clone(a), b...)), true
		case "minus":
			b = b.complement()
		}
		return a.complement().join(b.complement()).complement(), true
	case kSeq:
		return s.sequenceSet(n)
	case kRelation:
		return s.relationSet(n)
	}
	return s.point(n)
}

func (s *side) point(n *node) (realSet, bool) {
	v, ok := s.real(n)
	if !ok {
		return nil, false
	}
	return realSet{{v, v, true, true}}, true
}

func (s *side) sequenceSet(n *node) (realSet, bool) {
	if n.open == '(' || n.open == '[' {
		return s.interval(n)
	}
	var out realSet
	for _, a := range n.args {
		var p realSet
		var ok bool
		if n.open == 0 {
			p, ok = s.set(a) // x < 1, x > 2
		} else {
			p, ok = s.point(a)
		}
		if !ok {
			return nil, false
		}
		out = append(out, p...)
	}
	return union(out), true
}

// interval reads (a, b) with real ends in order.
func (s *side) interval(n *node) (realSet, bool) {
	if len(n.args) != 2 {
		return nil, false
	}
	p := piece{loClosed: n.open == '[', hiClosed: n.close == ']'}
	if sign := infinite(n.args[0]); sign < 0 {
		p.loClosed = false
	} else if v, ok := s.real(n.args[0]); ok && sign == 0 {
		p.lo = v
	} else {
		return nil, false
	}
	if sign := infinite(n.args[1]); sign > 0 {
		p.hiClosed = false
	} else if v, ok := s.real(n.args[1]); ok && sign == 0 {
		p.hi = v
	} else {
		return nil, false
	}
	if p.lo != nil && p.hi != nil && (p.lo.Cmp(p.hi) > 0 || sameReal(p.lo, p.hi) && (!p.loClosed || !p.hiClosed)) {
		return nil, false
	}
	return realSet{p}, true
}

// infinite gives the sign of ±∞, 0 for anything else.
func infinite(n *node) int {
	switch {
	case n.kind == kConst && n.name == "inf":
		return 1
	case n.kind == kNeg && n.args[0].kind == kConst && n.args[0].name == "inf":
		return -1
	}
	return 0
}

// relationSet reads x in S, and chains that bound one variable by numbers, such as 1 < x <= 2.
func (s *side) relationSet(n *node) (realSet, bool) {
	if len(n.ops) == 1 && n.ops[0] == "in" {
		if n.args[0].kind != kSym {
			return nil, false
		}
		return s.set(n.args[1])
	}
	out := everything
	variable := ""
	for i, op := range n.ops {
		l, r := n.args[i], n.args[i+1]
		if r.kind == kSym {
			l, r, op = r, l, flipped(op)
		}
		if l.kind != kSym || variable != "" && l.name != variable {
			return nil, false
		}
		variable = l.name
		half, ok := s.bounded(op, r)
		if !ok {
			return nil, false
		}
		out = out.complement().join(half.complement()).complement()
	}
	return out, true
}

func flipped(op string) string {
	switch op {
	case "<":
		return ">"
	case ">":
		return "<"
	case "<=":
		return ">="
	case ">=":
		return "<="
	}
	return op
}

// bounded is the set of x with x op n.
func (s *side) bounded(op string, n *node) (realSet, bool) {
	if sign := infinite(n); sign != 0 {
		if (sign > 0) == (op == "<" || op == "<=") && op != "=" && op != "!=" && op != "in" {
			return everything, true
		}
		return nil, false
	}
	v, ok := s.real(n)
	if !ok {
		return nil, false
	}
	switch op {
	case "<", "<=":
		return realSet{{hi: v, hiClosed: op == "<="}}, true
	case ">", ">=":
		return realSet{{lo: v, loClosed: op == ">="}}, true
	case "=":
		return realSet{{v, v, true, true}}, true
	case "!=":
		return realSet{{hi: v}, {lo: v}}, true
	}
	return nil, false
}

func sameReal(a, b *big.Float) bool { return near(realNumber(a), realNumber(b)) }

func (a realSet) join(b realSet) realSet { return union(append(slices.Clone(a), b...)) }

// union sorts pieces and merges those that overlap or touch.
func union(in []piece) realSet {
	slices.SortFunc(in, func(a, b piece) int {
		switch {
		case a.lo == nil && b.lo == nil:
			return 0
		case a.lo == nil:
			return -1
		case b.lo == nil:
			return 1
		case sameReal(a.lo, b.lo) && a.loClosed != b.loClosed:
			if a.loClosed {
				return -1
			}
			return 1
		}
		return a.lo.Cmp(b.lo)
	})
	var out realSet
	for _, p := range in {
		if len(out) == 0 {
			out = append(out, p)
			continue
		}
		last := &out[len(out)-1]
		if last.hi != nil && p.lo != nil {
			same := sameReal(last.hi, p.lo)
			if !same && last.hi.Cmp(p.lo) < 0 || same && !last.hiClosed && !p.loClosed {
				out = append(out, p)
				continue
			}
		}
		switch {
		case last.hi == nil:
		case p.hi == nil:
			last.hi, last.hiClosed = nil, false
		case sameReal(p.hi, last.hi):
			last.hiClosed = last.hiClosed || p.hiClosed
		case p.hi.Cmp(last.hi) > 0:
			last.hi, last.hiClosed = p.hi, p.hiClosed
		}
	}
	return out
}

// complement is every other real number.
func (a realSet) complement() realSet {
	var out realSet
	next := piece{}
	for _, p := range a {
		if p.lo != nil {
			next.hi, next.hiClosed = p.lo, !p.loClosed
			out = append(out, next)
		}
		if p.hi == nil {
			return out
		}
		next = piece{lo: p.hi, loClosed: !p.hiClosed}
	}
	return append(out, next)
}

func (a realSet) equal(b realSet) bool {
	end := func(x, y *big.Float) bool {
		if x == nil || y == nil {
			return x == nil && y == nil
		}
		return sameReal(x, y)
	}
	return slices.EqualFunc(a, b, func(p, q piece) bool {
		return end(p.lo, q.lo) && end(p.hi, q.hi) && p.loClosed == q.loClosed && p.hiClosed == q.hiClosed
	})
}
