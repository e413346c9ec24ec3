package mathanswer

import "math/big"

// number is a complex number.
type number struct{ re, im *big.Float }

func realNumber(x *big.Float) number { return number{x, newFloat()} }

// isReal says whether the imaginary part is rounding.
func (z number) isReal() bool {
	return z.im.Sign() == 0 || z.im.MantExp(nil) < -180 || z.re.Sign() != 0 && z.im.MantExp(nil) < z.re.MantExp(nil)-180
}

// isZero says whether the number is rounding.
func (z number) isZero() bool { return tiny(z.re, -200) && tiny(z.im, -200) }

func tiny(x *big.Float, exponent int) bool { return x.Sign() == 0 || x.MantExp(nil) < exponent }

func (z number) add(w number) number { return number{add(z.re, w.re), add(z.im, w.im)} }
func (z number) sub(w number) number { return number{sub(z.re, w.re), sub(z.im, w.im)} }
func (z number) neg() number         { return number{neg(z.re), neg(z.im)} }

func (z number) mul(w number) number {
	if z.im.Sign() == 0 && w.im.Sign() == 0 {
		return realNumber(mul(z.re, w.re))
	}
	return number{sub(mul(z.re, w.re), mul(z.im, w.im)), add(mul(z.re, w.im), mul(z.im, w.re))}
}

func (z number) norm() *big.Float { return add(mul(z.re, z.re), mul(z.im, z.im)) }

func (z number) abs() *big.Float {
	if z.im.Sign() == 0 {
		return newFloat().Abs(z.re)
	}
	return newFloat().Sqrt(z.norm())
}

func (z number) quo(w number) (number, error) {
	if w.isZero() && (w.norm().Sign() == 0 || tiny(w.abs(), -240)) {
		return number{}, errZero
	}
	if w.im.Sign() == 0 {
		return number{quo(z.re, w.re), quo(z.im, w.re)}, nil
	}
	n := w.norm()
	v := z.mul(number{w.re, neg(w.im)})
	return number{quo(v.re, n), quo(v.im, n)}, nil
}

func (z number) exp() (number, error) {
	r, err := exp(z.re)
	if err != nil || z.im.Sign() == 0 {
		return realNumber(r), err
	}
	s, c, err := sinCos(z.im)
	if err != nil {
		return number{}, err
	}
	return number{mul(r, c), mul(r, s)}, nil
}

// ln is the principal logarithm.
func (z number) ln() (number, error) {
	if z.isZero() {
		return number{}, errZero
	}
	if z.isReal() && z.re.Sign() > 0 {
		r, err := ln(z.re)
		return realNumber(r), err
	}
	r, err := ln(z.abs())
	if err != nil {
		return number{}, err
	}
	im := z.im
	if z.isReal() {
		im = newFloat()
	}
	a, err := atan2(im, z.re)
	return number{r, a}, err
}

// sqrt is the principal root.
func (z number) sqrt() number {
	if z.isReal() {
		if z.re.Sign() >= 0 {
			return realNumber(newFloat().Sqrt(z.re))
		}
		return number{newFloat(), newFloat().Sqrt(neg(z.re))}
	}
	r := z.abs()
	re := newFloat().Sqrt(half(newFloat().Abs(add(r, z.re))))
	im := newFloat().Sqrt(half(newFloat().Abs(sub(r, z.re))))
	if z.im.Sign() < 0 {
		im.Neg(im)
	}
	return number{re, im}
}

// integerPower squares and multiplies.
func (z number) integerPower(k int64) (number, error) {
	if z.isZero() && k <= 0 {
		return number{}, errZero
	}
	out, base := realNumber(float(1)), z
	for e := max(k, -k); e > 0; e >>= 1 {
		if e&1 == 1 {
			out = out.mul(base)
		}
		base = base.mul(base)
		if base.re.IsInf() || base.im.IsInf() || out.re.IsInf() || out.im.IsInf() || base.re.MantExp(nil) > 1<<26 {
			return number{}, errRange
		}
	}
	if k < 0 {
		return realNumber(float(1)).quo(out)
	}
	return out, nil
}

// sinCos of a complex number, by the exponential where it is not real.
func (z number) sinCos() (sin, cos number, err error) {
	if z.isReal() {
		s, c, err := sinCos(z.re)
		return realNumber(s), realNumber(c), err
	}
	a, err := (number{neg(z.im), z.re}).exp()
	if err != nil {
		return number{}, number{}, err
	}
	b, err := (number{z.im, neg(z.re)}).exp()
	if err != nil {
		return number{}, number{}, err
	}
	d, s := a.sub(b), a.add(b)
	return number{half(d.im), half(neg(d.re))}, number{half(s.re), half(s.im)}, nil
}
