package mathanswer

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// power reads a primary with its scripts and the marks after it.
func (p *parser) power() (*node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	n, err := p.primary()
	if err != nil {
		return nil, err
	}
	for marks := 0; ; marks++ {
		if marks > maxDepth {
			return nil, errDeep
		}
		switch {
		case p.accept("^"):
			if n, err = p.superscript(n); err != nil {
				return nil, err
			}
		case p.accept("_"):
			if n, err = p.subscript(n); err != nil {
				return nil, err
			}
		case p.accept("!"):
			n = &node{kind: kCall, name: "factorial", args: []*node{n}}
		case p.accept("%"):
			n = &node{kind: kPercent, args: []*node{n}}
		case p.accept("°"):
			n = &node{kind: kUnit, name: "degree", args: []*node{n}}
		case p.accept("'"):
			n = named(n, "'")
		default:
			return n, nil
		}
	}
}

// named adds a mark to a variable's name; of anything else it is a function.
func named(n *node, mark string) *node {
	if n.kind == kSym || n.kind == kConst {
		return &node{kind: kSym, name: n.name + mark}
	}
	return &node{kind: kCall, name: mark, args: []*node{n}}
}

func (p *parser) superscript(base *node) (*node, error) {
	t := p.peek()
	if t.kind == tLetter && t.text == "circ" {
		p.i++
		return &node{kind: kUnit, name: "degree", args: []*node{base}}, nil
	}
	if t.kind == tLetter && t.text == "prime" || p.is("'") {
		p.i++
		return named(base, "'"), nil
	}
	n, err := p.script()
	switch {
	case err != nil:
		return nil, err
	case n == nil:
		return base, nil
	case n.kind == kSym && n.name == "circ":
		return &node{kind: kUnit, name: "degree", args: []*node{base}}, nil
	case n.kind == kText || isOrdinal(n): // 5^{th}
		return base, nil
	case n.kind == kSym && (n.name == "'" || n.name == "*"):
		return named(base, n.name), nil
	}
	return &node{kind: kPower, args: []*node{base, n}}, nil
}

// isOrdinal says whether a superscript is th, st, nd or rd.
func isOrdinal(n *node) bool {
	if n.kind != kProduct || len(n.args) != 2 || n.args[0].kind != kSym || n.args[1].kind != kSym {
		return false
	}
	switch n.args[0].name + n.args[1].name {
	case "th", "st", "nd", "rd":
		return true
	}
	return false
}

// script reads {…}, or one factor with its sign.
func (p *parser) script() (*node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if p.is("*") {
		p.i++
		return &node{kind: kSym, name: "*"}, nil
	}
	if p.accept("{") {
		if p.is("'") || p.is("°") || p.is("*") || p.is("+") || p.is("-") { // a mark, unless an expression follows
			mark := p.peek().text
			j := p.i + 1
			for mark == "'" && j < len(p.t) && p.t[j].kind == tOp && p.t[j].text == "'" {
				j++
			}
			if p.t[j].kind == tOp && p.t[j].text == "}" {
				p.i = j + 1
				return &node{kind: kSym, name: mark}, nil
			}
		}
		n, err := p.list()
		if err != nil {
			return nil, err
		}
		if !p.accept("}") {
			return nil, errors.New("has a { that is not closed")
		}
		return n, nil
	}
	negative := false
	for p.is("-", "+") {
		negative = negative != p.is("-")
		p.i++
	}
	n, err := p.primary()
	if err == nil && p.is("^") && negative {
		p.i++
		n, err = p.superscript(n)
	}
	if err == nil && negative {
		n = &node{kind: kNeg, args: []*node{n}}
	}
	return n, err
}

// subscript makes a base of a number, and a longer name of a variable.
func (p *parser) subscript(base *node) (*node, error) {
	start := p.i
	n, err := p.script()
	if err != nil {
		return nil, err
	}
	switch {
	case base.kind == kNum && n != nil && n.kind == kNum && n.num.IsInt() && base.decimals < 0 && base.num.IsInt():
		return &node{kind: kBased, name: p.t[start-2].text, num: n.num}, nil
	case base.kind == kNum && n != nil && (n.kind == kText || n.kind == kProduct): // 21_{\text{three}}
		return base, nil
	}
	var name strings.Builder
	for _, t := range p.t[start:p.i] {
		if t.text != "{" && t.text != "}" {
			name.WriteString(t.text)
		}
		if name.Len() > 200 {
			return nil, errSize
		}
	}
	if base.kind == kSym || base.kind == kConst || base.kind == kText {
		return &node{kind: kSym, name: base.name + "_" + name.String()}, nil
	}
	return &node{kind: kCall, name: "_" + name.String(), args: []*node{base}}, nil
}

// braced reads an argument of a command: {…} or one token, a digit of a number for itself.
func (p *parser) braced(oneDigit bool) (*node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if p.accept("{") {
		n, err := p.list()
		switch {
		case err != nil:
			return nil, err
		case n == nil:
			return nil, errors.New("has an empty {}")
		case !p.accept("}"):
			return nil, errors.New("has a { that is not closed")
		}
		return n, nil
	}
	if t := p.peek(); oneDigit && t.kind == tNum && len(t.text) > 1 && t.decimals < 0 {
		first, rest := t.text[:1], t.text[1:]
		r, ok := new(big.Rat).SetString(rest)
		if !ok || !isDigit(first[0]) {
			return nil, fmt.Errorf("has %q after a command", t.text)
		}
		t.text, t.num = rest, r
		return integer(int64(first[0] - '0')), nil
	}
	if p.is("-") {
		p.i++
		n, err := p.primary()
		return &node{kind: kNeg, args: []*node{n}}, err
	}
	return p.primary()
}

