package device

import (
	"fmt"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/go-xla/pjrt"
	"github.com/gomlx/gomlx/core/graph"

	"temper/device/kernel"
	"temper/device/workaround"
)

// Program is one compiled XLA executable with fixed input and output shapes. It runs on the first device, or across all of them.
type Program struct {
	Name           string
	CompileSeconds float64
	Cached         bool  // the machine code came from the cache
	TemporaryBytes int64 // memory that a run takes beside inputs and outputs
	TotalBytes     int64 // memory that a run takes: inputs, outputs that reuse none of them, and temporaries

	graph      *graph.Graph
	executable compute.Executable
	devices    int
	inputs     []Array
	outputs    []Array
	donate     []bool // an input each, and again for each further device
}

// Array is the shape of a program's input or output, and how it lies on the devices.
type Array struct {
	shapes.Shape
	Layout Layout
}

// Compile traces fn over parameters of the given shapes and compiles the result for the first device. reuse maps an input to the output that
// takes over its memory: such an input is donated at every run and must not be used afterwards.
//
// Graph building panics on a programming error (a shape mismatch); the panic comes back as an error that names the program.
func (c *Client) Compile(name string, inputs []shapes.Shape, reuse map[int]int, fn func(in []*graph.Node) []*graph.Node) (*Program, error) {
	arrays := make([]Array, len(inputs))
	for i, s := range inputs {
		arrays[i] = Array{Shape: s}
	}
	return c.compile(&Program{Name: name, devices: 1, inputs: arrays}, reuse, fn)
}

// CompileAcross is Compile for all devices at once: fn sees whole arrays, and XLA divides the work as the inputs' layouts suggest and adds
// the communication that takes. An output that reuses an input has its layout; the others are whole. With one device it is Compile.
func (c *Client) CompileAcross(name string, inputs []Array, reuse map[int]int, fn func(in []*graph.Node) []*graph.Node) (*Program, error) {
	if c.Devices() == 1 {
		one := make([]shapes.Shape, len(inputs))
		for i, a := range inputs {
			one[i] = a.Shape
		}
		return c.Compile(name, one, reuse, fn)
	}
	return c.compile(&Program{Name: name, devices: c.Devices(), inputs: inputs}, reuse, fn)
}

func (c *Client) compile(p *Program, reuse map[int]int, fn func(in []*graph.Node) []*graph.Node) (_ *Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("build program %s: %v", p.Name, r)
		}
	}()
	start := time.Now()
	p.graph = graph.NewGraph(c.backend, p.Name)
	mesh, err := p.mesh()
	if err != nil {
		return nil, err
	}
	if c.kernels == nil && mesh == nil {
		defer kernel.Allow(p.graph)()
	}
	if c.flash {
		flashing.Store(p.graph, true)
		defer flashing.Delete(p.graph)
	}
	nodes := make([]*graph.Node, len(p.inputs))
	for i, a := range p.inputs {
		spec, err := a.spec(mesh)
		if err != nil {
			return nil, fmt.Errorf("build program %s: input %d: %w", p.Name, i, err)
		}
		nodes[i] = graph.ShardedParameter(p.graph, fmt.Sprintf("in%d", i), a.Shape, spec)
	}
	out := fn(nodes)
	layout := Whole
	if mesh == nil {
		layout = One
	}
	for _, n := range out {
		p.outputs = append(p.outputs, Array{n.Shape(), layout})
	}
	p.donate = make([]bool, p.devices*len(p.inputs))
	for i, o := range reuse {
		if !p.inputs[i].Equal(p.outputs[o].Shape) {
			return nil, fmt.Errorf("build program %s: input %d %s cannot be reused for output %d %s", p.Name, i, p.inputs[i].Shape, o, p.outputs[o].Shape)
		}
		p.outputs[o].Layout = p.inputs[i].Layout
		for d := range p.devices {
			p.donate[d*len(p.inputs)+i] = true
		}
	}
	workaround.Alias(p.graph, reuse)
	workaround.CustomCalls(p.graph)
	var specs []*distributed.ShardingSpec
	for _, a := range p.outputs {
		spec, err := a.spec(mesh)
		if err != nil {
			return nil, err
		}
		if mesh != nil {
			specs = append(specs, spec)
		}
	}
	p.graph.CurrentFunc().Return(out, specs)
	if c.target != nil {
		err = p.compileFor(c.target)
	} else if p.executable, p.Cached, err = c.executable(p.graph, mesh == nil); err == nil {
		p.uses(workaround.Memory(p.executable))
	}
	if err != nil {
		return nil, fmt.Errorf("compile program %s: %w", p.Name, err)
	}
	p.CompileSeconds = time.Since(start).Seconds()
	c.count(p)
	return p, nil
}

// uses notes what memory a run takes.
func (p *Program) uses(m pjrt.ExecutableMemoryUsageStats) {
	p.TemporaryBytes, p.TotalBytes = m.Temporary, m.Inputs+m.Outputs-m.Aliases+m.Temporary
}

// mesh is the line of devices that a program runs across, or nil for one device.
func (p *Program) mesh() (*distributed.DeviceMesh, error) {
	if p.devices == 1 {
		return nil, nil
	}
	mesh, err := distributed.NewDeviceMesh([]int{p.devices}, []string{"devices"})
	if err != nil {
		return nil, err
	}
	return mesh, p.graph.SetAutoSharding(mesh)
}

// spec is an array's layout in XLA's terms.
func (a Array) spec(mesh *distributed.DeviceMesh) (*distributed.ShardingSpec, error) {
	if mesh == nil {
		return nil, nil
	}
	b := distributed.BuildSpec(mesh)
	for axis := range a.Rank() {
		if axis == 0 && a.Layout == Rows {
			b = b.S("devices")
		} else {
			b = b.R()
		}
	}
	return b.Done()
}

// executable compiles a graph, or loads its code from the cache.
func (c *Client) executable(g *graph.Graph, cacheable bool) (e compute.Executable, cached bool, err error) {
	if c.cache == nil || !cacheable {
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
	n := len(in)
	raw := make([]compute.Buffer, p.devices*n)
	for i, b := range in {
		if b.gone() {
			return nil, fmt.Errorf("run %s: input %d was freed or donated", p.Name, i)
		}
		if want := p.inputs[i]; !b.Shape.Equal(want.Shape) {
			return nil, fmt.Errorf("run %s: input %d is %s, want %s", p.Name, i, b.Shape, want.Shape)
		} else if p.devices > 1 && b.layout != want.Layout || p.devices == 1 && b.layout == Rows && len(b.parts) > 1 {
			return nil, fmt.Errorf("run %s: input %d %s does not lie on the devices as the program wants it", p.Name, i, b.Shape)
		}
		for d := range p.devices {
			raw[d*n+i] = b.parts[d]
		}
	}
	results, err := p.executable.Execute(raw, p.donate, 0)
	for i, b := range in {
		if p.donate[i] {
			b.parts = nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", p.Name, exhausted(err))
	}
	out := make([]*Buffer, len(p.outputs))
	for o := range out {
		out[o] = &Buffer{layout: p.outputs[o].Layout, Shape: p.outputs[o].Shape}
		for d := range p.devices {
			out[o].parts = append(out[o].parts, results[d*len(out)+o])
		}
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
