package mathanswer

import (
	"fmt"
	"math/big"
	"strings"
)

// product reads factors with or without an operator between them, and the unit after them.
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
		case t.kind == tNum && t.space && p.t[p.i-1].kind == tNum && (p.t[p.i+1].kind != tOp || p.t[p.i+1].text != "^"):
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
		var ok bool
		if a, b, ok = literalFraction(t[1:]); !ok {
			return false
		}
	case len(t) > 2 && t[0].kind == tNum && t[0].space && t[1].kind == tOp && t[1].text == "/" && t[2].kind == tNum:
		a, b = t[0].num, t[2].num
	default:
		return false
	}
	return a.IsInt() && b.IsInt() && a.Sign() > 0 && a.Cmp(b) < 0
}

// literalFraction looks ahead at the arguments of \frac, if both are numbers: {5}{8}, 58, 5{8}.
func literalFraction(t []token) (a, b *big.Rat, ok bool) {
	argument := func() *big.Rat {
		switch {
		case len(t) > 2 && t[0].kind == tOp && t[0].text == "{" && t[1].kind == tNum && t[2].kind == tOp && t[2].text == "}":
			r := t[1].num
			t = t[3:]
			return r
		case len(t) > 0 && t[0].kind == tNum && len(t[0].text) == 1:
			r := t[0].num
			t = t[1:]
			return r
		}
		return nil
	}
	if len(t) > 0 && t[0].kind == tNum && len(t[0].text) == 2 {
		text := t[0].text
		return big.NewRat(int64(text[0]-'0'), 1), big.NewRat(int64(text[1]-'0'), 1), true
	}
	if a = argument(); a != nil {
		b = argument()
	}
	return a, b, b != nil
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
