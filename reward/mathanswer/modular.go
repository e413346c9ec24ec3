package mathanswer

import (
	"errors"
	"math/big"
	"math/bits"
)

// Rational expressions are compared by their values modulo a prime at points that follow from the gold answer's text: equal ones always agree,
// and different ones of degree d agree at a point with a chance of about d/2^61 (Schwartz, Zippel). Numbers of any size keep their exact residue.

// primes are below 2^61 and one above a multiple of four, so that -1 has a square root, which stands for i.
var primes = [2]field{newField(2305843009213693921), newField(2305843009213693693)}

var errNotRational = errors.New("is not rational")

type field struct {
	p, i  uint64
	order *big.Int // p-1
	prime *big.Int
}

func newField(p uint64) field {
	f := field{p: p, order: new(big.Int).SetUint64(p - 1), prime: new(big.Int).SetUint64(p)}
	if p%4 != 1 || !f.prime.ProbablyPrime(20) {
		panic("mathanswer: not a prime with a root of -1")
	}
	for g := uint64(2); ; g++ {
		if r := f.pow(g, (p-1)/4); f.mul(r, r) == p-1 {
			f.i = r
			return f
		}
	}
}

func (f *field) mul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	_, rem := bits.Div64(hi, lo, f.p)
	return rem
}

func (f *field) add(a, b uint64) uint64 {
	if a += b; a >= f.p {
		a -= f.p
	}
	return a
}

func (f *field) neg(a uint64) uint64 {
	if a == 0 {
		return 0
	}
	return f.p - a
}

func (f *field) pow(a, e uint64) uint64 {
	r := uint64(1)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			r = f.mul(r, a)
		}
		a = f.mul(a, a)
	}
	return r
}

func (f *field) int(n *big.Int) uint64 { return new(big.Int).Mod(n, f.prime).Uint64() }

func (f *field) rat(r *big.Rat) (uint64, error) {
	n := f.int(r.Num())
	if r.IsInt() {
		return n, nil
	}
	return f.div(n, f.int(r.Denom()))
}

func (f *field) div(a, b uint64) (uint64, error) {
	if b == 0 {
		return 0, errZero
	}
	return f.mul(a, f.pow(b, f.p-2)), nil
}

var errZero = errors.New("divides by zero")

// residue evaluates a rational expression at a point in the field.
func (e *env) residue(n *node) (uint64, error) {
	if err := e.work.spend(4); err != nil {
		return 0, err
	}
	f := e.field
	switch n.kind {
	case kNum:
		if err := e.work.spend(n.num.Num().BitLen() / 64); err != nil {
			return 0, err
		}
		return f.rat(n.num)
	case kSym:
		return e.hash(n.name) % f.p, nil
	case kConst:
		if n.name == "i" {
			return f.i, nil
		}
	case kSum, kProduct:
		var out uint64
		for j, a := range n.args {
			v, err := e.residue(a)
			switch {
			case err != nil:
				return 0, err
			case j == 0:
				out = v
			case n.kind == kSum:
				out = f.add(out, v)
			default:
				out = f.mul(out, v)
			}
		}
		return out, nil
	case kNeg:
		v, err := e.residue(n.args[0])
		return f.neg(v), err
	case kUnit:
		if n.maybe {
			v, err := e.residue(n.args[0])
			if err != nil {
				return 0, err
			}
			return f.mul(v, e.hash(n.name)%f.p), nil
		}
		return e.residue(n.args[0])
	case kPercent, kQuotient:
		return e.residueQuotient(n)
	case kPower:
		return e.residuePower(n)
	case kCall:
		if n.name == "factorial" || n.name == "binom" {
			r, err := e.rational(n)
			if err != nil {
				return 0, err
			}
			return f.rat(r)
		}
	}
	return 0, errNotRational
}

func (e *env) residueQuotient(n *node) (uint64, error) {
	a, err := e.residue(n.args[0])
	if err != nil {
		return 0, err
	}
	b := uint64(100)
	if n.kind == kQuotient {
		if b, err = e.residue(n.args[1]); err != nil {
			return 0, err
		}
	}
	return e.field.div(a, b)
}

