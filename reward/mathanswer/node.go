package mathanswer

import (
	"math/big"
	"strings"
)

type kind uint8

const (
	kNum       kind = iota // num, decimals: as written, -1 for an integer or a fraction
	kSym                   // name: a variable
	kConst                 // name: pi, e, i, inf
	kSum                   // args
	kProduct               // args
	kNeg                   // args[0]
	kQuotient              // args[0]/args[1]
	kPower                 // args[0]^args[1]
	kCall                  // name(args…): a function that is known, or one that is nothing but its name
	kPlusMinus             // ±args[0]; name "-" for ∓
	kSeq                   // open args close: a tuple, an interval, a set ('{'), a list (0)
	kRelation              // args[0] ops[0] args[1] ops[1] …
	kUnion                 // args[0] ops[0] args[1]: cup, cap, minus
	kMatrix                // cols, args row by row
	kRatio                 // args[0]:args[1]:…; maybe: written as a time of day is
	kPercent               // args[0]
	kUnit                  // args[0] in the unit name; maybe: the unit could as well be a variable
	kBased                 // digits name in base num
	kText                  // name: words
)

// node is a part of an answer that has been read.
type node struct {
	kind        kind
	name        string
	num         *big.Rat
	decimals    int
	args        []*node
	ops         []string
	open, close byte
	cols        int
	size        int  // kMatrix, once multiplied: the number of nodes in a cell
	maybe       bool // kUnit, kRatio: see there
	paren       bool // stands in round brackets
}

func integer(n int64) *node {
	return &node{kind: kNum, num: new(big.Rat).SetInt64(n), decimals: -1}
}

func list(args []*node) *node {
	if len(args) == 1 {
		return args[0]
	}
	return &node{kind: kSeq, args: args}
}

// any says whether f holds for the node or for any node within it.
func (n *node) any(f func(*node) bool) bool {
	if f(n) {
		return true
	}
	for _, a := range n.args {
		if a.any(f) {
			return true
		}
	}
	return false
}

func (n *node) constant() bool { return !n.any(func(m *node) bool { return m.kind == kSym }) }

// nameLike says whether the node only names a quantity, as the left side of f(x) = 3, |AB| = 1, S:T = 2 or (p, q) = (3, 2) does.
func (n *node) nameLike() bool {
	switch n.kind {
	case kSym, kText:
		return true
	case kCall:
		return n.name == "abs" && n.args[0].nameLike()
	case kProduct:
		for i, a := range n.args {
			if !a.nameLike() && (i == 0 || !a.argumentOf(n.args[i-1])) {
				return false
			}
		}
		return true
	case kRatio, kQuotient, kSeq:
		for _, a := range n.args {
			if !a.nameLike() {
				return false
			}
		}
		return len(n.args) > 0 && n.open != '{'
	}
	return false
}

// argumentOf says whether the node, in brackets after the one before it, reads as the argument of a function: f(x+1), a(3), P(X=2).
func (n *node) argumentOf(before *node) bool {
	if n.kind == kSeq {
		return n.open == '('
	}
	if !n.paren || before.kind != kSym {
		return false
	}
	switch n.kind {
	case kNum, kNeg, kRelation:
		return true
	}
	return len(before.name) == 1 && strings.Contains("fghpqFGHPQ", before.name) || n.kind == kConst
}
