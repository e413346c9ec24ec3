package mathanswer

import (
	"hash/fnv"
	"math/big"
	"strings"
)

// env is where an expression is evaluated: a point, a sign for ±, and for residues a field.
type env struct {
	work  *work
	field *field
	salt  uint64 // of the gold answer's text, so that nobody who does not know it knows the points
	index int    // of the point
	// outside is set where a root or a logarithm of what is not positive depends on a variable: the point says nothing about real values.
	outside bool
}

// points is the number of points at which expressions with variables are compared; the fourth and sixth are negative.
const points = 6

var ranges = [points][2]int64{{1, 2}, {0, 1}, {2, 20}, {-3, 0}, {20, 900}, {-40, -3}}

func (e *env) hash(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte{byte(e.index)})
	h.Write([]byte(name))
	x := h.Sum64() ^ e.salt
	x ^= x >> 33 // the finalizer of MurmurHash3
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// point gives a variable's value.
func (e *env) point(name string) *big.Rat {
	lo, hi := ranges[e.index][0], ranges[e.index][1]
	const steps = 1 << 20
	k := int64(e.hash(name)%(steps-1)) + 1
	return big.NewRat(lo*steps+k*(hi-lo), steps)
}

// value evaluates a scalar in complex numbers with 256 bits.
func (e *env) value(n *node) (number, error) {
	if err := e.work.spend(16); err != nil {
		return number{}, err
	}
	switch n.kind {
	case kNum:
		if err := e.work.spend(n.num.Num().BitLen() / 8); err != nil {
			return number{}, err
		}
		return realNumber(fromRat(n.num)), nil
	case kSym:
		return realNumber(fromRat(e.point(n.name))), nil
	case kConst:
		switch n.name {
		case "pi":
			return realNumber(pi()), nil
		case "e":
			return realNumber(euler()), nil
		case "i":
			return number{newFloat(), float(1)}, nil
		}
		return number{}, errInfinite
	case kSum, kProduct:
		return e.fold(n)
	case kNeg:
		v, err := e.value(n.args[0])
		if err == nil {
			v = v.neg()
		}
		return v, err
	case kQuotient:
		a, err := e.value(n.args[0])
		if err != nil {
			return a, err
		}
		b, err := e.value(n.args[1])
		if err != nil {
			return b, err
		}
		return a.quo(b)
	case kPercent:
		v, err := e.value(n.args[0])
		if err != nil {
			return v, err
		}
		return v.quo(realNumber(float(100)))
	case kUnit:
		v, err := e.value(n.args[0])
		if err == nil && n.maybe {
			v = v.mul(realNumber(fromRat(e.point(n.name))))
		}
		return v, err
	case kPower:
		return e.power(n)
	case kCall:
		return e.call(n)
	case kBased:
		return e.named("base "+n.num.RatString()+" "+n.name, nil), nil
	case kText:
		return e.named("words "+strings.ToLower(n.name), nil), nil
	}
	return number{}, errNoNumber
}

func (e *env) fold(n *node) (number, error) {
	var out number
	for j, a := range n.args {
		v, err := e.value(a)
		switch {
		case err != nil:
			return v, err
		case j == 0:
			out = v
		case n.kind == kSum:
			out = out.add(v)
		default:
			out = out.mul(v)
		}
	}
	return out, nil
}

// maxPower is the largest whole exponent of a number that is computed in floating point.
const maxPower = 1 << 20

