package device

import (
	"errors"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
)

// flashing are the graphs that are being compiled for a client with Options.Flash.
var flashing sync.Map

// Flashes says whether a graph's program may use the device's fused attention.
func Flashes(g *graph.Graph) bool {
	_, ok := flashing.Load(g)
	return ok
}

// WithFlash is the same device for programs whose attention in half precision is its fused one, forward and backward; an error where it has none.
func (c *Client) WithFlash() (*Client, error) {
	operations := c.backend.Capabilities().Operations
	if !operations[compute.OpTypeFusedScaledDotProductAttention] || !operations[compute.OpTypeFusedScaledDotProductAttentionVJP] {
		return nil, errors.New("xla.flash_attention: this device has no fused attention; it is for CUDA")
	}
	if c.Devices() > 1 {
		return nil, errors.New("xla.flash_attention: fused attention is for one device; training across several cannot call it")
	}
	fused := c.view()
	fused.flash = true
	return fused, nil
}
