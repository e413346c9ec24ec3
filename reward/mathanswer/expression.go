package mathanswer

import (
	"errors"
	"math/big"
)

// expression is a scalar with its values, computed when they are first asked for.
type expression struct {
	n        *node
	constant bool
	residues []uint64 // by prime and point; nil where it is not rational
	residual bool     // residues are computed
	values   []sample
	err      error // of values
}

type sample struct {
	v  number
	ok bool // has a value, within the real numbers
	// defined says that there is a value, perhaps a complex one.
	defined bool
}

// side evaluates the expressions of one of the two answers.
type side struct {
	work  work
	salt  uint64
	known map[*node]*expression
	made  map[derived]*node
}

// derived names a node that was made from another: times a factor, or with its unit taken away.
type derived struct {
	n      *node
	factor *big.Rat
}

func newSide(salt uint64) side {
	return side{salt: salt, known: map[*node]*expression{}, made: map[derived]*node{}}
}

func (s *side) expression(n *node) *expression {
	if x, ok := s.known[n]; ok {
		return x
	}
	x := &expression{n: n, constant: n.constant() && !n.any(func(m *node) bool { return m.kind == kUnit && m.maybe })}
	s.known[n] = x
	return x
}

// residuesOf gives the residues of a rational expression, or nil.
func (s *side) residuesOf(x *expression) []uint64 {
	if x.residual {
		return x.residues
	}
	x.residual = true
	count := 2
	if x.constant {
		count = 1
	}
	var out []uint64
	for f := range primes {
		for i := range count {
			e := env{work: &s.work, field: &primes[f], salt: s.salt, index: i}
			r, err := e.residue(x.n)
			if err != nil {
				return nil
			}
			out = append(out, r)
		}
	}
	x.residues = out
	return out
}

// valuesOf gives the values at the points; an error where there are none.
func (s *side) valuesOf(x *expression) ([]sample, error) {
	if x.values != nil || x.err != nil {
		return x.values, x.err
	}
	count := points
	if x.constant {
		count = 1
	}
	values := make([]sample, count)
	defined := false
	var first error
	for i := range values {
		e := env{work: &s.work, salt: s.salt, index: i}
		v, err := e.value(x.n)
		if errors.Is(err, errWork) {
			x.err = err
			return nil, err
		}
		if err == nil && (v.re.IsInf() || v.im.IsInf()) {
			err = errRange
		}
		if err != nil {
			first = err
			continue
		}
		defined = true
		values[i] = sample{v: v, ok: !e.outside, defined: true}
	}
	if !defined {
		x.err = first
		return nil, first
	}
	x.values = values
	return values, nil
}

// near says whether two numbers differ by no more than rounding: 2^-160 of the larger, or 2^-200.
func near(a, b number) bool {
	d := a.sub(b)
	size := max(exponent(a), exponent(b))
	return tiny(d.re, max(-200, size-160)) && tiny(d.im, max(-200, size-160))
}

func exponent(z number) int {
	e := -1 << 20
	for _, x := range [...]*big.Float{z.re, z.im} {
		if x.Sign() != 0 {
			e = max(e, x.MantExp(nil))
		}
	}
	return e
}

// agree compares the values of two expressions point by point: at the points where both are real, or at all where there are none.
func agree(a, b []sample, same func(i int, x, y number) bool) bool {
	at := func(list []sample, i int) sample {
		if len(list) == 1 { // a constant
			return list[0]
		}
		return list[i]
	}
	for _, strict := range [...]bool{true, false} {
		compared := 0
		for i := range max(len(a), len(b)) {
			x, y := at(a, i), at(b, i)
			if !x.defined || !y.defined || strict && !(x.ok && y.ok) {
				continue
			}
			if compared++; !same(i, x.v, y.v) {
				return false
			}
		}
		if compared > 0 {
			return true
		}
	}
	return false
}

// real gives the value of a constant, if it is a real number.
func (s *side) real(n *node) (*big.Float, bool) {
	x := s.expression(n)
	if !x.constant {
		return nil, false
	}
	v, err := s.valuesOf(x)
	if err != nil || !v[0].v.isReal() {
		return nil, false
	}
	return v[0].v.re, true
}
