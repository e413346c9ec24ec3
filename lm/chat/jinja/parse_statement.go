package jinja

import (
	"slices"
	"strings"
)

type parser struct {
	tokens []token
	at     int
	loops  int // for loops around the place that is read
	depth  int // of nesting
}

const maxNesting = 200

func (p *parser) now() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != endToken {
		p.at++
	}
	return t
}

// enter counts nesting; what it returns leaves again.
func (p *parser) enter() func() {
	if p.depth++; p.depth > maxNesting {
		fail(p.now().line, "is nested too deeply")
	}
	return func() { p.depth-- }
}

func (p *parser) is(kind tokenKind, text string) bool {
	t := p.now()
	return t.kind == kind && t.text == text
}

func (p *parser) isName(names ...string) bool {
	t := p.now()
	return t.kind == nameToken && slices.Contains(names, t.text)
}

func (p *parser) takeOp(text string) bool {
	if p.is(opToken, text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) takeName(text string) bool {
	if p.isName(text) {
		p.at++
		return true
	}
	return false
}

func (t token) String() string {
	switch t.kind {
	case endToken:
		return "the end of the template"
	case textToken:
		return "text"
	case variableBegin:
		return "{{"
	case variableEnd:
		return "}}"
	case blockBegin:
		return "{%"
	case blockEnd:
		return "%}"
	}
	return "\"" + t.text + "\""
}

func (p *parser) expectOp(text string) {
	if !p.takeOp(text) {
		fail(p.now().line, "expected %q, found %s", text, p.now())
	}
}

func (p *parser) expect(kind tokenKind, what string) token {
	t := p.next()
	if t.kind != kind {
		fail(t.line, "expected %s, found %s", what, t)
	}
	return t
}

// statements reads up to a block of one of the names, whose name it takes; without names up to the end.
func (p *parser) statements(ends ...string) []node {
	defer p.enter()()
	start := p.now().line
	var out []node
	for {
		t := p.next()
		switch t.kind {
		case endToken:
			if len(ends) > 0 {
				fail(start, "found no {%% %s %%} for the block", strings.Join(ends, " %} or {% "))
			}
			return out
		case textToken:
			out = append(out, textNode{t.text})
		case variableBegin:
			out = append(out, outputNode{t.line, p.tuple(true)})
			p.expect(variableEnd, "}}")
		case blockBegin:
			name := p.expect(nameToken, "the name of a block")
			if slices.Contains(ends, name.text) {
				p.at--
				return out
			}
			out = append(out, p.statement(name))
		default:
			fail(t.line, "unexpected %s", t)
		}
	}
}

// body reads the statements of a block and its end tag.
func (p *parser) body(end string) []node {
	p.expect(blockEnd, "%}")
	out := p.statements(end)
	p.next()
	p.expect(blockEnd, "%}")
	return out
}

func (p *parser) statement(name token) node {
	switch name.text {
	case "if":
		return p.ifBlock(name.line)
	case "for":
		return p.forBlock(name.line)
	case "set":
		return p.setBlock(name.line)
	case "macro":
		m := macroNode{line: name.line, name: p.expect(nameToken, "the macro's name").text}
		p.signature(&m)
		m.body = p.outside(func() []node { return p.body("endmacro") })
		return m
	case "call":
		m := &macroNode{line: name.line, name: "caller"}
		if p.is(opToken, "(") {
			p.signature(m)
		}
		call := p.expression()
		if _, ok := call.(callExpr); !ok {
			fail(name.line, "{%% call %%} needs a call")
		}
		m.body = p.outside(func() []node { return p.body("endcall") })
		return callNode{name.line, call, m}
	case "filter":
		n := filterNode{line: name.line, filters: p.filters()}
		n.body = p.body("endfilter")
		return n
	case "with":
		n := withNode{line: name.line}
		for p.now().kind != blockEnd {
			if len(n.names) > 0 {
				p.expectOp(",")
			}
			n.names = append(n.names, p.expect(nameToken, "a name").text)
			p.expectOp("=")
			n.values = append(n.values, p.expression())
		}
		n.body = p.body("endwith")
		return n
	case "generation":
		return generationNode{p.body("endgeneration")}
	case "break", "continue":
		if p.loops == 0 {
			fail(name.line, "{%% %s %%} stands in no loop", name.text)
		}
		p.expect(blockEnd, "%}")
		if name.text == "break" {
			return breakNode{}
		}
		return continueNode{}
	}
	fail(name.line, "{%% %s %%} is not supported (supported: break, call, continue, filter, for, generation, if, macro, raw, set, with)", name.text)
	return nil
}

// outside reads what is no longer part of the loops around it.
func (p *parser) outside(f func() []node) []node {
	loops := p.loops
	p.loops = 0
	defer func() { p.loops = loops }()
	return f()
}

func (p *parser) ifBlock(line int) node {
	n := ifNode{line: line}
	for {
		n.tests = append(n.tests, p.tuple(true))
		p.expect(blockEnd, "%}")
		n.bodies = append(n.bodies, p.statements("elif", "else", "endif"))
		switch p.next().text {
		case "elif":
			continue
		case "else":
			n.fallback = p.body("endif")
		default:
			p.expect(blockEnd, "%}")
		}
		return n
	}
}

func (p *parser) forBlock(line int) node {
	n := forNode{line: line, single: true}
	paren := p.takeOp("(")
	for !p.isName("in") && !p.is(opToken, ")") {
		n.targets = append(n.targets, p.expect(nameToken, "a name").text)
		if !p.takeOp(",") {
			break
		}
		n.single = false
	}
	if paren {
		p.expectOp(")")
	}
	if !p.takeName("in") || len(n.targets) == 0 {
		fail(line, "{%% for %%}: expected \"in\", found %s", p.now())
	}
	n.iter = p.tuple(false)
	if p.takeName("if") {
		n.cond = p.expression()
	}
	n.recursive = p.takeName("recursive")
	p.expect(blockEnd, "%}")
	p.loops++
	n.body = p.statements("else", "endfor")
	p.loops--
	if p.next().text == "else" {
		n.fallback = p.body("endfor")
	} else {
		p.expect(blockEnd, "%}")
	}
	return n
}

func (p *parser) setBlock(line int) node {
	n := setNode{line: line, single: true}
	for {
		t := target{name: p.expect(nameToken, "a name").text}
		if p.takeOp(".") {
			t.attr = p.expect(nameToken, "an attribute").text
		}
		n.targets = append(n.targets, t)
		if !p.takeOp(",") {
			break
		}
		n.single = false
		if p.is(opToken, "=") {
			break
		}
	}
	if p.takeOp("=") {
		n.value = p.tuple(true)
		p.expect(blockEnd, "%}")
		return n
	}
	if !n.single {
		fail(line, "{%% set %%}: a block has one name")
	}
	for p.takeOp("|") {
		n.filters = append(n.filters, p.filter())
	}
	n.body = p.body("endset")
	return n
}

func (p *parser) signature(m *macroNode) {
	p.expectOp("(")
	for !p.takeOp(")") {
		if len(m.params) > 0 {
			p.expectOp(",")
		}
		m.params = append(m.params, p.expect(nameToken, "a parameter").text)
		if p.takeOp("=") {
			m.defaults = append(m.defaults, p.expression())
		} else if len(m.defaults) > 0 {
			fail(m.line, "a parameter without a default follows one with a default")
		}
	}
}

// filters reads a filter and those piped behind it.
func (p *parser) filters() []filterCall {
	out := []filterCall{p.filter()}
	for p.takeOp("|") {
		out = append(out, p.filter())
	}
	return out
}

func (p *parser) filter() filterCall {
	name := p.expect(nameToken, "a filter")
	f := filterCall{line: name.line, name: name.text}
	if filters[f.name] == nil {
		fail(f.line, "the filter %q is not supported", f.name)
	}
	if p.takeOp("(") {
		f.arguments = p.arguments()
	}
	return f
}