func (e *env) residuePower(n *node) (uint64, error) {
	exponent, err := e.rational(n.args[1])
	if err != nil {
		return 0, err
	}
	if !exponent.IsInt() {
		return 0, errNotRational
	}
	base, err := e.residue(n.args[0])
	if err != nil {
		return 0, err
	}
	if base == 0 {
		switch exponent.Sign() {
		case 0:
			return 0, errZero // 0^0
		case -1:
			return 0, errZero
		}
		return 0, nil
	}
	if err := e.work.spend(64); err != nil {
		return 0, err
	}
	r := new(big.Int).Mod(exponent.Num(), e.field.order)
	return e.field.pow(base, r.Uint64()), nil
}

// maxBits is the size up to which constant exponents and arguments of factorials are computed as they are.
const maxBits = 4096

// rational computes a constant rational expression of modest size: exponents, arguments of factorials, endpoints.
func (e *env) rational(n *node) (*big.Rat, error) {
	if err := e.work.spend(4); err != nil {
		return nil, err
	}
	switch n.kind {
	case kNum:
		if n.num.Num().BitLen()+n.num.Denom().BitLen() > maxBits {
			return nil, errSize
		}
		return n.num, nil
	case kNeg, kPercent, kUnit:
		r, err := e.rational(n.args[0])
		switch {
		case err != nil || n.maybe:
			return nil, errNotRational
		case n.kind == kNeg:
			return new(big.Rat).Neg(r), nil
		case n.kind == kPercent:
			return new(big.Rat).Mul(r, big.NewRat(1, 100)), nil
		}
		return r, nil
	case kSum, kProduct, kQuotient:
		return e.rationalFold(n)
	case kPower:
		b, err := e.rational(n.args[0])
		if err != nil {
			return nil, err
		}
		x, err := e.rational(n.args[1])
		if err != nil {
			return nil, err
		}
		return power(b, x)
	case kCall:
		return e.rationalCall(n)
	}
	return nil, errNotRational
}

func (e *env) rationalFold(n *node) (*big.Rat, error) {
	out := new(big.Rat)
	for j, a := range n.args {
		r, err := e.rational(a)
		if err != nil {
			return nil, err
		}
		switch {
		case j == 0:
			out.Set(r)
		case n.kind == kSum:
			out.Add(out, r)
		case n.kind == kProduct:
			out.Mul(out, r)
		case r.Sign() == 0:
			return nil, errZero
		default:
			out.Quo(out, r)
		}
		if out.Num().BitLen()+out.Denom().BitLen() > maxBits {
			return nil, errNotRational
		}
	}
	return out, e.work.spend(maxBits / 64)
}

func power(b, x *big.Rat) (*big.Rat, error) {
	if !x.IsInt() || !x.Num().IsInt64() {
		return nil, errNotRational
	}
	k := x.Num().Int64()
	size := int64(b.Num().BitLen() + b.Denom().BitLen())
	if k < -maxBits || k > maxBits || size*max(k, -k) > maxBits {
		return nil, errNotRational
	}
	if b.Sign() == 0 && k <= 0 {
		return nil, errZero
	}
	kk := big.NewInt(max(k, -k))
	num, den := new(big.Int).Exp(b.Num(), kk, nil), new(big.Int).Exp(b.Denom(), kk, nil)
	if k < 0 {
		num, den = den, num
	}
	return new(big.Rat).SetFrac(num, den), nil
}

// maxFactorial is the largest n whose factorial or binomial coefficients are computed.
const maxFactorial = 2000

func (e *env) rationalCall(n *node) (*big.Rat, error) {
	var v [2]int64
	switch {
	case n.name == "factorial", n.name == "binom":
	default:
		return nil, errNotRational
	}
	for j, a := range n.args {
		r, err := e.rational(a)
		if err != nil {
			return nil, err
		}
		if !r.IsInt() || !r.Num().IsInt64() || r.Sign() < 0 || r.Num().Int64() > maxFactorial {
			return nil, errNotRational
		}
		v[j] = r.Num().Int64()
	}
	if err := e.work.spend(int(v[0]) * 16); err != nil {
		return nil, err
	}
	if n.name == "binom" {
		return new(big.Rat).SetInt(new(big.Int).Binomial(v[0], v[1])), nil
	}
	return new(big.Rat).SetInt(new(big.Int).MulRange(1, v[0])), nil
}
