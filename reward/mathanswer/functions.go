package mathanswer

import (
	"errors"
	"math/big"
)

var (
	errInfinite = errors.New("has an infinite value")
	errNoNumber = errors.New("has a part without a value")
)

// elementary evaluates the functions of one argument; known is false for any other name.
func (e *env) elementary(n *node, z number) (v number, known bool, err error) {
	one := realNumber(float(1))
	switch n.name {
	case "abs":
		return realNumber(z.abs()), true, nil
	case "floor", "ceil":
		v, err := whole(n.name, z)
		return v, true, err
	case "exp":
		v, err := z.exp()
		return v, true, err
	case "ln", "log":
		e.mark(z, n.args[0])
		v, err := z.ln()
		return v, true, err
	case "lg":
		e.mark(z, n.args[0])
		v, err := z.ln()
		if err != nil {
			return v, true, err
		}
		ten, _ := realNumber(float(10)).ln()
		v, err = v.quo(ten)
		return v, true, err
	case "cbrt":
		v, err := e.power(&node{kind: kPower, args: []*node{n.args[0], {kind: kNum, num: big.NewRat(1, 3), decimals: -1}}})
		return v, true, err
	case "sin", "cos", "tan", "cot", "sec", "csc":
		v, err := trigonometric(n.name, degrees(n.args[0], z))
		return v, true, err
	case "sinh", "cosh", "tanh":
		v, err := hyperbolic(n.name, z)
		return v, true, err
	case "arcsin", "arccos", "arctan", "arccot":
		v, err := e.inverse(n.name, z, one)
		return v, true, err
	}
	return number{}, false, nil
}

// degrees turns an argument that is written in degrees into radians.
func degrees(n *node, z number) number {
	if n.kind != kUnit || n.name != "degree" {
		return z
	}
	return z.mul(realNumber(quo(pi(), float(180))))
}

func trigonometric(name string, z number) (number, error) {
	s, c, err := z.sinCos()
	if err != nil {
		return s, err
	}
	one := realNumber(float(1))
	switch name {
	case "sin":
		return s, nil
	case "cos":
		return c, nil
	case "tan":
		return s.divide(c)
	case "cot":
		return c.divide(s)
	case "sec":
		return one.divide(c)
	}
	return one.divide(s)
}

// divide refuses a divisor that is nothing but rounding.
func (z number) divide(w number) (number, error) {
	if w.isZero() {
		return number{}, errZero
	}
	return z.quo(w)
}

func hyperbolic(name string, z number) (number, error) {
	a, err := z.exp()
	if err != nil {
		return a, err
	}
	b, err := z.neg().exp()
	if err != nil {
		return b, err
	}
	s, c := a.sub(b), a.add(b)
	switch name {
	case "sinh":
		return number{half(s.re), half(s.im)}, nil
	case "cosh":
		return number{half(c.re), half(c.im)}, nil
	}
	return s.divide(c)
}

// inverse evaluates inverse trigonometric functions of real numbers by the arctangent.
func (e *env) inverse(name string, z, one number) (number, error) {
	if !z.isReal() {
		return number{}, errNoNumber
	}
	x := z.re
	switch name {
	case "arctan":
		v, err := atan(x)
		return realNumber(v), err
	case "arccot":
		v, err := atan2(float(1), x)
		return realNumber(v), err
	}
	rest := sub(one.re, mul(x, x))
	if rest.Sign() < 0 && !tiny(rest, -200) {
		if len(name) > 0 {
			e.outside = true
		}
		return number{}, errNoNumber
	}
	root := newFloat().Sqrt(newFloat().Abs(rest))
	if name == "arcsin" {
		if root.Sign() == 0 {
			return realNumber(mul(half(pi()), float(float64(x.Sign())))), nil
		}
		v, err := atan(quo(x, root))
		return realNumber(v), err
	}
	if root.Sign() == 0 && x.Sign() > 0 {
		return realNumber(newFloat()), nil
	}
	v, err := atan2(root, x)
	return realNumber(v), err
}

// whole rounds down or up; what is within rounding of a whole number is that number.
func whole(name string, z number) (number, error) {
	if !z.isReal() || z.re.MantExp(nil) > 200 {
		return number{}, errNoNumber
	}
	shifted := z.re
	margin := newFloat().SetMantExp(float(1), -150)
	if name == "floor" {
		shifted = add(shifted, margin)
	} else {
		shifted = neg(sub(shifted, margin))
	}
	n, _ := shifted.Int(nil)
	if shifted.Sign() < 0 && newFloat().SetInt(n).Cmp(shifted) != 0 {
		n.Sub(n, big.NewInt(1))
	}
	if name == "ceil" {
		n.Neg(n)
	}
	return realNumber(newFloat().SetInt(n)), nil
}
