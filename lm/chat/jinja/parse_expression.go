package jinja

import (
	"slices"
	"strconv"
)

func (p *parser) expression() expr {
	defer p.enter()()
	yes := p.or()
	for p.takeName("if") {
		e := condExpr{cond: p.or(), yes: yes}
		if p.takeName("else") {
			e.no = p.expression()
		}
		yes = e
	}
	return yes
}

// tuple reads an expression, or several with commas between. Without conditionals "if" ends it.
func (p *parser) tuple(conditionals bool) expr {
	one := p.expression
	if !conditionals {
		one = p.or
	}
	first := one()
	if !p.is(opToken, ",") {
		return first
	}
	items := []expr{first}
	for p.takeOp(",") {
		if t := p.now(); t.kind == variableEnd || t.kind == blockEnd || p.is(opToken, ")") || p.isName("recursive") {
			break
		}
		items = append(items, one())
	}
	return listExpr{items, true}
}

func (p *parser) or() expr {
	left := p.and()
	for p.isName("or") {
		line := p.next().line
		left = binaryExpr{line, "or", left, p.and()}
	}
	return left
}

func (p *parser) and() expr {
	left := p.not()
	for p.isName("and") {
		line := p.next().line
		left = binaryExpr{line, "and", left, p.not()}
	}
	return left
}

func (p *parser) not() expr {
	if p.isName("not") {
		defer p.enter()()
		line := p.next().line
		return unaryExpr{line, "not", p.not()}
	}
	return p.compare()
}

func (p *parser) compare() expr {
	e := compareExpr{line: p.now().line, first: p.sum()}
	for {
		t := p.now()
		switch {
		case t.kind == opToken && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, t.text), p.isName("in"):
			p.next()
			e.ops = append(e.ops, t.text)
		case p.isName("not") && p.tokens[p.at+1].kind == nameToken && p.tokens[p.at+1].text == "in":
			p.at += 2
			e.ops = append(e.ops, "not in")
		default:
			if len(e.ops) == 0 {
				return e.first
			}
			return e
		}
		e.rest = append(e.rest, p.sum())
	}
}

// leftToRight reads operators of one precedence.
func (p *parser) leftToRight(below func() expr, ops ...string) expr {
	left := below()
	for p.now().kind == opToken && slices.Contains(ops, p.now().text) {
		t := p.next()
		left = binaryExpr{t.line, t.text, left, below()}
	}
	return left
}

func (p *parser) sum() expr     { return p.leftToRight(p.concat, "+", "-") }
func (p *parser) concat() expr  { return p.leftToRight(p.product, "~") }
func (p *parser) product() expr { return p.leftToRight(p.power, "*", "/", "//", "%") }
func (p *parser) power() expr   { return p.leftToRight(func() expr { return p.unary(true) }, "**") }

func (p *parser) unary(withFilter bool) expr {
	var e expr
	if t := p.now(); t.kind == opToken && (t.text == "-" || t.text == "+") {
		defer p.enter()()
		p.next()
		e = unaryExpr{t.line, t.text, p.unary(false)}
	} else {
		e = p.primary()
	}
	e = p.postfix(e)
	for withFilter {
		switch {
		case p.takeOp("|"):
			e = filterExpr{e, p.filter()}
		case p.isName("is"):
			e = p.test(e)
		case p.is(opToken, "("):
			e = p.postfix(e)
		default:
			return e
		}
	}
	return e
}

func (p *parser) test(e expr) expr {
	t := testExpr{line: p.next().line, e: e}
	t.not = p.takeName("not")
	name := p.next()
	if name.kind != nameToken || tests[name.text] == nil {
		fail(name.line, "the test %s is not supported", name)
	}
	t.name = name.text
	if p.takeOp("(") {
		a := p.arguments()
		if len(a.names)+len(a.spread)+len(a.spreads) > 0 {
			fail(t.line, "the test %q takes plain arguments", t.name)
		}
		t.args = a.args
		return t
	}
	switch n := p.now(); {
	case n.kind == nameToken && !slices.Contains([]string{"else", "or", "and", "if", "is", "in", "not", "recursive"}, n.text),
		n.kind == stringToken, n.kind == intToken, n.kind == floatToken, p.is(opToken, "["), p.is(opToken, "{"):
		t.args = []expr{p.postfix(p.primary())}
	}
	return t
}

