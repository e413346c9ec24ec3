package mathanswer

import (
	"errors"
	"fmt"
)

// parser reads tokens by recursive descent:
//
//	list     = relation {"," relation}
//	relation = union {("=" | "<" | "in" | …) union}
//	union    = ratio {("cup" | "cap" | "minus") ratio}
//	ratio    = sum {":" sum}
//	sum      = ["+" | "-" | "±"] product {("+" | "-" | "±") product}
//	product  = power {("*" | "/" | nothing) power}
//	power    = primary {"^" script | "_" script | "!" | "%" | "°" | "'"}
type parser struct {
	t     []token
	i     int
	depth int
	bars  int // open |…|
	work  *work
}

// parse reads an answer in one reading of its commas.
func parse(s string, read reading, w *work) (*node, error) {
	t, err := lex(s, read, w)
	if err != nil {
		return nil, err
	}
	p := &parser{t: t, work: w}
	// What stands before the last ⇒ led to the answer.
	for j := len(t) - 2; j > 0; j-- {
		if t[j].kind == tOp && t[j].text == "=>" && j < len(t)-2 {
			p.t = t[j+1:]
			break
		}
	}
	if p.is("=", "~") && len(p.t) > 2 { // what it is equal to has been left out
		p.i++
	}
	n, err := p.list()
	if err != nil {
		return nil, err
	}
	if p.peek().kind != tEnd {
		return nil, fmt.Errorf("has %q where it should end", p.peek().text)
	}
	if n == nil {
		return nil, errEmpty
	}
	return n, nil
}

func (p *parser) peek() *token { return &p.t[p.i] }

// is says whether the next token is one of the operators.
func (p *parser) is(ops ...string) bool {
	t := p.peek()
	if t.kind != tOp {
		return false
	}
	for _, o := range ops {
		if t.text == o {
			return true
		}
	}
	return false
}

func (p *parser) accept(op string) bool {
	if p.is(op) {
		p.i++
		return true
	}
	return false
}

func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return errDeep
	}
	return p.work.spend(1)
}

// list reads what commas separate; empty members are left out. It is nil where there is nothing.
func (p *parser) list() (*node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	var out []*node
	for {
		for p.accept(",") {
		}
		if p.closes() {
			break
		}
		n, err := p.relation()
		if err != nil {
			return nil, err
		}
		if out = append(out, n); len(out) > maxElements {
			return nil, errSize
		}
		if !p.is(",") {
			break
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return list(out), nil
}

// closes says whether what is being read ends here.
func (p *parser) closes() bool {
	t := p.peek()
	switch t.kind {
	case tEnd, tClose:
		return true
	case tOp:
		switch t.text {
		case ")", "]", "}", "\\}", ")>", "⌋", "⌉", "&", "\\\\":
			return true
		case "|":
			return p.bars > 0
		}
	}
	return false
}

func (p *parser) relation() (*node, error) {
	first, err := p.union()
	if err != nil {
		return nil, err
	}
	n := &node{kind: kRelation, args: []*node{first}}
	for p.is("=", "<", ">", "<=", ">=", "!=", "~", "in") {
		op := p.peek().text
		p.i++
		p.accept("&") // of aligned equations
		next, err := p.union()
		if err != nil {
			return nil, err
		}
		if op == "~" {
			if len(n.ops) > 0 || !first.nameLike() { // x = 1/3 ≈ 0.3: the value before is the exact one
				continue
			}
			op = "="
		}
		n.ops, n.args = append(n.ops, op), append(n.args, next)
	}
	if len(n.ops) == 0 {
		return first, nil
	}
	return n, nil
}

func (p *parser) union() (*node, error) {
	left, err := p.ratio()
	for err == nil && p.is("cup", "cap", "minus") {
		op := p.peek().text
		p.i++
		var right *node
		if right, err = p.ratio(); err == nil {
			left = &node{kind: kUnion, ops: []string{op}, args: []*node{left, right}}
			err = p.work.spend(1)
		}
		if right != nil {
			p.depth++ // a chain is as deep as it is long
			if p.depth > maxDepth {
				err = errDeep
			}
			defer func() { p.depth-- }()
		}
	}
	return left, err
}

func (p *parser) ratio() (*node, error) {
	start := p.i
	first, err := p.sum()
	if err != nil || !p.is(":") {
		return first, err
	}
	n := &node{kind: kRatio, args: []*node{first}}
	for p.accept(":") {
		next, err := p.sum()
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, next)
	}
	n.maybe = p.clock(start, n)
	return n, nil
}

// clock says whether a ratio is written as a time of day: one or two digits, a colon, two digits.
func (p *parser) clock(start int, n *node) bool {
	for j, a := range n.args {
		if a.kind == kUnit {
			a = a.args[0]
		}
		t := p.t[start+2*j]
		if a.kind != kNum || t.kind != tNum || len(t.text) > 2 || j > 0 && len(t.text) != 2 {
			return false
		}
	}
	return true
}

func (p *parser) sum() (*node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	var terms []*node
	for {
		sign := ""
		for p.is("+", "-", "±", "∓") { // signs before a term: one of them is the operator
			next := p.peek().text
			p.i++
			if err := p.work.spend(1); err != nil {
				return nil, err
			}
			switch {
			case next == "+":
			case sign == "-" && next == "-":
				sign = ""
			case sign == "±" || sign == "∓":
				return nil, errors.New("has a sign after ±")
			default:
				sign = next
			}
		}
		t, err := p.product()
		if err != nil {
			return nil, err
		}
		switch sign {
		case "-":
			t = &node{kind: kNeg, args: []*node{t}}
		case "±", "∓":
			t = &node{kind: kPlusMinus, name: sign, args: []*node{t}}
		}
		terms = append(terms, t)
		if !p.is("+", "-", "±", "∓") {
			break
		}
	}
	if len(terms) == 1 {
		return terms[0], nil
	}
	return &node{kind: kSum, args: terms}, nil
}
