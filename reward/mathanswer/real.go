package mathanswer

import (
	"errors"
	"math"
	"math/big"
	"sync"
)

// Elementary functions of real numbers with 256 bits, of which at least 200 are right for arguments of ordinary size.

const precision = 256

var errRange = errors.New("has a value beyond the limits")

func newFloat() *big.Float           { return new(big.Float).SetPrec(precision) }
func float(x float64) *big.Float     { return newFloat().SetFloat64(x) }
func fromRat(r *big.Rat) *big.Float  { return newFloat().SetRat(r) }
func add(a, b *big.Float) *big.Float { return newFloat().Add(a, b) }
func sub(a, b *big.Float) *big.Float { return newFloat().Sub(a, b) }
func mul(a, b *big.Float) *big.Float { return newFloat().Mul(a, b) }
func quo(a, b *big.Float) *big.Float { return newFloat().Quo(a, b) } // b is not 0
func neg(a *big.Float) *big.Float    { return newFloat().Neg(a) }
func half(a *big.Float) *big.Float   { return newFloat().SetMantExp(a, -1) }

// inverseTangent sums arctan(1/n), or artanh(1/n) with sign +1, by its series.
func inverseTangent(n int64, sign int) *big.Float {
	sum, x := newFloat(), quo(float(1), float(float64(n)))
	square := mul(x, x)
	for k := int64(1); x.MantExp(nil) > -precision-8; k += 2 {
		t := quo(x, float(float64(k)))
		if sign < 0 && k%4 == 3 {
			t.Neg(t)
		}
		sum.Add(sum, t)
		x = mul(x, square)
	}
	return sum
}

// pi is 16 arctan(1/5) - 4 arctan(1/239).
var pi = sync.OnceValue(func() *big.Float {
	return sub(mul(float(16), inverseTangent(5, -1)), mul(float(4), inverseTangent(239, -1)))
})

// ln2 is 2 artanh(1/3).
var ln2 = sync.OnceValue(func() *big.Float { return mul(float(2), inverseTangent(3, 1)) })

var euler = sync.OnceValue(func() *big.Float { v, _ := exp(float(1)); return v })

// round gives the nearest integer to a number below 2^63.
func round64(x *big.Float) int64 {
	y := add(x, float(math.Copysign(0.5, float64(x.Sign()))))
	n, _ := y.Int64()
	return n
}

// exp is 2^k e^r with |r| ≤ ln2/2, by Taylor's series at r/2^12 and squaring.
func exp(x *big.Float) (*big.Float, error) {
	if x.MantExp(nil) > 24 {
		return nil, errRange
	}
	k := round64(quo(x, ln2()))
	r := sub(x, mul(ln2(), float(float64(k))))
	r.SetMantExp(r, -12)
	sum, term := float(1), float(1)
	for n := 1; n < 64; n++ {
		term = quo(mul(term, r), float(float64(n)))
		if term.Sign() == 0 || term.MantExp(nil) < -precision-16 {
			break
		}
		sum.Add(sum, term)
	}
	for range 12 {
		sum = mul(sum, sum)
	}
	return newFloat().SetMantExp(sum, int(k)), nil
}

// ln of a positive number, by Halley's iteration y + 2(x-e^y)/(x+e^y) on the mantissa.
func ln(x *big.Float) (*big.Float, error) {
	if x.Sign() <= 0 {
		return nil, errRange
	}
	m := newFloat()
	e := x.MantExp(m)
	f, _ := m.Float64()
	y := float(math.Log(f))
	for range 2 {
		v, err := exp(y)
		if err != nil {
			return nil, err
		}
		y = add(y, quo(mul(float(2), sub(m, v)), add(m, v)))
	}
	return add(y, mul(ln2(), float(float64(e)))), nil
}

// sinCos reduces by quarter turns and sums Taylor's series.
func sinCos(x *big.Float) (sin, cos *big.Float, err error) {
	if x.MantExp(nil) > 40 {
		return nil, nil, errRange
	}
	quarter := half(pi())
	k := round64(quo(x, quarter))
	r := sub(x, mul(quarter, float(float64(k))))
	sin, cos = newFloat(), newFloat()
	term := float(1)
	for n := 0; n < 128; n++ {
		t := term
		if n%4 >= 2 {
			t = neg(term)
		}
		if n%2 == 0 {
			cos.Add(cos, t)
		} else {
			sin.Add(sin, t)
		}
		term = quo(mul(term, r), float(float64(n+1)))
		if term.Sign() == 0 || term.MantExp(nil) < -precision-16 {
			break
		}
	}
	switch ((k % 4) + 4) % 4 {
	case 1:
		sin, cos = cos, neg(sin)
	case 2:
		sin, cos = neg(sin), neg(cos)
	case 3:
		sin, cos = neg(cos), sin
	}
	return sin, cos, nil
}

// atan adds to the float64 y the arctangent of tan(atan x - y), which is small.
func atan(x *big.Float) (*big.Float, error) {
	if x.MantExp(nil) > 30 {
		v, err := atan(quo(float(1), x))
		if err != nil {
			return nil, err
		}
		return sub(mul(half(pi()), float(float64(x.Sign()))), v), nil
	}
	f, _ := x.Float64()
	y := float(math.Atan(f))
	s, c, err := sinCos(y)
	if err != nil {
		return nil, err
	}
	d := quo(sub(mul(x, c), s), add(c, mul(x, s)))
	sum, power, square := newFloat(), d, mul(d, d)
	for k := 1; k < 40 && power.Sign() != 0 && power.MantExp(nil) > -precision-16; k += 2 {
		t := quo(power, float(float64(k)))
		if k%4 == 3 {
			t.Neg(t)
		}
		sum.Add(sum, t)
		power = mul(power, square)
	}
	return add(y, sum), nil
}

// atan2 is the angle of the point (x, y), which is not the origin.
func atan2(y, x *big.Float) (*big.Float, error) {
	if x.Sign() == 0 {
		return mul(half(pi()), float(float64(y.Sign()))), nil
	}
	v, err := atan(quo(y, x))
	if err != nil || x.Sign() > 0 {
		return v, err
	}
	if y.Sign() < 0 {
		return sub(v, pi()), nil
	}
	return add(v, pi()), nil
}