func (e *env) power(n *node) (number, error) {
	base, err := e.value(n.args[0])
	if err != nil {
		return base, err
	}
	if err := e.work.spend(256); err != nil {
		return number{}, err
	}
	r, err := e.rational(n.args[1])
	if err == nil && r.Num().IsInt64() && r.Denom().IsInt64() {
		num, den := r.Num().Int64(), r.Denom().Int64()
		switch {
		case den == 1 && num <= maxPower && num >= -maxPower:
			return base.integerPower(num)
		case base.isZero() && num > 0:
			return realNumber(newFloat()), nil
		case den == 2 && num <= maxPower && num >= -maxPower:
			e.mark(base, n.args[0])
			return base.sqrt().integerPower(num)
		case den%2 == 1 && base.isReal() && base.re.Sign() < 0: // the real root
			v, err := e.exponential(realNumber(neg(base.re)), realNumber(fromRat(r)))
			if err == nil && num%2 != 0 {
				v = v.neg()
			}
			return v, err
		}
		e.mark(base, n.args[0])
		return e.exponential(base, realNumber(fromRat(r)))
	}
	x, err := e.value(n.args[1])
	if err != nil {
		return x, err
	}
	if n.args[0].kind == kConst && n.args[0].name == "e" {
		return x.exp()
	}
	if base.isZero() {
		return number{}, errZero
	}
	e.mark(base, n.args[0])
	return e.exponential(base, x)
}

func (e *env) exponential(base, x number) (number, error) {
	if err := e.work.spend(1024); err != nil {
		return number{}, err
	}
	l, err := base.ln()
	if err != nil {
		return l, err
	}
	return l.mul(x).exp()
}

// mark notes that a root or a logarithm of something with variables leaves the positive numbers.
func (e *env) mark(z number, n *node) {
	if (!z.isReal() || z.re.Sign() < 0) && !n.constant() {
		e.outside = true
	}
}

// call evaluates a function; one that is nothing but its name has a value that follows from the name and the arguments' values.
func (e *env) call(n *node) (number, error) {
	if err := e.work.spend(1024); err != nil {
		return number{}, err
	}
	if n.name == "factorial" || n.name == "binom" {
		if r, err := e.rational(n); err == nil {
			return realNumber(fromRat(r)), nil
		}
	}
	args := make([]number, len(n.args))
	for j, a := range n.args {
		var err error
		if args[j], err = e.operand(a); err != nil {
			return number{}, err
		}
	}
	if len(args) > 0 && (n.args[len(args)-1].kind == kSeq || n.args[len(args)-1].kind == kRelation) {
		return e.named(n.name, args), nil
	}
	if len(args) == 1 {
		if v, known, err := e.elementary(n, args[0]); known {
			return v, err
		}
	}
	if n.name == "logbase" && len(args) == 2 {
		e.mark(args[0], n.args[0])
		e.mark(args[1], n.args[1])
		a, err := args[1].ln()
		if err != nil {
			return a, err
		}
		b, err := args[0].ln()
		if err != nil {
			return b, err
		}
		return a.quo(b)
	}
	return e.named(n.name, args), nil
}

// operand evaluates an argument; a list, a relation or words become a number that follows from what is in them.
func (e *env) operand(n *node) (number, error) {
	switch n.kind {
	case kSeq, kRelation, kRatio, kUnion:
		args := make([]number, len(n.args))
		for j, a := range n.args {
			var err error
			if args[j], err = e.operand(a); err != nil {
				return number{}, err
			}
		}
		name := string(n.open) + string(n.close)
		for _, o := range n.ops {
			name += o
		}
		return e.named("list "+name, args), nil
	case kConst:
		if n.name == "inf" {
			return e.named("infinity", nil), nil
		}
	case kNeg:
		if n.args[0].kind == kConst && n.args[0].name == "inf" {
			return e.named("minus infinity", nil), nil
		}
	}
	return e.value(n)
}

// named gives a number between 1 and 2 that follows from a name and numbers.
func (e *env) named(name string, args []number) number {
	h := fnv.New64a()
	h.Write([]byte(name))
	for _, a := range args {
		if a.isReal() {
			a.im = newFloat()
		}
		for _, x := range [...]*big.Float{a.re, a.im} {
			if tiny(x, -200) {
				x = newFloat()
			}
			h.Write([]byte(x.Text('e', 40)))
			h.Write([]byte{0})
		}
	}
	return realNumber(fromRat(new(big.Rat).SetFrac(
		new(big.Int).Add(new(big.Int).SetUint64(h.Sum64()), new(big.Int).Lsh(big.NewInt(1), 64)), new(big.Int).Lsh(big.NewInt(1), 64))))
}
