package starlark

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	starmath "go.starlark.net/lib/math"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

// raised ends an answer as an exception of Python's would.
type raised string

func (r raised) Error() string { return string(r) }

type function = func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)

// doubts are reasons why an assertion that fails here may hold in Python.
type doubts struct{ of string }

// builtins are the functions of Python that Starlark lacks or has otherwise. The verdict's functions are not among them.
func (d *doubts) builtins() starlark.StringDict {
	all := starlark.StringDict{"math": d.maths(), "__name__": starlark.String("answer")}
	add := func(name string, f function) { all[name] = starlark.NewBuiltin(name, f) }
	for _, name := range []string{"list", "tuple", "set", "sorted", "enumerate", "zip", "any", "all", "max", "min", "reversed"} {
		whole := starlark.Universe[name]
		add(name, func(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
			for i, a := range args {
				if args[i] = a; name == "list" || name == "tuple" || name == "enumerate" || name == "zip" {
					args[i] = d.each(a)
				} else {
					args[i] = each(a)
				}
			}
			return starlark.Call(t, whole, args, named)
		})
	}
	add(own+"each", one(func(v starlark.Value) (starlark.Value, error) { return d.each(v), nil }))
	add(own+"eq", two(func(x, y starlark.Value) (starlark.Value, error) { b, err := same(x, y); return starlark.Bool(b), err }))
	add(own+"ne", two(func(x, y starlark.Value) (starlark.Value, error) { b, err := same(x, y); return starlark.Bool(!b), err }))
	add(own+"order", order)
	add(own+"mod", two(mod))
	add(own+"pow", two(d.power))
	add(own+"method", d.method)
	add(own+"raise", one(func(v starlark.Value) (starlark.Value, error) {
		return nil, raised("raises " + string(v.(starlark.String)))
	}))
	add(own+"str", one(str))
	add("str", one(str))
	add("repr", one(func(v starlark.Value) (starlark.Value, error) { return nil, refused("repr") }))
	add("print", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return starlark.None, nil
	})
	add("pow", two(d.power))
	add("sum", d.sum)
	add("map", d.mapped)
	add("filter", d.filtered)
	add("round", round)
	add("divmod", two(func(x, y starlark.Value) (starlark.Value, error) {
		q, err := starlark.Binary(syntax.SLASHSLASH, x, y)
		if err != nil {
			return nil, err
		}
		r, err := starlark.Binary(syntax.PERCENT, x, y)
		return starlark.Tuple{q, r}, err
	}))
	add("isinstance", two(isinstance))
	add("chr", one(func(v starlark.Value) (starlark.Value, error) {
		if n, err := starlark.AsInt32(v); err != nil || n > 127 || n < 0 {
			return nil, refused("chr beyond ASCII")
		}
		return starlark.String(rune(must(starlark.AsInt32(v)))), nil
	}))
	for name, base := range map[string]int{"bin": 2, "oct": 8, "hex": 16} {
		prefix := "0" + name[:1]
		if name == "hex" {
			prefix = "0x"
		}
		add(name, one(func(v starlark.Value) (starlark.Value, error) {
			n, ok := v.(starlark.Int)
			if !ok {
				return nil, refused(name + " of a " + v.Type())
			}
			digits := n.BigInt().Text(base)
			if rest, negative := strings.CutPrefix(digits, "-"); negative {
				return starlark.String("-" + prefix + rest), nil
			}
			return starlark.String(prefix + digits), nil
		}))
	}
	return all
}

func one(f func(starlark.Value) (starlark.Value, error)) function {
	return func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
		if len(args) != 1 || len(named) > 0 {
			return nil, refused(fmt.Sprintf("%s with %d arguments", b.Name(), len(args)+len(named)))
		}
		return f(args[0])
	}
}

func two(f func(x, y starlark.Value) (starlark.Value, error)) function {
	return func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
		if len(args) != 2 || len(named) > 0 {
			return nil, refused(fmt.Sprintf("%s with %d arguments", b.Name(), len(args)+len(named)))
		}
		return f(args[0], args[1])
	}
}

func must[T any](v T, _ error) T { return v }

