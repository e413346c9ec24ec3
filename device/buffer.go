package device

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// Element is a Go type that travels to and from the device.
type Element interface {
	~float32 | ~int32 | ~uint32 | ~bool
}

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

// Layout says how an array lies on a client's devices.
type Layout int

const (
	One   Layout = iota // on the first device only
	Whole               // a copy on each device
	Rows                // cut along the first axis, a part on each device
)

// Buffer is an array on the device, or on all of them. Whoever holds it frees it, unless a program it was donated to has consumed it.
type Buffer struct {
	parts  []compute.Buffer // one, or one a device
	layout Layout
	Shape  shapes.Shape // of the whole array
}

func (b *Buffer) gone() bool { return b == nil || b.parts == nil }

// Upload copies flat to the first device as an array of the given dimensions (none for a scalar).
func Upload[T Element](c *Client, flat []T, dims ...int) (*Buffer, error) {
	return UploadAs(c, One, flat, dims...)
}

// UploadAs copies flat to the devices in the given layout. Rows wants the first dimension to be a multiple of the number of devices.
func UploadAs[T Element](c *Client, layout Layout, flat []T, dims ...int) (*Buffer, error) {
	shape := shapes.Make(dtypeOf[T](), dims...)
	if shape.Size() != len(flat) {
		return nil, fmt.Errorf("upload %s: got %d values", shape, len(flat))
	}
	b := &Buffer{layout: layout, Shape: shape}
	part, err := c.partShape(shape, layout)
	if err != nil {
		return nil, fmt.Errorf("upload %w", err)
	}
	n := 1
	if layout != One {
		n = c.Devices()
	}
	for d := range n {
		values := flat
		if layout == Rows {
			values = flat[d*part.Size() : (d+1)*part.Size()]
		}
		raw, err := c.buffer(compute.DeviceNum(d), values, part)
		if err != nil {
			b.Free()
			return nil, fmt.Errorf("upload %s: %w", shape, exhausted(err))
		}
		b.parts = append(b.parts, raw)
	}
	return b, nil
}

// buffer is values on a device, or their shape where the device is not there.
func (c *Client) buffer(device compute.DeviceNum, values any, shape shapes.Shape) (compute.Buffer, error) {
	if c.target != nil {
		return absent{shape: shape}, nil
	}
	return c.backend.BufferFromFlatData(device, values, shape)
}

// partShape is the shape of an array's part on one device.
func (c *Client) partShape(shape shapes.Shape, layout Layout) (shapes.Shape, error) {
	if layout != Rows {
		return shape, nil
	}
	if shape.Rank() == 0 || shape.Dimensions[0]%c.Devices() != 0 {
		return shape, fmt.Errorf("%s: the first dimension cannot be cut into %d equal parts", shape, c.Devices())
	}
	part := shape.Clone()
	part.Dimensions[0] /= c.Devices()
	return part, nil
}

// Download copies a buffer back to the host; it waits for the program that computes it.
func Download[T Element](b *Buffer) ([]T, error) {
	if b.gone() {
		return nil, errors.New("download: the buffer was freed or donated")
	}
	out := make([]T, b.Shape.Size())
	parts := b.parts
	if b.layout != Rows {
		parts = parts[:1]
	}
	for i, p := range parts {
		size := len(out) / len(parts)
		if err := p.ToFlatData(out[i*size : (i+1)*size]); err != nil {
			return nil, fmt.Errorf("download %s: %w", b.Shape, exhausted(err))
		}
	}
	return out, nil
}

// Free releases the device memory at once; freeing twice, or after donation, does nothing.
func (b *Buffer) Free() {
	if b.gone() {
		return
	}
	for _, p := range b.parts {
		_ = p.Finalize() // the only failure is "already finalized"
	}
	b.parts = nil
}

// FreeAll frees every buffer in the list.
func FreeAll(buffers ...*Buffer) {
	for _, b := range buffers {
		b.Free()
	}
}
