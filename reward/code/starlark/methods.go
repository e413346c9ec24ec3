package starlark

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// method calls v.name(args): Starlark's own, with the characters of texts where Python iterates, or one of those that it lacks.
func (d *doubts) method(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	v, name, args := args[0], string(args[1].(starlark.String)), args[2:]
	if made, ok := missing[v.Type()+"."+name]; ok {
		return made(t, v, args, named)
	}
	has, ok := v.(starlark.HasAttrs)
	if !ok {
		return nil, refused("." + name + " of a " + v.Type())
	}
	f, err := has.Attr(name)
	if f == nil || err != nil {
		return nil, refused("." + name + " of a " + v.Type())
	}
	switch v.Type() + "." + name {
	case "string.join", "list.extend", "set.update", "set.union", "set.intersection", "set.difference":
		for i, a := range args {
			args[i] = each(a)
			if name == "join" || name == "extend" {
				args[i] = d.each(a)
			}
		}
	case "string.format":
		for _, a := range args {
			if err := written(a); err != nil {
				return nil, err
			}
		}
		for _, n := range named {
			if err := written(n[1]); err != nil {
				return nil, err
			}
		}
	}
	return starlark.Call(t, f, args, named)
}

type methodOf = func(t *starlark.Thread, v starlark.Value, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error)

// missing are the methods that Starlark's values lack.
var missing = map[string]methodOf{
	"list.sort": func(t *starlark.Thread, v starlark.Value, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
		sorted, err := starlark.Call(t, starlark.Universe["sorted"], append(starlark.Tuple{v}, args...), named)
		if err != nil {
			return nil, err
		}
		return replaced(v.(*starlark.List), elements(sorted))
	},
	"list.reverse": func(_ *starlark.Thread, v starlark.Value, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		all := elements(v)
		slices.Reverse(all)
		return replaced(v.(*starlark.List), all)
	},
	"list.copy": func(_ *starlark.Thread, v starlark.Value, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return starlark.NewList(elements(v)), nil
	},
	"list.count":  count,
	"tuple.count": count,
	"dict.copy": func(t *starlark.Thread, v starlark.Value, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return starlark.Call(t, starlark.Universe["dict"], starlark.Tuple{v}, nil)
	},
	"string.zfill": func(_ *starlark.Thread, v starlark.Value, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		s := string(v.(starlark.String))
		n, err := width(args)
		sign := ""
		if s != "" && (s[0] == '-' || s[0] == '+') {
			sign, s = s[:1], s[1:]
		}
		return starlark.String(sign + strings.Repeat("0", max(0, n-len(s)-len(sign))) + s), err
	},
	"string.ljust": func(_ *starlark.Thread, v starlark.Value, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		n, err := width(args)
		s := string(v.(starlark.String))
		return starlark.String(s + strings.Repeat(" ", max(0, n-len(s)))), err
	},
	"string.rjust": func(_ *starlark.Thread, v starlark.Value, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		n, err := width(args)
		s := string(v.(starlark.String))
		return starlark.String(strings.Repeat(" ", max(0, n-len(s))) + s), err
	},
	"string.swapcase": func(_ *starlark.Thread, v starlark.Value, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		b := []byte(v.(starlark.String))
		for i, c := range b {
			if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
				b[i] = c ^ 0x20
			}
		}
		return starlark.String(b), nil
	},
}

func width(args starlark.Tuple) (int, error) {
	if len(args) != 1 {
		return 0, refused("a method with a filling")
	}
	n, err := starlark.AsInt32(args[0])
	if err != nil || n > 1<<20 {
		return 0, refused("a width of " + args[0].String())
	}
	return n, nil
}

func count(_ *starlark.Thread, v starlark.Value, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	n := 0
	for _, e := range elements(v) {
		for _, a := range args {
			equal, err := same(e, a)
			if err != nil {
				return nil, err
			}
			if equal {
				n++
			}
		}
	}
	return starlark.MakeInt(n), nil
}

// elements are those of an iterable, nil if it is none.
func elements(v starlark.Value) []starlark.Value {
	i := starlark.Iterate(each(v))
	if i == nil {
		return nil
	}
	defer i.Done()
	var all []starlark.Value
	for x := starlark.Value(nil); i.Next(&x); {
		all = append(all, x)
	}
	return all
}

func replaced(list *starlark.List, by []starlark.Value) (starlark.Value, error) {
	for i, v := range by {
		if err := list.SetIndex(i, v); err != nil {
			return nil, err
		}
	}
	return starlark.None, nil
}

func (d *doubts) sum(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 0 || len(args) > 2 || len(named) > 0 || starlark.Iterate(args[0]) == nil {
		return nil, refused("this use of sum")
	}
	total := starlark.Value(starlark.MakeInt(0))
	if len(args) == 2 {
		total = args[1]
	}
	floats, rest := 0.0, 0.0 // Python adds floats with a compensation since 3.12
	for _, v := range elements(args[0]) {
		var err error
		if f, ok := v.(starlark.Float); ok {
			next := floats + float64(f)
			rest += math.Abs((floats - next) + float64(f))
			floats = next
		}
		if total, err = starlark.Binary(syntax.PLUS, total, numeric(v)); err != nil {
			return nil, err
		}
	}
	if rest > 0 {
		d.of = "the last digit of a sum"
	}
	return total, nil
}

func (d *doubts) mapped(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	if len(args) < 2 || len(named) > 0 {
		return nil, refused("this use of map")
	}
	columns := make([][]starlark.Value, len(args)-1)
	rows := math.MaxInt
	for i, a := range args[1:] {
		columns[i] = elements(d.each(a))
		rows = min(rows, len(columns[i]))
	}
	out := make([]starlark.Value, rows)
	for r := range out {
		row := make(starlark.Tuple, len(columns))
		for i := range row {
			row[i] = columns[i][r]
		}
		v, err := starlark.Call(t, args[0], row, nil)
		if err != nil {
			return nil, err
		}
		out[r] = v
	}
	return starlark.NewList(out), nil
}

func (d *doubts) filtered(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	if len(args) != 2 || len(named) > 0 {
		return nil, refused("this use of filter")
	}
	var out []starlark.Value
	for _, e := range elements(d.each(args[1])) {
		keep := e
		if args[0] != starlark.None {
			var err error
			if keep, err = starlark.Call(t, args[0], starlark.Tuple{e}, nil); err != nil {
				return nil, err
			}
		}
		if keep.Truth() {
			out = append(out, e)
		}
	}
	return starlark.NewList(out), nil
}

// round is Python's: to the even neighbour, and to decimals by the number's exact decimal value.
func round(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 0 || len(args) > 2 || len(named) > 0 {
		return nil, refused("this use of round")
	}
	switch v := numeric(args[0]).(type) {
	case starlark.Int:
		if len(args) == 1 {
			return v, nil
		}
	case starlark.Float:
		f := float64(v)
		if len(args) == 1 {
			if math.IsInf(f, 0) || math.IsNaN(f) {
				return nil, raised("round of " + float(f))
			}
			n, _ := big.NewFloat(math.RoundToEven(f)).Int(nil)
			return starlark.MakeBigInt(n), nil
		}
		if digits, err := starlark.AsInt32(args[1]); err == nil && digits >= 0 && digits < 300 {
			out, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', digits, 64), 64)
			return starlark.Float(out), err
		}
	}
	return nil, refused(fmt.Sprintf("round of a %s", args[0].Type()))
}
