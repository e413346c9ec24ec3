package lm

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/device"
	"temper/lm/hf"
)

// Shapes gives the shape of every parameter in the canonical order of hf.Config.Tensors.
func Shapes(c hf.Config) []shapes.Shape { return ShapesOf(c.Tensors()) }

// ShapesOf gives the shapes of tensors.
func ShapesOf(specs []hf.TensorSpec) []shapes.Shape {
	out := make([]shapes.Shape, len(specs))
	for i, s := range specs {
		out[i] = device.Float32(s.Dims...)
	}
	return out
}

// Weights are the graph nodes of a decoder's parameters, found by their Hugging Face names.
type Weights struct {
	config hf.Config
	byName map[string]*Node
	scale  float64 // of an adapter's matrices, which are in byName too
}

// Bind names the nodes, which are in the canonical order of hf.Config.Tensors.
func Bind(c hf.Config, nodes []*Node) *Weights {
	w := &Weights{config: c, byName: make(map[string]*Node, len(nodes))}
	for i, s := range c.Tensors() {
		w.byName[s.Name] = nodes[i]
	}
	return w
}

// nodes are the weights in canonical order.
func (w *Weights) nodes() []*Node {
	specs := w.config.Tensors()
	out := make([]*Node, len(specs))
	for i, s := range specs {
		out[i] = w.byName[s.Name]
	}
	return out
}

// In gives the weights as a decoder that computes in dtype wants them: matrices, embeddings and biases in dtype, norms as they are. With bfloat16 the
// residual stream and the products are in half precision, while norms, softmax and the logits' log-sum-exp stay in float32; gradients
// arrive at the float32 parameters that the weights were bound to.
func (w *Weights) In(dtype dtypes.DType) *Weights {
	out := &Weights{config: w.config, byName: make(map[string]*Node, len(w.byName)), scale: w.scale}
	for name, n := range w.byName {
		if !strings.HasSuffix(name, "norm.weight") {
			n = ConvertDType(n, dtype)
		}
		out.byName[name] = n
	}
	return out
}

// get returns a parameter that the architecture must have.
func (w *Weights) get(name string) *Node {
	n, ok := w.byName[name]
	if !ok {
		panic(fmt.Sprintf("decoder has no parameter %s", name))
	}
	return n
}

// optional returns a parameter that some architectures lack, or nil.
func (w *Weights) optional(name string) *Node { return w.byName[name] }

// layer gives the parameters of one layer by their short names ("self_attn.q_proj.weight").
func (w *Weights) layer(l int) layerWeights {
	return layerWeights{w, fmt.Sprintf("model.layers.%d.", l)}
}

type layerWeights struct {
	all    *Weights
	prefix string
}

func (l layerWeights) get(name string) *Node      { return l.all.get(l.prefix + name) }
func (l layerWeights) optional(name string) *Node { return l.all.optional(l.prefix + name) }

// Upload puts a model's parameters on the device, in canonical order.
func Upload(c *device.Client, m *hf.Model) ([]*device.Buffer, error) {
	return UploadTensors(c, device.One, m.Config.Tensors(), m.Tensors)
}

// UploadTensors puts tensors on the device, or all of them, in the order of their specs.
func UploadTensors(c *device.Client, layout device.Layout, specs []hf.TensorSpec, tensors map[string]hf.Tensor) ([]*device.Buffer, error) {
	var out []*device.Buffer
	for _, s := range specs {
		t, ok := tensors[s.Name]
		if !ok {
			device.FreeAll(out...)
			return nil, fmt.Errorf("upload model: parameter %s is missing", s.Name)
		}
		b, err := device.UploadAs(c, layout, t.Data, s.Dims...)
		if err != nil {
			device.FreeAll(out...)
			return nil, fmt.Errorf("upload model: %s: %w", s.Name, err)
		}
		out = append(out, b)
	}
	return out, nil
}

// Download copies buffers, which are in the order of their specs, back to the host, by name.
func Download(specs []hf.TensorSpec, buffers []*device.Buffer) (map[string]hf.Tensor, error) {
	out := make(map[string]hf.Tensor, len(buffers))
	for i, s := range specs {
		data, err := device.Download[float32](buffers[i])
		if err != nil {
			return nil, fmt.Errorf("download model: %s: %w", s.Name, err)
		}
		out[s.Name] = hf.Tensor{Name: s.Name, Dims: s.Dims, Data: data}
	}
	return out, nil
}

// ConfigKey names a decoder's shapes and constants: configs with equal keys build the same graphs.
func ConfigKey(c hf.Config) string {
	scaling := hf.RopeScaling{}
	if c.RopeScaling != nil {
		scaling = *c.RopeScaling
	}
	c.RopeScaling = nil
	return fmt.Sprintf("%+v %+v", c, scaling)
}
