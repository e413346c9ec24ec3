package starlark

import (
	"go.starlark.net/syntax"
)

// rewrite puts calls of this package's functions where Starlark's own operations differ from Python's: iteration over texts, methods, equality of truth
// values and numbers, the % of texts. In tests it is the order of numbers, too: Starlark has NaN above all others, and a test must not pass by that.
func rewrite(f *syntax.File, tests bool) { rewriter{tests}.statements(f.Stmts) }

type rewriter struct{ tests bool }

func (r rewriter) statements(all []syntax.Stmt) {
	for _, s := range all {
		switch s := s.(type) {
		case *syntax.AssignStmt:
			r.set(&s.LHS)
			r.set(&s.RHS)
		case *syntax.DefStmt:
			r.parameters(s.Params)
			r.statements(s.Body)
		case *syntax.ExprStmt:
			r.set(&s.X)
		case *syntax.ForStmt:
			r.set(&s.X)
			s.X = call("each", s.X)
			r.statements(s.Body)
		case *syntax.WhileStmt:
			r.set(&s.Cond)
			r.statements(s.Body)
		case *syntax.IfStmt:
			r.set(&s.Cond)
			r.statements(s.True)
			r.statements(s.False)
		case *syntax.ReturnStmt:
			if s.Result != nil {
				r.set(&s.Result)
			}
		}
	}
}

var orders = map[syntax.Token]bool{syntax.LT: true, syntax.GT: true, syntax.LE: true, syntax.GE: true}

// set rewrites an expression in its place.
func (r rewriter) set(e *syntax.Expr) {
	if *e != nil {
		*e = r.expression(*e)
	}
}

func (r rewriter) sets(all []syntax.Expr) {
	for i := range all {
		r.set(&all[i])
	}
}

// parameters rewrites the values that parameters have by default; their names stay.
func (r rewriter) parameters(all []syntax.Expr) {
	for _, p := range all {
		if b, ok := p.(*syntax.BinaryExpr); ok {
			r.set(&b.Y)
		}
	}
}

func (r rewriter) expression(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.BinaryExpr:
		r.set(&e.X)
		r.set(&e.Y)
		switch {
		case e.Op == syntax.EQL && !alike(e.X, e.Y):
			return call("eq", e.X, e.Y)
		case e.Op == syntax.NEQ && !alike(e.X, e.Y):
			return call("ne", e.X, e.Y)
		case r.tests && orders[e.Op]:
			return call("order", e.X, e.Y, &syntax.Literal{Token: syntax.INT, TokenPos: e.OpPos, Raw: e.Op.String(), Value: int64(e.Op)})
		case e.Op == syntax.PERCENT && !literal(e.Y, syntax.INT): // a whole number is written alike
			return call("mod", e.X, e.Y)
		}
	case *syntax.CallExpr:
		for i, a := range e.Args {
			e.Args[i] = r.argument(a)
		}
		if d, ok := e.Fn.(*syntax.DotExpr); ok {
			r.set(&d.X)
			args := append([]syntax.Expr{d.X, &syntax.Literal{Token: syntax.STRING, TokenPos: d.NamePos, Raw: `"` + d.Name.Name + `"`, Value: d.Name.Name}}, e.Args...)
			return call("method", args...)
		}
		r.set(&e.Fn)
	case *syntax.Comprehension:
		r.set(&e.Body)
		for _, c := range e.Clauses {
			switch c := c.(type) {
			case *syntax.ForClause:
				r.set(&c.X)
				c.X = call("each", c.X)
			case *syntax.IfClause:
				r.set(&c.Cond)
			}
		}
	case *syntax.CondExpr:
		r.set(&e.Cond)
		r.set(&e.True)
		r.set(&e.False)
	case *syntax.DictExpr:
		for _, entry := range e.List {
			entry := entry.(*syntax.DictEntry)
			r.set(&entry.Key)
			r.set(&entry.Value)
		}
	case *syntax.DotExpr:
		r.set(&e.X)
	case *syntax.IndexExpr:
		r.set(&e.X)
		r.set(&e.Y)
	case *syntax.LambdaExpr:
		r.parameters(e.Params)
		r.set(&e.Body)
	case *syntax.ListExpr:
		r.sets(e.List)
	case *syntax.ParenExpr:
		r.set(&e.X)
	case *syntax.SliceExpr:
		r.set(&e.X)
		r.set(&e.Lo)
		r.set(&e.Hi)
		r.set(&e.Step)
	case *syntax.TupleExpr:
		r.sets(e.List)
	case *syntax.UnaryExpr:
		r.set(&e.X)
	}
	return e
}

// alike says of expressions that Starlark compares them as Python does, whatever they are: a text is no truth value, and the result of arithmetic
// is none that could equal a number.
func alike(x, y syntax.Expr) bool {
	return literal(x, syntax.STRING) || literal(y, syntax.STRING) || literal(x, syntax.INT) && arithmetic(y) || literal(y, syntax.INT) && arithmetic(x)
}

func literal(e syntax.Expr, kind syntax.Token) bool {
	l, ok := e.(*syntax.Literal)
	return ok && l.Token == kind
}

// arithmetic is that of numbers, as it stands or as it was rewritten.
func arithmetic(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		return arithmetic(e.X)
	case *syntax.BinaryExpr:
		return e.Op == syntax.PLUS || e.Op == syntax.MINUS || e.Op == syntax.STAR || e.Op == syntax.SLASH || e.Op == syntax.SLASHSLASH || e.Op == syntax.PERCENT
	case *syntax.CallExpr:
		f, ok := e.Fn.(*syntax.Ident)
		return ok && (f.Name == own+"mod" || f.Name == own+"pow")
	}
	return false
}

// argument rewrites what is passed, by name and spread, too.
func (r rewriter) argument(a syntax.Expr) syntax.Expr {
	switch a := a.(type) {
	case *syntax.BinaryExpr:
		if a.Op == syntax.EQ {
			r.set(&a.Y)
			return a
		}
	case *syntax.UnaryExpr:
		if a.Op == syntax.STAR || a.Op == syntax.STARSTAR {
			r.set(&a.X)
			return a
		}
	}
	return r.expression(a)
}

// call is a call of one of this package's functions, where its first argument stands.
func call(name string, args ...syntax.Expr) syntax.Expr {
	start, end := args[0].Span()
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: start, Name: own + name}, Lparen: start, Args: args, Rparen: end}
}