var closers = map[string]string{"(": ")", "[": "]", "{": "}", "\\{": "\\}", "<(": ")>", "⌊": "⌋", "⌈": "⌉", "|": "|"}

func (p *parser) primary() (*node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	t := *p.peek()
	if t.kind != tEnd && t.kind != tClose {
		p.i++
	}
	switch t.kind {
	case tNum:
		return &node{kind: kNum, num: t.num, decimals: t.decimals}, nil
	case tLetter:
		return &node{kind: kSym, name: t.text}, nil
	case tConst:
		return &node{kind: kConst, name: t.text}, nil
	case tText:
		words := []string{t.text}
		for p.peek().kind == tText {
			words = append(words, p.peek().text)
			p.i++
		}
		return &node{kind: kText, name: strings.Join(words, " ")}, nil
	case tFunc:
		return p.function(t)
	case tOpaque:
		return p.opaque(t)
	case tDecor:
		n, err := p.braced(true)
		if err != nil {
			return nil, err
		}
		return n, nil
	case tCommand:
		a, err := p.braced(true)
		if err != nil {
			return nil, err
		}
		b, err := p.braced(true)
		if err != nil {
			return nil, err
		}
		if t.text == "binom" {
			return quotientOr("choose", a, b), nil
		}
		return quotientOr(t.text, a, b), nil
	case tBegin:
		return p.matrix(t.text)
	case tOp:
		if closers[t.text] != "" {
			return p.bracket(t.text)
		}
	}
	if t.kind == tEnd {
		return nil, errors.New("ends too early")
	}
	return nil, fmt.Errorf("has %q in an unexpected place", t.text)
}

// bracket reads what stands between brackets of any kind.
func (p *parser) bracket(open string) (*node, error) {
	bars := p.bars
	p.bars = 0
	if open == "|" {
		p.bars = 1
	}
	n, err := p.list()
	p.bars = bars
	if err != nil {
		return nil, err
	}
	if open == "\\{" || open == "{" {
		if n, err = p.condition(n); err != nil {
			return nil, err
		}
	}
	if open == "(" && n != nil && p.accept("|") { // P(A | B)
		given, err := p.list()
		if err != nil {
			return nil, err
		}
		if given != nil {
			n = &node{kind: kSeq, args: []*node{n, {kind: kText, name: "given"}, given}}
		}
	}
	end := p.peek()
	if open == "\\{" && n != nil && n.kind == kMatrix && (end.kind == tEnd || end.text == ",") { // \left\{ … \right.
		return n, nil
	}
	if end.kind != tOp {
		return nil, fmt.Errorf("has a %s that is not closed", open)
	}
	want := closers[open]
	half := (open == "(" || open == "[") && (end.text == ")" || end.text == "]")
	if end.text != want && !half {
		return nil, fmt.Errorf("has %q where %q should close", end.text, want)
	}
	p.i++
	switch open {
	case "|":
		if n == nil {
			return nil, errors.New("has an empty ||")
		}
		return &node{kind: kCall, name: "abs", args: []*node{n}}, nil
	case "⌊", "⌈":
		if n == nil {
			return nil, errors.New("has empty brackets")
		}
		return &node{kind: kCall, name: map[string]string{"⌊": "floor", "⌈": "ceil"}[open], args: []*node{n}}, nil
	case "\\{", "{":
		return braces(open, n)
	}
	return round(open, end.text, n)
}

// condition reads {x | x > 2} and {x : x > 2}: the set is what the condition says. Such a relation is marked by paren.
func (p *parser) condition(n *node) (*node, error) {
	if p.accept("|") {
		n, err := p.list()
		if n != nil {
			n.paren = true
		}
		return n, err
	}
	if n != nil && n.kind == kRelation && n.args[0].kind == kRatio && len(n.args[0].args) == 2 && n.args[0].args[0].kind == kSym {
		n.args[0] = n.args[0].args[1]
		n.paren = true
	}
	return n, nil
}

func braces(open string, n *node) (*node, error) {
	switch {
	case n == nil && open == "{":
		return nil, errors.New("has an empty {}")
	case n == nil:
		return &node{kind: kSeq, open: '{', close: '}'}, nil
	case n.kind == kRelation && n.paren:
		return n, nil
	case n.kind == kSeq && n.open == 0:
		return &node{kind: kSeq, open: '{', close: '}', args: n.args}, nil
	case open == "{":
		return n, nil
	}
	return &node{kind: kSeq, open: '{', close: '}', args: []*node{n}}, nil
}

func round(open, end string, n *node) (*node, error) {
	switch {
	case n == nil:
		return nil, errors.New("has empty brackets")
	case n.kind == kSeq && n.open == 0:
		o, c := open[0], end[0]
		if open == "<(" {
			o, c = '(', ')'
		}
		return &node{kind: kSeq, open: o, close: c, args: n.args}, nil
	case open == "(" && end == ")":
		n.paren = true
	}
	return n, nil
}
