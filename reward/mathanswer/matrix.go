package mathanswer

import (
	"errors"
	"math/big"
)

var errShape = errors.New("has matrices that do not fit together")

// reduce carries out sums, products and powers of matrices on formulas, so that a matrix or a scalar is left.
func reduce(w *work, n *node) (*node, error) {
	if err := w.spend(1); err != nil {
		return nil, err
	}
	if n.kind == kMatrix || !has(n, kMatrix) {
		return n, nil
	}
	switch n.kind {
	case kSum, kProduct:
		out, err := reduce(w, n.args[0])
		if err != nil {
			return nil, err
		}
		for _, a := range n.args[1:] {
			next, err := reduce(w, a)
			if err != nil {
				return nil, err
			}
			if n.kind == kSum {
				out, err = sumOf(w, out, next)
			} else {
				out, err = productOf(w, out, next)
			}
			if err != nil {
				return nil, err
			}
		}
		return out, nil
	case kNeg:
		m, err := reduce(w, n.args[0])
		if err != nil {
			return nil, err
		}
		return productOf(w, integer(-1), m)
	case kQuotient:
		m, err := reduce(w, n.args[0])
		if err != nil || m.kind != kMatrix || has(n.args[1], kMatrix) {
			return nil, errors.Join(err, errShape)
		}
		return productOf(w, &node{kind: kQuotient, args: []*node{integer(1), n.args[1]}}, m)
	}
	if n.kind == kPower && n.args[0].kind == kMatrix {
		return powerOf(w, n.args[0], n.args[1])
	}
	return nil, errShape
}

// powerOf transposes a matrix or multiplies it with itself.
func powerOf(w *work, m, exponent *node) (*node, error) {
	if exponent.kind == kSym && (exponent.name == "T" || exponent.name == "top") {
		rows := len(m.args) / m.cols
		out := &node{kind: kMatrix, cols: rows}
		for col := range m.cols {
			for r := range rows {
				out.args = append(out.args, m.args[r*m.cols+col])
			}
		}
		return out, w.spend(len(m.args))
	}
	if exponent.kind != kNum || !exponent.num.IsInt() || exponent.num.Cmp(big.NewRat(1, 1)) < 0 || exponent.num.Cmp(big.NewRat(maxMatrixPower, 1)) > 0 {
		return nil, errShape
	}
	out := m
	for range exponent.num.Num().Int64() - 1 {
		var err error
		if out, err = productOf(w, out, m); err != nil {
			return nil, err
		}
	}
	return out, nil
}

const (
	maxMatrixPower = 8
	maxCell        = 4096 // nodes that a cell of a product of matrices may have
)

func cellSize(m *node) int {
	if m.size > 0 {
		return m.size
	}
	largest := 0
	for _, cell := range m.args {
		largest = max(largest, count(cell))
	}
	return largest
}

func count(n *node) int {
	total := 1
	for _, a := range n.args {
		total += count(a)
	}
	return total
}

func sumOf(w *work, a, b *node) (*node, error) {
	if a.kind != kMatrix || b.kind != kMatrix || a.cols != b.cols || len(a.args) != len(b.args) {
		return nil, errShape
	}
	out := &node{kind: kMatrix, cols: a.cols, size: cellSize(a) + cellSize(b) + 1}
	if out.size > maxCell {
		return nil, errSize
	}
	for i := range a.args {
		out.args = append(out.args, &node{kind: kSum, args: []*node{a.args[i], b.args[i]}})
	}
	return out, w.spend(len(out.args))
}

func productOf(w *work, a, b *node) (*node, error) {
	switch {
	case a.kind != kMatrix && b.kind != kMatrix:
		return product([]*node{a, b}), nil
	case a.kind == kMatrix && b.kind != kMatrix:
		a, b = b, a
		fallthrough
	case a.kind != kMatrix:
		out := &node{kind: kMatrix, cols: b.cols, size: cellSize(b) + count(a) + 1}
		if out.size > maxCell {
			return nil, errSize
		}
		for _, cell := range b.args {
			out.args = append(out.args, product([]*node{a, cell}))
		}
		return out, w.spend(len(out.args))
	}
	rows, inner := len(a.args)/a.cols, a.cols
	if len(b.args)/b.cols != inner {
		return nil, errShape
	}
	if rows*b.cols > maxCells {
		return nil, errSize
	}
	if err := w.spend(rows * b.cols * inner * 8); err != nil {
		return nil, err
	}
	out := &node{kind: kMatrix, cols: b.cols, size: inner * (cellSize(a) + cellSize(b) + 1)}
	if out.size > maxCell {
		return nil, errSize
	}
	for r := range rows {
		for col := range b.cols {
			cell := &node{kind: kSum}
			for k := range inner {
				cell.args = append(cell.args, product([]*node{a.args[r*inner+k], b.args[k*b.cols+col]}))
			}
			out.args = append(out.args, cell)
		}
	}
	return out, nil
}

// vector compares a tuple with a matrix of one row or column.
func (c *comparison) vector(g, p *node) bool {
	flat := func(n *node) ([]*node, bool) {
		switch {
		case ordered(n):
			return n.args, true
		case n.kind == kMatrix && (n.cols == 1 || n.cols == len(n.args)):
			return n.args, true
		}
		return nil, false
	}
	a, ok := flat(g)
	b, ok2 := flat(p)
	if !ok || !ok2 || len(a) != len(b) {
		return false
	}
	for i := range a {
		if !c.equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// matrix compares matrices cell by cell, after arithmetic with them where there is any.
func (c *comparison) matrix(g, p *node) bool {
	if g.kind != kMatrix {
		var err error
		if g, err = reduce(&c.gold.work, g); err != nil {
			c.blame(err)
			return false
		}
	}
	if p.kind != kMatrix {
		var err error
		if p, err = reduce(&c.pred.work, p); err != nil {
			return false
		}
	}
	if g.kind != kMatrix || p.kind != kMatrix {
		return g.kind != kMatrix && p.kind != kMatrix && c.equal(g, p)
	}
	if g.cols != p.cols || len(g.args) != len(p.args) {
		return false
	}
	for i := range g.args {
		if !c.equal(g.args[i], p.args[i]) {
			return false
		}
	}
	return true
}
