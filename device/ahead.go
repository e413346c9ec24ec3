package device

import (
	"fmt"
	"os"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"

	"temper/device/workaround"
)

// Ahead is a client for a GPU that is not there: target is a file that describes it (XLA's GpuTargetConfigProto in text form), path the GPU's plugin. It
// compiles every program for that GPU, with the memory that a run would take, and computes nothing: uploads keep an array's shape only, runs give arrays
// of the right shapes, and downloads give zeros. It finds what would fail to compile or not fit before a GPU is paid for.
func Ahead(path, target string, o Options) (*Client, error) {
	if err := prepare(path, o); err != nil {
		return nil, err
	}
	description, err := os.ReadFile(target)
	if err != nil {
		return nil, fmt.Errorf("description of a GPU: %w", err)
	}
	t, err := workaround.NewTarget(path, string(description))
	if err != nil {
		return nil, fmt.Errorf("describe %s to XLA plugin %s: %w", target, path, err)
	}
	return newClient(&Client{backend: t.Backend, target: t, plugin: path, kind: t.Kind}, o)
}

// Absent says that the device is not there: see Ahead.
func (c *Client) Absent() bool { return c.target != nil }

// compileFor compiles the program for a device that is not there.
func (p *Program) compileFor(t *workaround.Target) error {
	source, err := workaround.Source(p.graph)
	if err != nil {
		return err
	}
	memory, err := t.Compile(source)
	if err != nil {
		return err
	}
	p.uses(memory)
	outputs := make([]shapes.Shape, len(p.outputs))
	for i, a := range p.outputs {
		outputs[i] = a.Shape
	}
	p.executable = dry{outputs}
	return nil
}

// dry stands for a program's code, which is not kept: a run gives arrays of the right shapes.
type dry struct{ outputs []shapes.Shape }

func (d dry) Finalize()                              {}
func (d dry) Inputs() (_ []string, _ []shapes.Shape) { return nil, nil }
func (d dry) Outputs() []shapes.Shape                { return d.outputs }

func (d dry) Execute([]compute.Buffer, []bool, compute.DeviceNum) ([]compute.Buffer, error) {
	out := make([]compute.Buffer, len(d.outputs))
	for i, s := range d.outputs {
		out[i] = absent{shape: s}
	}
	return out, nil
}

// absent is an array on a device that is not there. Whoever reads it gets what the memory it reads into holds.
type absent struct {
	compute.Buffer
	shape shapes.Shape
}

func (a absent) Finalize() error              { return nil }
func (a absent) Shape() (shapes.Shape, error) { return a.shape, nil }
func (a absent) ToFlatData(any) error         { return nil }

var _ compute.Executable = dry{}
