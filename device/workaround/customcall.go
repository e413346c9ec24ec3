package workaround

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/stablehlo"
	stablehloshapes "github.com/gomlx/go-xla/types/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// customCallPrefix marks the stand-ins whose calls CustomCalls rewrites; target and attributes follow it.
const customCallPrefix = "custom_call\n"

// CustomCall adds a call of a handler that is registered with XLA's typed foreign-function interface, with int64 attributes. Neither GoMLX
// v0.28.8 nor go-xla v0.4.5 can express it: this calls a stand-in, a function that returns zeros of the right shapes, and
// CustomCalls turns that into the custom call before the graph is compiled. same maps an output to the input whose memory it takes over, with what
// is in it.
func CustomCall(target string, attributes map[string]int64, same map[int]int, outputs []shapes.Shape, inputs ...*graph.Node) []*graph.Node {
	g := inputs[0].Graph()
	var list []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		list = append(list, fmt.Sprintf("%s = %d : i64", name, attributes[name]))
	}
	var aliases []string
	for _, output := range slices.Sorted(maps.Keys(same)) {
		tuple := ""
		if len(outputs) > 1 {
			tuple = fmt.Sprint(output)
		}
		aliases = append(aliases, fmt.Sprintf("#stablehlo.output_operand_alias<output_tuple_indices = [%s], operand_index = %d, operand_tuple_indices = []>", tuple, same[output]))
	}
	defer isolateScalars(g)()
	name := fmt.Sprintf("%s%s\n{%s}\n[%s]\n%d", customCallPrefix, target, strings.Join(list, ", "), strings.Join(aliases, ", "), field(g, "functions").Len())
	standIn := graph.NewFunction(g, name, func(g *graph.Graph) []*graph.Node {
		for i, in := range inputs {
			graph.Parameter(g, fmt.Sprintf("%d", i), in.Shape())
		}
		out := make([]*graph.Node, len(outputs))
		for i, s := range outputs {
			out[i] = graph.Zeros(g, s)
		}
		return out
	})
	return standIn.Call(inputs...)
}

// CustomGradient sets the gradient of a CustomCall. outputs are its outputs; fn gets the call's inputs (recomputed, under gradient
// checkpointing) and one adjoint an output, nil where none arrives, and returns one gradient an input.
func CustomGradient(outputs []*graph.Node, fn func(inputs, adjoints []*graph.Node) []*graph.Node) {
	node := outputs[0]
	if len(outputs) > 1 {
		node = node.Inputs()[0] // the outputs are splits of the call's node
	}
	field(node, "customVJP").Set(reflect.ValueOf(graph.VJP(func(node *graph.Node, adjoints []*graph.Node, _ shapes.Shape) []*graph.Node {
		return fn(node.Inputs(), adjoints)
	})))
}

// CustomCalls rewrites the stand-ins of CustomCall. Call it before the graph is compiled.
func CustomCalls(g *graph.Graph) {
	builder, ok := field(g, "builder").Interface().(*xla.Builder)
	if !ok {
		return
	}
	functions := field(field(builder, "builder").Interface().(*stablehlo.Builder), "functions").Addr().Interface().(*[]*stablehlo.Function)
	*functions = slices.DeleteFunc(*functions, func(f *stablehlo.Function) bool { return strings.HasPrefix(f.Name, customCallPrefix) })
	pattern := customCallStatement()
	for _, f := range *functions {
		rewriteCalls(f, pattern)
	}
}

func rewriteCalls(f *stablehlo.Function, pattern *stablehlo.Statement) {
	for _, s := range f.Statements {
		for _, region := range s.FunctionParameters {
			rewriteCalls(region, pattern)
		}
		callee, ok := s.Attributes["callee"]
		if !ok {
			continue
		}
		rest, ok := strings.CutPrefix(reflect.ValueOf(callee).FieldByName("name").String(), customCallPrefix)
		if !ok {
			continue
		}
		parts := strings.Split(rest, "\n")
		s.OpType = pattern.OpType
		s.Attributes = map[string]any{"call_target_name": parts[0], "api_version": int32(4), "backend_config": verbatim(parts[1])}
		if parts[2] != "[]" {
			s.Attributes["output_operand_aliases"] = verbatim(parts[2])
		}
	}
}

// customCallStatement is some custom call, for the type of its operation, which go-xla keeps internal.
func customCallStatement() *stablehlo.Statement {
	main := stablehlo.New("pattern").Main()
	shape := stablehloshapes.Make(dtypes.Float32, 1)
	x, err := main.Input(shape)
	if err == nil {
		_, err = stablehlo.CustomCallV2("pattern", "", []*stablehlo.Value{x}, nil, []stablehloshapes.Shape{shape}, nil)
	}
	if err != nil {
		panic(fmt.Errorf("build a custom call: %w", err))
	}
	return main.Statements[len(main.Statements)-1]
}

// verbatim is an attribute that is written as it stands.
type verbatim string

func (v verbatim) ToStableHLO() string { return string(v) }
