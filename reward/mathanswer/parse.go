package mathanswer

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
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
		if p.accept("&") { // aligned equations
		}
		if op == "~" { // what follows is approximate
			if _, err := p.union(); err != nil {
				return nil, err
			}
			continue
		}
		next, err := p.union()
		if err != nil {
			return nil, err
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

func (p *parser) product() (*node, error) {
	first, err := p.power()
	if err != nil {
		return nil, err
	}
	factors := []*node{first}
	for {
		if err := p.work.spend(1); err != nil {
			return nil, err
		}
		t := p.peek()
		last := factors[len(factors)-1]
		switch {
		case p.accept("*"):
			next, err := p.signed()
			if err != nil {
				return nil, err
			}
			factors = append(factors, next)
		case p.accept("/"):
			next, err := p.signed()
			if err != nil {
				return nil, err
			}
			left := product(factors)
			if u := left; u.kind == kUnit && next.kind == kText { // km/h
				factors = []*node{{kind: kUnit, name: u.name + "/" + next.name, args: u.args}}
				continue
			}
			factors = []*node{{kind: kQuotient, args: []*node{left, next}}}
			if p.depth++; p.depth > maxDepth {
				return nil, errDeep
			}
			defer func() { p.depth-- }()
		case p.accept("mod"):
			next, err := p.power()
			if err != nil {
				return nil, err
			}
			return &node{kind: kCall, name: "mod", args: []*node{product(factors), next}}, nil
		case t.kind == tCommand && t.text == "over" || t.kind == tCommand && t.text == "choose":
			p.i++
			next, err := p.product()
			if err != nil {
				return nil, err
			}
			return quotientOr(t.text, product(factors), next), nil
		case t.kind == tText:
			u, err := p.unit(product(factors))
			if err != nil {
				return nil, err
			}
			factors = []*node{u}
		case p.mixed(last, len(factors)):
			next, err := p.fraction()
			if err != nil {
				return nil, err
			}
			factors[len(factors)-1] = &node{kind: kSum, args: []*node{last, next}}
		case t.kind == tNum && t.space && p.t[p.i-1].kind == tNum:
			return nil, fmt.Errorf("has two numbers side by side, %s and %s", p.t[p.i-1].text, t.text)
		case p.startsFactor():
			if u := p.letterUnit(first, factors); u != nil {
				factors = []*node{u}
				continue
			}
			next, err := p.power()
			if err != nil {
				return nil, err
			}
			if next.kind == kText { // 8{inches}
				factors = []*node{{kind: kUnit, name: next.name, args: []*node{product(factors)}}}
				continue
			}
			factors = append(factors, next)
		default:
			return product(factors), nil
		}
	}
}

func quotientOr(op string, a, b *node) *node {
	if op == "choose" {
		return &node{kind: kCall, name: "binom", args: []*node{a, b}}
	}
	return &node{kind: kQuotient, args: []*node{a, b}}
}

func product(factors []*node) *node {
	if len(factors) == 1 {
		return factors[0]
	}
	return &node{kind: kProduct, args: factors}
}

// signed reads a factor that may have signs before it, as after * and /.
func (p *parser) signed() (*node, error) {
	negative := false
	for p.is("-", "+") {
		negative = negative != p.is("-")
		p.i++
	}
	n, err := p.power()
	if err == nil && negative {
		n = &node{kind: kNeg, args: []*node{n}}
	}
	return n, err
}

// startsFactor says whether a factor follows without an operator.
func (p *parser) startsFactor() bool {
	t := p.peek()
	switch t.kind {
	case tNum, tLetter, tConst, tFunc, tOpaque, tBegin, tCommand, tDecor:
		return true
	case tOp:
		switch t.text {
		case "(", "[", "{", "\\{", "<(", "⌊", "⌈":
			return true
		case "|":
			return p.bars == 0 && p.barAhead()
		}
	}
	return false
}

// barAhead says whether another | follows at this level, so that this one can open an absolute value.
func (p *parser) barAhead() bool {
	depth := 0
	for j := p.i + 1; j < len(p.t) && j < p.i+200; j++ {
		if p.t[j].kind != tOp {
			continue
		}
		switch p.t[j].text {
		case "(", "[", "{", "\\{", "<(":
			depth++
		case ")", "]", "}", "\\}", ")>":
			if depth--; depth < 0 {
				return false
			}
		case "|":
			if depth == 0 {
				return true
			}
		}
	}
	return false
}

// mixed says whether a proper fraction of whole numbers follows a whole number: 2\frac{5}{6}, 2 5/6.
func (p *parser) mixed(last *node, factors int) bool {
	if last.kind != kNum || last.decimals >= 0 || !last.num.IsInt() || last.paren || factors > 1 || p.t[p.i-1].kind != tNum {
		return false
	}
	t := p.t[p.i:]
	var a, b *big.Rat
	switch {
	case t[0].kind == tCommand && t[0].text == "frac":
		save := p.i
		n, err := p.fraction()
		p.i = save
		if err != nil || n.kind != kQuotient || n.args[0].kind != kNum || n.args[1].kind != kNum {
			return false
		}
		a, b = n.args[0].num, n.args[1].num
	case len(t) > 2 && t[0].kind == tNum && t[0].space && t[1].kind == tOp && t[1].text == "/" && t[2].kind == tNum:
		a, b = t[0].num, t[2].num
	default:
		return false
	}
	return a.IsInt() && b.IsInt() && a.Sign() > 0 && a.Cmp(b) < 0
}

// fraction reads the fraction of a mixed number.
func (p *parser) fraction() (*node, error) {
	if p.peek().kind == tCommand {
		return p.primary()
	}
	a, err := p.primary()
	if err != nil {
		return nil, err
	}
	p.i++ // the slash
	b, err := p.primary()
	if err != nil {
		return nil, err
	}
	return &node{kind: kQuotient, args: []*node{a, b}}, nil
}

// unit reads the words after a quantity: "cm^2", "square feet", "apples".
func (p *parser) unit(of *node) (*node, error) {
	var name []string
	for p.peek().kind == tText {
		name = append(name, p.peek().text)
		p.i++
	}
	word := strings.Join(name, " ")
	if p.is("^") {
		p.i++
		n, err := p.script()
		if err != nil {
			return nil, err
		}
		if n != nil && n.kind == kNum {
			word += "^" + n.num.RatString()
		}
	}
	if of.kind == kUnit {
		of, word = of.args[0], of.name+" "+word
	}
	return &node{kind: kUnit, name: word, args: []*node{of}}, nil
}

// letterUnit reads a lone letter after a number and a blank that can be a unit: 10 m.
func (p *parser) letterUnit(first *node, factors []*node) *node {
	t := p.peek()
	if len(factors) > 1 || t.kind != tLetter || !t.space || len(t.text) != 1 || !strings.Contains("msghLlNJWVAKCF", t.text) || first.kind != kNum && first.kind != kQuotient || p.i+1 >= len(p.t) {
		return nil
	}
	if next := p.t[p.i+1]; next.kind != tEnd && (next.kind != tOp || !strings.Contains(", ) ] }", next.text)) {
		return nil
	}
	p.i++
	return &node{kind: kUnit, name: t.text, args: []*node{first}, maybe: true}
}
