package device

import (
	"fmt"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"temper/device/kernel"
	"temper/device/workaround"
)

func dtypeOf[T Element]() dtypes.DType {
	var zero T
	switch any(zero).(type) {
	case float32:
		return dtypes.Float32
	case int32:
		return dtypes.Int32
	case uint32:
		return dtypes.Uint32
	default:
		return dtypes.Bool
	}
}

// Program is one compiled XLA executable with fixed input and output shapes.
type Program struct {
	Name           string
	CompileSeconds float64
	Cached         bool  // the machine code came from the cache
	TemporaryBytes int64 // memory that a run takes beside inputs and outputs

	graph      *graph.Graph
	executable compute.Executable
	inputs     []shapes.Shape
	outputs    []shapes.Shape
	donate     []bool
}

// Compile traces fn over parameters of the given shapes and compiles the result. reuse maps an input to the output that takes over
// its memory: such an input is donated at every run and must not be used afterwards.
//
// Graph building panics on a programming error (a shape mismatch); the panic comes back as an error that names the program.
func (c *Client) Compile(name string, inputs []shapes.Shape, reuse map[int]int, fn func(in []*graph.Node) []*graph.Node) (p *Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("build program %s: %v", name, r)
		}
	}()
	start := time.Now()
	g := graph.NewGraph(c.backend, name)
	if c.kernels == nil {
		defer kernel.Allow(g)()
	}
	nodes := make([]*graph.Node, len(inputs))
	for i, s := range inputs {
		nodes[i] = graph.Parameter(g, fmt.Sprintf("in%d", i), s)
	}
	out := fn(nodes)
	p = &Program{Name: name, graph: g, inputs: inputs, donate: make([]bool, len(inputs))}
	for _, n := range out {
		p.outputs = append(p.outputs, n.Shape())
	}
	for i, o := range reuse {
		if !inputs[i].Equal(p.outputs[o]) {
			return nil, fmt.Errorf("build program %s: input %d %s cannot be reused for output %d %s", name, i, inputs[i], o, p.outputs[o])
		}
		p.donate[i] = true
	}
	workaround.Alias(g, reuse)
	workaround.CustomCalls(g)
	g.CurrentFunc().Return(out, nil)
	if p.executable, p.Cached, err = c.executable(g); err != nil {
		return nil, fmt.Errorf("compile program %s: %w", name, err)
	}
	p.TemporaryBytes = workaround.TemporaryBytes(p.executable)
	p.CompileSeconds = time.Since(start).Seconds()
	c.count(p)
	return p, nil
}

// executable compiles a graph, or loads its code from the cache.
func (c *Client) executable(g *graph.Graph) (e compute.Executable, cached bool, err error) {
	if c.cache == nil {
		e, err = workaround.Compile(g)
		return e, false, err
	}
	source, err := workaround.Source(g)
	if err != nil {
		return nil, false, err
	}
	if code := c.cache.get(source); code != nil {
		if e, err = workaround.Load(g, code); err == nil {
			return e, true, nil
		}
		c.log.Warn("a cached program does not load and is compiled again", "program", g.Name(), "error", err)
		c.cache.drop(source)
	}
	if e, err = workaround.Compile(g); err != nil {
		return nil, false, err
	}
	code, err := workaround.Serialize(e)
	if err == nil {
		err = c.cache.put(source, code)
	}
	if err != nil {
		c.log.Warn("a compiled program is not cached", "program", g.Name(), "error", err)
	}
	return e, false, nil
}

// Run executes the program. Donated inputs are consumed, also when it fails.
func (p *Program) Run(in ...*Buffer) ([]*Buffer, error) {
	if len(in) != len(p.inputs) {
		return nil, fmt.Errorf("run %s: got %d inputs, want %d", p.Name, len(in), len(p.inputs))
	}
	raw := make([]compute.Buffer, len(in))
	for i, b := range in {
		if b == nil || b.raw == nil {
			return nil, fmt.Errorf("run %s: input %d was freed or donated", p.Name, i)
		}
		if !b.Shape.Equal(p.inputs[i]) {
			return nil, fmt.Errorf("run %s: input %d is %s, want %s", p.Name, i, b.Shape, p.inputs[i])
		}
		raw[i] = b.raw
	}
	results, err := p.executable.Execute(raw, p.donate, 0)
	for i, d := range p.donate {
		if d {
			in[i].raw = nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", p.Name, err)
	}
	out := make([]*Buffer, len(results))
	for i, r := range results {
		out[i] = &Buffer{raw: r, Shape: p.outputs[i]}
	}
	return out, nil
}

// Close frees the executable.
func (p *Program) Close() {
	p.executable.Finalize()
	p.graph.Finalize()
}

// Float32, Int32 and Uint32 are shapes of device arrays, for lists of program inputs.
func Float32(dims ...int) shapes.Shape { return shapes.Make(dtypes.Float32, dims...) }

// Int32 is the shape of a 32-bit integer array.
func Int32(dims ...int) shapes.Shape { return shapes.Make(dtypes.Int32, dims...) }

// Uint32 is the shape of a 32-bit unsigned integer array.
func Uint32(dims ...int) shapes.Shape { return shapes.Make(dtypes.Uint32, dims...) }