// each is what Python iterates over: the characters of a text.
func each(v starlark.Value) starlark.Value {
	s, ok := v.(starlark.String)
	if !ok {
		return v
	}
	all := make([]starlark.Value, len(s))
	for i := range all {
		all[i] = s[i : i+1]
	}
	return starlark.NewList(all)
}

// each is iteration where the order matters; that of a set is another in Python.
func (d *doubts) each(v starlark.Value) starlark.Value {
	if s, ok := v.(*starlark.Set); ok && s.Len() > 1 {
		d.of = "the order of a set"
	}
	return each(v)
}

// numeric is a truth value's number.
func numeric(v starlark.Value) starlark.Value {
	if b, ok := v.(starlark.Bool); ok {
		return starlark.MakeInt(map[starlark.Bool]int{true: 1}[b])
	}
	return v
}

// same is Python's ==, in which True equals 1.
func same(x, y starlark.Value) (bool, error) {
	if a, ok := x.(starlark.Sequence); ok && x.Type() == y.Type() {
		b := y.(starlark.Sequence)
		i, indexed := a.(starlark.Indexable)
		if indexed {
			j := b.(starlark.Indexable)
			if a.Len() != b.Len() {
				return false, nil
			}
			for n := range i.Len() {
				if equal, err := same(i.Index(n), j.Index(n)); !equal || err != nil {
					return false, err
				}
			}
			return true, nil
		}
	}
	if a, ok := x.(*starlark.Dict); ok {
		b, ok := y.(*starlark.Dict)
		if !ok || a.Len() != b.Len() {
			return false, nil
		}
		for _, item := range a.Items() {
			other, found, err := b.Get(item[0])
			if err != nil || !found {
				return false, err
			}
			if equal, err := same(item[1], other); !equal || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	if isNaN(x) || isNaN(y) {
		return false, nil
	}
	return starlark.Equal(numeric(x), numeric(y))
}

func isNaN(v starlark.Value) bool {
	f, ok := v.(starlark.Float)
	return ok && math.IsNaN(float64(f))
}

// order is a comparison in a test. Nothing stands in any order with NaN.
func order(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	x, y := numeric(args[0]), numeric(args[1])
	if isNaN(x) || isNaN(y) {
		return starlark.False, nil
	}
	holds, err := starlark.Compare(syntax.Token(must(starlark.AsInt32(args[2]))), x, y)
	return starlark.Bool(holds), err
}

// mod is %: of numbers, and of a text with whole numbers and texts in it. Other values are written otherwise in Starlark.
func mod(x, y starlark.Value) (starlark.Value, error) {
	if _, ok := x.(starlark.String); ok {
		args, ok := y.(starlark.Tuple)
		if !ok {
			args = starlark.Tuple{y}
		}
		for _, a := range args {
			if err := written(a); err != nil {
				return nil, err
			}
		}
	}
	return starlark.Binary(syntax.PERCENT, x, y)
}

// written refuses values that Starlark writes otherwise than Python.
func written(v starlark.Value) error {
	switch v.(type) {
	case starlark.Int, starlark.String, starlark.Bool, starlark.NoneType:
		return nil
	}
	return refused("a " + v.Type() + " written as text")
}

// str writes a value as Python does.
func str(v starlark.Value) (starlark.Value, error) {
	switch v := v.(type) {
	case starlark.String:
		return v, nil
	case starlark.Float:
		return starlark.String(float(float64(v))), nil
	}
	if err := written(v); err != nil {
		return nil, err
	}
	return starlark.String(v.String()), nil
}

// float is a number's repr in Python: the shortest digits that give it back, with an exponent from 1e16 on and below 1e-4.
func float(f float64) string {
	switch a := math.Abs(f); {
	case math.IsInf(f, 0) || math.IsNaN(f):
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, 64), "+"))
	case a != 0 && (a >= 1e16 || a < 1e-4):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// power is x ** y.
func (d *doubts) power(x, y starlark.Value) (starlark.Value, error) {
	x, y = numeric(x), numeric(y)
	a, isInt := x.(starlark.Int)
	b, byInt := y.(starlark.Int)
	if isInt && byInt && b.Sign() >= 0 {
		n, ok := b.Int64()
		if bits := int64(a.BigInt().BitLen()); !ok || bits > 1 && n*bits > 1<<20 {
			return nil, raised("a power of more than a million bits")
		}
		return starlark.MakeBigInt(new(big.Int).Exp(a.BigInt(), big.NewInt(n), nil)), nil
	}
	f, ok := starlark.AsFloat(x)
	g, also := starlark.AsFloat(y)
	switch {
	case !ok || !also:
		return nil, raised(fmt.Sprintf("unsupported operands for **: %s and %s", x.Type(), y.Type()))
	case f == 0 && g < 0:
		return nil, raised("zero to a negative power")
	case f < 0 && g != math.Trunc(g):
		return nil, refused("complex numbers")
	}
	if g != 2 {
		d.of = "the last digit of a power"
	}
	return starlark.Float(math.Pow(f, g)), nil
}

func isinstance(v, kind starlark.Value) (starlark.Value, error) {
	kinds, ok := kind.(starlark.Tuple)
	if !ok {
		kinds = starlark.Tuple{kind}
	}
	names := map[string]string{"int": "int", "bool": "bool", "float": "float", "string": "str", "list": "list", "tuple": "tuple", "dict": "dict", "set": "set", "NoneType": ""}
	name, known := names[v.Type()]
	for _, k := range kinds {
		b, ok := k.(*starlark.Builtin)
		if !ok || !known {
			return nil, refused("isinstance of a " + v.Type() + " and " + k.String())
		}
		if b.Name() == name || name == "bool" && b.Name() == "int" {
			return starlark.True, nil
		}
	}
	return starlark.False, nil
}

// maths is the module math, as far as it goes. Functions that C libraries compute differ in their last digit from one to the next.
func (d *doubts) maths() *starlarkstruct.Module {
	m := &starlarkstruct.Module{Name: "math", Members: starlark.StringDict{}}
	for name, v := range starmath.Module.Members {
		if f, ok := v.(*starlark.Builtin); ok && !exact[name] {
			v = starlark.NewBuiltin(name, func(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
				d.of = "the last digit of math." + name
				return starlark.Call(t, f, args, named)
			})
		}
		m.Members[name] = v
	}
	delete(m.Members, "mod")
	delete(m.Members, "round")
	m.Members["fmod"] = starmath.Module.Members["mod"]
	m.Members["inf"], m.Members["nan"] = starlark.Float(math.Inf(1)), starlark.Float(math.NaN())
	ints := func(name string, f func(x, y *big.Int) *big.Int) {
		m.Members[name] = starlark.NewBuiltin(name, two(func(x, y starlark.Value) (starlark.Value, error) {
			a, ok := x.(starlark.Int)
			b, also := y.(starlark.Int)
			if !ok || !also {
				return nil, refused(name + " of what is no whole number")
			}
			return starlark.MakeBigInt(f(a.BigInt(), b.BigInt())), nil
		}))
	}
	ints("gcd", func(x, y *big.Int) *big.Int { return new(big.Int).GCD(nil, nil, x.Abs(x), y.Abs(y)) })
	whole := func(name string, most int, f func(int64) *big.Int) {
		m.Members[name] = starlark.NewBuiltin(name, one(func(v starlark.Value) (starlark.Value, error) {
			n, err := starlark.AsInt32(v)
			if err != nil || n < 0 || n > most {
				return nil, refused(fmt.Sprintf("%s of %s", name, v))
			}
			return starlark.MakeBigInt(f(int64(n))), nil
		}))
	}
	whole("factorial", 5000, func(n int64) *big.Int { return new(big.Int).MulRange(1, n) })
	whole("isqrt", math.MaxInt32, func(n int64) *big.Int { return new(big.Int).Sqrt(big.NewInt(n)) })
	return m
}

// exact are the functions that are the same everywhere.
var exact = map[string]bool{"ceil": true, "floor": true, "fabs": true, "sqrt": true, "copysign": true, "mod": true, "remainder": true}
