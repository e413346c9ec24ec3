package starlark

import (
	"go.starlark.net/syntax"
)

// rewrite puts calls of this package's functions where Starlark's own operations differ from Python's: iteration over texts, methods, equality of truth
// values and numbers, the % of texts.
func rewrite(f *syntax.File) { statements(f.Stmts) }

func statements(all []syntax.Stmt) {
	for _, s := range all {
		switch s := s.(type) {
		case *syntax.AssignStmt:
			set(&s.LHS)
			set(&s.RHS)
		case *syntax.DefStmt:
			parameters(s.Params)
			statements(s.Body)
		case *syntax.ExprStmt:
			set(&s.X)
		case *syntax.ForStmt:
			set(&s.X)
			s.X = call("each", s.X)
			statements(s.Body)
		case *syntax.WhileStmt:
			set(&s.Cond)
			statements(s.Body)
		case *syntax.IfStmt:
			set(&s.Cond)
			statements(s.True)
			statements(s.False)
		case *syntax.ReturnStmt:
			if s.Result != nil {
				set(&s.Result)
			}
		}
	}
}

// set rewrites an expression in its place.
func set(e *syntax.Expr) {
	if *e != nil {
		*e = expression(*e)
	}
}

func sets(all []syntax.Expr) {
	for i := range all {
		set(&all[i])
	}
}

// parameters rewrites the values that parameters have by default; their names stay.
func parameters(all []syntax.Expr) {
	for _, p := range all {
		if b, ok := p.(*syntax.BinaryExpr); ok {
			set(&b.Y)
		}
	}
}

func expression(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.BinaryExpr:
		set(&e.X)
		set(&e.Y)
		switch {
		case e.Op == syntax.EQL && !alike(e.X, e.Y):
			return call("eq", e.X, e.Y)
		case e.Op == syntax.NEQ && !alike(e.X, e.Y):
			return call("ne", e.X, e.Y)
		case e.Op == syntax.PERCENT && !literal(e.Y, syntax.INT): // a whole number is written alike
			return call("mod", e.X, e.Y)
		}
	case *syntax.CallExpr:
		for _, a := range e.Args {
			argument(a)
		}
		for i, a := range e.Args {
			if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
				continue
			}
			if u, ok := a.(*syntax.UnaryExpr); ok && (u.Op == syntax.STAR || u.Op == syntax.STARSTAR) {
				continue
			}
			set(&e.Args[i])
		}
		if d, ok := e.Fn.(*syntax.DotExpr); ok {
			set(&d.X)
			args := append([]syntax.Expr{d.X, &syntax.Literal{Token: syntax.STRING, TokenPos: d.NamePos, Raw: `"` + d.Name.Name + `"`, Value: d.Name.Name}}, e.Args...)
			return call("method", args...)
		}
		set(&e.Fn)
	case *syntax.Comprehension:
		set(&e.Body)
		for _, c := range e.Clauses {
			switch c := c.(type) {
			case *syntax.ForClause:
				set(&c.X)
				c.X = call("each", c.X)
			case *syntax.IfClause:
				set(&c.Cond)
			}
		}
	case *syntax.CondExpr:
		set(&e.Cond)
		set(&e.True)
		set(&e.False)
	case *syntax.DictExpr:
		for _, entry := range e.List {
			entry := entry.(*syntax.DictEntry)
			set(&entry.Key)
			set(&entry.Value)
		}
	case *syntax.DotExpr:
		set(&e.X)
	case *syntax.IndexExpr:
		set(&e.X)
		set(&e.Y)
	case *syntax.LambdaExpr:
		parameters(e.Params)
		set(&e.Body)
	case *syntax.ListExpr:
		sets(e.List)
	case *syntax.ParenExpr:
		set(&e.X)
	case *syntax.SliceExpr:
		set(&e.X)
		set(&e.Lo)
		set(&e.Hi)
		set(&e.Step)
	case *syntax.TupleExpr:
		sets(e.List)
	case *syntax.UnaryExpr:
		set(&e.X)
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

// argument rewrites what is passed by name or spread.
func argument(a syntax.Expr) {
	switch a := a.(type) {
	case *syntax.BinaryExpr:
		if a.Op == syntax.EQ {
			set(&a.Y)
		}
	case *syntax.UnaryExpr:
		if a.Op == syntax.STAR || a.Op == syntax.STARSTAR {
			set(&a.X)
		}
	}
}

// call is a call of one of this package's functions, where its first argument stands.
func call(name string, args ...syntax.Expr) syntax.Expr {
	start, end := args[0].Span()
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: start, Name: own + name}, Lparen: start, Args: args, Rparen: end}
}
