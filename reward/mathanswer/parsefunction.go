package mathanswer

import (
	"errors"
)

// function reads the argument of a function: brackets, or the product that follows.
func (p *parser) function(t token) (*node, error) {
	n := &node{kind: kCall, name: t.text}
	if t.text == "sqrt" {
		return p.root(t)
	}
	var exponent *node
	inverse := false
	for p.is("^", "_") {
		script := p.peek().text
		p.i++
		s, err := p.script()
		switch {
		case err != nil:
			return nil, err
		case s == nil:
		case script == "_":
			n.args = append(n.args, s) // the base of a logarithm
			if n.name != "log" {
				return nil, errors.New("has a subscript at a function")
			}
			n.name = "logbase"
		case s.kind == kNeg && s.args[0].kind == kNum && s.args[0].num.IsInt() && s.args[0].num.Num().IsInt64() && s.args[0].num.Num().Int64() == 1:
			inverse = true
		default:
			exponent = s
		}
	}
	arg, err := p.functionArgument()
	if err != nil {
		return nil, err
	}
	n.args = append(n.args, arg)
	if inverse {
		switch n.name {
		case "sin", "cos", "tan", "cot":
			n.name = "arc" + n.name
		default:
			n.name = "inverse " + n.name
		}
	}
	if exponent != nil {
		return &node{kind: kPower, args: []*node{n, exponent}}, nil
	}
	return n, nil
}

// functionArgument reads (x), {x}, |x|, or factors up to the next function or sign: \sin 2x \cos x is a product of two.
func (p *parser) functionArgument() (*node, error) {
	if p.is("(", "[", "{", "|") {
		return p.primary()
	}
	if p.is("-") {
		p.i++
		n, err := p.functionArgument()
		return &node{kind: kNeg, args: []*node{n}}, err
	}
	n, err := p.power()
	if err != nil {
		return nil, err
	}
	factors := []*node{n}
	for len(factors) < maxElements {
		t := p.peek()
		switch {
		case t.kind == tNum, t.kind == tLetter, t.kind == tConst, t.kind == tCommand, t.kind == tOp && t.text == "{":
		case t.kind == tOp && t.text == "/" && len(factors) == 1 && p.t[p.i+1].kind == tNum: // sin pi/6
			p.i++
			d, err := p.power()
			if err != nil {
				return nil, err
			}
			factors = []*node{{kind: kQuotient, args: []*node{factors[0], d}}}
			continue
		default:
			return product(factors), nil
		}
		next, err := p.power()
		if err != nil {
			return nil, err
		}
		factors = append(factors, next)
	}
	return nil, errSize
}

// root reads \sqrt[n]{x}, sqrt(x), √3.
func (p *parser) root(t token) (*node, error) {
	index := integer(2)
	if t.latex && p.accept("[") {
		n, err := p.list()
		switch {
		case err != nil:
			return nil, err
		case n == nil || !p.accept("]"):
			return nil, errors.New(`has a \sqrt[ that is not closed`)
		}
		index = n
	}
	arg, err := p.braced(false)
	if err != nil {
		return nil, err
	}
	if arg.kind == kSeq {
		return nil, errors.New("has the root of a list")
	}
	return &node{kind: kPower, name: "root", args: []*node{arg, {kind: kQuotient, args: []*node{integer(1), index}}}}, nil
}

// opaque reads a function that is nothing but its name, with its scripts: \sum_{k=0}^{n} a_k, \gcd(a, b).
func (p *parser) opaque(t token) (*node, error) {
	n := &node{kind: kCall, name: t.text}
	for p.is("^", "_") {
		mark := p.peek().text
		p.i++
		s, err := p.script()
		if err != nil {
			return nil, err
		}
		if s != nil {
			n.name += mark
			n.args = append(n.args, s)
		}
	}
	if bigOperators[t.text] {
		body, err := p.product()
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, body)
		return n, nil
	}
	if p.is("(", "{", "[") {
		arg, err := p.primary()
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, arg)
	}
	return n, nil
}

// matrix reads the rows of an environment up to its end.
func (p *parser) matrix(name string) (*node, error) {
	n := &node{kind: kMatrix, name: name}
	row := 0
	for {
		cell, err := p.list()
		if err != nil {
			return nil, err
		}
		end := p.peek().kind == tClose || p.is("\\\\")
		if cell == nil && row == 0 && end {
			// an empty line
		} else {
			if cell == nil {
				return nil, errors.New("has an empty cell")
			}
			n.args = append(n.args, cell)
			row++
		}
		if len(n.args) > maxCells {
			return nil, errSize
		}
		switch {
		case p.accept("&"):
			continue
		case end:
			closing := p.peek().kind == tClose
			p.i++
			if row > 0 {
				if n.cols != 0 && n.cols != row {
					return nil, errors.New("has rows of different lengths")
				}
				n.cols = row
			}
			row = 0
			if closing {
				if n.cols == 0 {
					return nil, errors.New("has an empty matrix")
				}
				return n, nil
			}
		default:
			return nil, errors.New("has a matrix that does not end")
		}
	}
}
