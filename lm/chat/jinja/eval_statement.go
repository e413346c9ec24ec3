package jinja

import (
	"strings"
	"unicode/utf8"
)

// signal tells how a block ended.
type signal uint8

const (
	goesOn signal = iota
	breaks
	continues
)

func (r *run) block(body []node, s *scope) signal {
	for _, n := range body {
		if sig := r.statement(n, s); sig != goesOn {
			return sig
		}
	}
	return goesOn
}

func (r *run) statement(n node, s *scope) signal {
	switch n := n.(type) {
	case textNode:
		r.write(n.text)
	case outputNode:
		r.line = n.line
		r.write(text(r.eval(n.e, s)))
	case ifNode:
		r.line = n.line
		for i, test := range n.tests {
			if truth(r.eval(test, s)) {
				return r.block(n.bodies[i], s)
			}
		}
		return r.block(n.fallback, s)
	case forNode:
		r.line = n.line
		r.loop(n, r.eval(n.iter, s), s, 0)
	case setNode:
		r.line = n.line
		r.set(n, s)
	case macroNode:
		s.vars[n.name] = r.macro(&n, s)
	case callNode:
		r.line = n.line
		call := n.call.(callExpr)
		f, a := r.eval(call.f, s), r.arguments(call.arguments, s)
		a.named["caller"] = r.macro(n.caller, s)
		a.names = append(a.names, "caller")
		r.write(text(r.call(f, a)))
	case filterNode:
		var v any = r.capture(func() { r.block(n.body, s.inner()) })
		for _, f := range n.filters {
			v = r.filter(f, v, s)
		}
		r.write(text(v))
	case withNode:
		r.line = n.line
		in := s.inner()
		for i, name := range n.names {
			in.vars[name] = r.eval(n.values[i], s)
		}
		return r.block(n.body, in)
	case generationNode:
		from := r.root.Len()
		body := r.capture(func() { r.block(n.body, s.inner()) })
		r.write(body)
		r.generation = append(r.generation, [2]int{from, from + len(body)})
	case breakNode:
		return breaks
	case continueNode:
		return continues
	}
	return goesOn
}

func (r *run) set(n setNode, s *scope) {
	var v any
	if n.value != nil {
		v = r.eval(n.value, s)
	} else {
		v = r.capture(func() { r.block(n.body, s.inner()) })
		for _, f := range n.filters {
			v = r.filter(f, v, s)
		}
	}
	values := []any{v}
	if !n.single {
		if values = r.items(v); len(values) != len(n.targets) {
			r.fail("{%% set %%}: %d values for %d names", len(values), len(n.targets))
		}
	}
	for i, t := range n.targets {
		if t.attr == "" {
			s.vars[t.name] = values[i]
			continue
		}
		held, _ := s.get(t.name)
		ns, ok := held.(namespace)
		if !ok {
			r.fail("{%% set %s.%s %%}: %s is no namespace", t.name, t.attr, t.name)
		}
		r.checkAttribute(t.attr)
		ns.Set(t.attr, values[i])
	}
}

func (r *run) checkAttribute(name string) {
	if strings.HasPrefix(name, "_") {
		r.fail("a namespace cannot hold %q: its name begins with an underscore", name)
	}
}

// loopState is what "loop" is in a body.
type loopState struct {
	items []any
	at    int
	depth int
	again func(v any) string // of a recursive loop
	seen  []any              // arguments of the last changed()
}

func (l *loopState) attr(name string) any {
	item := func(i int) any {
		if i < 0 || i >= len(l.items) {
			return undefined{"loop." + name}
		}
		return l.items[i]
	}
	n := int64(len(l.items))
	switch name {
	case "index":
		return int64(l.at + 1)
	case "index0":
		return int64(l.at)
	case "revindex":
		return n - int64(l.at)
	case "revindex0":
		return n - int64(l.at) - 1
	case "first":
		return l.at == 0
	case "last":
		return l.at == len(l.items)-1
	case "length":
		return n
	case "depth":
		return int64(l.depth + 1)
	case "depth0":
		return int64(l.depth)
	case "previtem":
		return item(l.at - 1)
	case "nextitem":
		return item(l.at + 1)
	case "cycle":
		return function{"cycle", func(r *run, a args) any {
			if len(a.pos) == 0 {
				r.fail("loop.cycle: no items for cycling given")
			}
			return a.pos[l.at%len(a.pos)]
		}}
	case "changed":
		return function{"changed", func(_ *run, a args) any {
			same := l.seen != nil && equal(&List{Items: l.seen}, &List{Items: a.pos})
			l.seen = append([]any{}, a.pos...)
			return !same
		}}
	}
	return undefined{"loop." + name}
}

func (r *run) loop(n forNode, over any, s *scope, depth int) {
	bind := func(in *scope, item any) {
		if n.single {
			in.vars[n.targets[0]] = item
			return
		}
		values := r.items(item)
		if len(values) != len(n.targets) {
			r.fail("{%% for %%}: %d values for %d names", len(values), len(n.targets))
		}
		for i, name := range n.targets {
			in.vars[name] = values[i]
		}
	}
	items := r.items(over)
	if n.cond != nil {
		var kept []any
		for _, item := range items {
			in := s.inner()
			bind(in, item)
			if truth(r.eval(n.cond, in)) {
				kept = append(kept, item)
			}
		}
		items = kept
	}
	state := &loopState{items: items, depth: depth}
	if n.recursive {
		state.again = func(v any) string {
			defer r.enter()()
			return r.capture(func() { r.loop(n, v, s, depth+1) })
		}
	}
	for i, item := range items {
		in := s.inner()
		state.at = i
		in.vars["loop"] = state
		bind(in, item)
		if r.block(n.body, in) == breaks {
			break
		}
	}
	if len(items) == 0 {
		r.block(n.fallback, s.inner())
	}
}

func (r *run) enter() func() {
	if r.depth++; r.depth > maxDepth {
		r.fail("calls are nested too deeply")
	}
	return func() { r.depth-- }
}

// items are what a loop goes through.
func (r *run) items(v any) []any {
	switch v := v.(type) {
	case undefined:
		return nil
	case *List:
		return v.Items
	case *Dict:
		return v.keys
	case namespace:
		return v.keys
	case string:
		out := make([]any, 0, utf8.RuneCountInString(v))
		for _, c := range v {
			out = append(out, string(c))
		}
		return out
	}
	r.fail("%s cannot be looped over", kind(v))
	return nil
}

// macro is a function that gives the text its body writes.
func (r *run) macro(n *macroNode, defined *scope) function {
	return function{n.name, func(r *run, a args) any {
		defer r.enter()()
		if len(a.pos) > len(n.params) {
			r.fail("macro %q takes at most %d arguments, was given %d", n.name, len(n.params), len(a.pos))
		}
		in := defined.inner()
		first := len(n.params) - len(n.defaults)
		for i, p := range n.params {
			v, named := a.named[p]
			switch {
			case i < len(a.pos) && named:
				r.fail("macro %q: %s is given twice", n.name, p)
			case i < len(a.pos):
				in.vars[p] = a.pos[i]
			case named:
				in.vars[p] = v
			case i >= first:
				in.vars[p] = r.eval(n.defaults[i-first], in)
			default:
				in.vars[p] = undefined{p}
			}
			delete(a.named, p)
		}
		if c, ok := a.named["caller"]; ok {
			in.vars["caller"] = c
			delete(a.named, "caller")
		}
		for _, name := range a.names {
			if _, left := a.named[name]; left {
				r.fail("macro %q takes no argument %q", n.name, name)
			}
		}
		return r.capture(func() { r.block(n.body, in) })
	}}
}
