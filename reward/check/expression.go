package check

import (
	"math/big"
	"strings"
)

// maxDepth bounds the nesting of an expression.
const maxDepth = 50

// expression is an arithmetic expression under evaluation: whole numbers, + - * /, signs, parentheses and \frac{a}{b}, with exact fractions.
//
//	sum     = product { ("+" | "-") product }
//	product = factor { ("*" | "/") factor }
//	factor  = ("+" | "-") factor | number | "(" sum ")" | "\frac{" sum "}{" sum "}"
type expression struct {
	rest   string
	depth  int
	limit  int      // how many numbers there may be
	used   []string // the numbers, in order
	failed bool
}

// evaluate gives the value of an expression of at most limit numbers, and the numbers in it.
func evaluate(s string, limit int) (value *big.Rat, used []string, ok bool) {
	e := &expression{rest: strings.ReplaceAll(s, " ", ""), limit: limit}
	value = e.sum()
	if e.failed || e.rest != "" {
		return nil, nil, false
	}
	return value, e.used, true
}

func (e *expression) fail() *big.Rat { e.failed = true; return new(big.Rat) }

// take removes the given text from the front.
func (e *expression) take(s string) bool {
	rest, ok := strings.CutPrefix(e.rest, s)
	if ok {
		e.rest = rest
	}
	return ok && !e.failed
}

func (e *expression) sum() *big.Rat {
	v := e.product()
	for {
		switch {
		case e.take("+"):
			v = new(big.Rat).Add(v, e.product())
		case e.take("-"):
			v = new(big.Rat).Sub(v, e.product())
		default:
			return v
		}
	}
}

func (e *expression) product() *big.Rat {
	v := e.factor()
	for {
		switch {
		case e.take("*"):
			v = new(big.Rat).Mul(v, e.factor())
		case e.take("/"):
			v = e.quotient(v, e.factor())
		default:
			return v
		}
	}
}

func (e *expression) quotient(a, b *big.Rat) *big.Rat {
	if e.failed || b.Sign() == 0 {
		return e.fail()
	}
	return new(big.Rat).Quo(a, b)
}

func (e *expression) factor() *big.Rat {
	if e.depth++; e.depth > maxDepth || e.failed {
		return e.fail()
	}
	defer func() { e.depth-- }()
	switch {
	case e.take("-"):
		return new(big.Rat).Neg(e.factor())
	case e.take("+"):
		return e.factor()
	case e.take("("):
		return e.closed(")")
	case e.take("["):
		return e.closed("]")
	case e.take("{"):
		return e.closed("}")
	case e.take(`\frac{`):
		top := e.closed("}")
		if !e.take("{") {
			return e.fail()
		}
		return e.quotient(top, e.closed("}"))
	}
	return e.literal()
}

func (e *expression) closed(end string) *big.Rat {
	v := e.sum()
	if !e.take(end) {
		return e.fail()
	}
	return v
}

func (e *expression) literal() *big.Rat {
	digits := len(e.rest) - len(strings.TrimLeft(e.rest, "0123456789"))
	if digits == 0 || digits > 12 || len(e.used) == e.limit {
		return e.fail()
	}
	v, _ := new(big.Rat).SetString(e.rest[:digits])
	e.used = append(e.used, v.RatString())
	e.rest = e.rest[digits:]
	return v
}