func (p *parser) primary() expr {
	t := p.next()
	switch {
	case t.kind == nameToken:
		switch t.text {
		case "true", "True":
			return literal{true}
		case "false", "False":
			return literal{false}
		case "none", "None":
			return literal{nil}
		}
		return nameExpr{t.line, t.text}
	case t.kind == stringToken:
		text := t.text
		for p.now().kind == stringToken {
			text += p.next().text
		}
		return literal{text}
	case t.kind == intToken:
		n, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil {
			fail(t.line, "the number %s is too large", t.text)
		}
		return literal{n}
	case t.kind == floatToken:
		x, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			fail(t.line, "the number %s is too large", t.text)
		}
		return literal{x}
	case t.kind == opToken && t.text == "(":
		if p.takeOp(")") {
			return listExpr{nil, true}
		}
		e := p.tuple(true)
		p.expectOp(")")
		return e
	case t.kind == opToken && t.text == "[":
		var items []expr
		for !p.takeOp("]") {
			if len(items) > 0 {
				if p.expectOp(","); p.takeOp("]") {
					break
				}
			}
			items = append(items, p.expression())
		}
		return listExpr{items, false}
	case t.kind == opToken && t.text == "{":
		var d dictExpr
		for !p.takeOp("}") {
			if len(d.keys) > 0 {
				if p.expectOp(","); p.takeOp("}") {
					break
				}
			}
			d.keys = append(d.keys, p.expression())
			p.expectOp(":")
			d.values = append(d.values, p.expression())
		}
		return d
	}
	fail(t.line, "expected an expression, found %s", t)
	return nil
}

func (p *parser) postfix(e expr) expr {
	for {
		t := p.now()
		switch {
		case p.takeOp("."):
			name := p.next()
			switch name.kind {
			case nameToken:
				e = attrExpr{t.line, e, name.text}
			case intToken:
				n, _ := strconv.ParseInt(name.text, 10, 64)
				e = indexExpr{t.line, e, literal{n}}
			default:
				fail(name.line, "expected an attribute, found %s", name)
			}
		case p.takeOp("["):
			e = p.subscript(t.line, e)
		case p.takeOp("("):
			e = callExpr{t.line, e, p.arguments()}
		default:
			return e
		}
	}
}

func (p *parser) subscript(line int, e expr) expr {
	var parts [3]expr
	n := 0
	slice := false
	for !p.takeOp("]") {
		if p.takeOp(":") {
			slice = true
			if n++; n > 2 {
				fail(line, "a slice has three parts at most")
			}
			continue
		}
		if parts[n] != nil {
			fail(p.now().line, "expected \"]\", found %s", p.now())
		}
		parts[n] = p.expression()
	}
	if slice {
		return sliceExpr{line, e, parts[0], parts[1], parts[2]}
	}
	if parts[0] == nil {
		fail(line, "an index is missing")
	}
	return indexExpr{line, e, parts[0]}
}

// arguments reads what is between the parentheses of a call, the opening one taken already.
func (p *parser) arguments() arguments {
	var a arguments
	for first := true; !p.takeOp(")"); first = false {
		if !first {
			if p.expectOp(","); p.takeOp(")") {
				break
			}
		}
		switch {
		case p.takeOp("**"):
			a.spreads = append(a.spreads, p.expression())
		case p.takeOp("*"):
			a.spread = append(a.spread, p.expression())
		case p.now().kind == nameToken && p.tokens[p.at+1].kind == opToken && p.tokens[p.at+1].text == "=":
			a.names = append(a.names, p.next().text)
			p.next()
			a.values = append(a.values, p.expression())
		default:
			if len(a.names) > 0 {
				fail(p.now().line, "a plain argument follows a named one")
			}
			a.args = append(a.args, p.expression())
		}
	}
	return a
}
