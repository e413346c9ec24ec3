package workaround

import (
	"fmt"
	"reflect"

	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/gomlx/core/graph"
)

// Loop is graph.While with the values that the body only reads passed as explicit constants, and with region parameter names that are
// unique in the graph: go-xla refuses captured outer values in binary operations and repeats SSA names across nested regions.
//
// cond and body see the state and the constants as the loop's own parameters; body returns the next state (same shapes, same order).
// name distinguishes the loops of one graph; nested loops need different names.
func Loop(g *graph.Graph, name string, state, constants []*graph.Node,
	cond func(state, constants []*graph.Node) *graph.Node,
	body func(state, constants []*graph.Node) []*graph.Node) []*graph.Node {
	all := append(append([]*graph.Node{}, state...), constants...)
	parameters := func(region string, g *graph.Graph) (st, cs []*graph.Node) {
		ps := make([]*graph.Node, len(all))
		for i, n := range all {
			ps[i] = graph.Parameter(g, fmt.Sprintf("%s_%s_%d", name, region, i), n.Shape())
		}
		return ps[:len(state)], ps[len(state):]
	}
	condition := closure(g, func(g *graph.Graph) []*graph.Node {
		st, cs := parameters("cond", g)
		return []*graph.Node{cond(st, cs)}
	})
	step := closure(g, func(g *graph.Graph) []*graph.Node {
		st, cs := parameters("body", g)
		return append(body(st, cs), cs...)
	})
	return graph.While(condition, step, all...)[:len(state)]
}

// closure is graph.NewClosure without three leaks between functions: the graph's cache of scalar constants, the builder's caches of
// reduction functions, and the assumption that every closure is a child of main.
func closure(g *graph.Graph, fn func(g *graph.Graph) []*graph.Node) *graph.Function {
	defer isolateScalars(g)()

	builder, ok := field(g, "builder").Interface().(*xla.Builder)
	if !ok {
		return graph.NewClosure(g, fn)
	}
	caches := []string{"cacheReductions", "cacheArgMinMax", "cacheSelections"}
	saved := make([]reflect.Value, len(caches))
	for i, name := range caches {
		cache := field(builder, name)
		saved[i] = reflect.ValueOf(cache.Interface())
		cache.Set(reflect.MakeMap(cache.Type()))
	}
	main := reflect.ValueOf(field(builder, "mainFn").Interface())
	defer func() {
		for i, name := range caches {
			field(builder, name).Set(saved[i])
		}
		field(builder, "mainFn").Set(main)
	}()
	return graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		current := field(g.CurrentFunc(), "backendFunc").Interface().(*xla.Function)
		field(builder, "mainFn").Set(reflect.ValueOf(current))
		return fn(g)
	})
}

// isolateScalars gives the graph an empty cache of scalar constants until the returned function is called: they must not be shared between functions.
func isolateScalars(g *graph.Graph) (restore func()) {
	scalars := field(g, "scalars")
	old := reflect.ValueOf(scalars.Interface())
	scalars.Set(reflect.MakeMap(scalars.Type()))
	return func() { scalars.Set(old) }
}
