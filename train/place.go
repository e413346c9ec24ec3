package train

import (
	"github.com/gomlx/compute/shapes"

	"temper/device"
)

// Training across devices is data parallel: parameters are whole on each device, the rows of a batch are cut into a part for each, and the
// optimizer's state is cut too, so that each device keeps and updates its share of it (Rajbhandari et al. 2020, ZeRO stage 1, arXiv 1910.02054). XLA
// adds the communication. One device is the case where every part is the whole.

// momentLayout is how an array of the optimizer's state lies: cut where its first dimension allows.
func momentLayout(c *device.Client, s shapes.Shape) device.Layout {
	if s.Rank() > 0 && s.Dimensions[0]%c.Devices() == 0 {
		return device.Rows
	}
	return device.Whole
}

// whole, moments and rows are program inputs of the given shapes.
func whole(list ...shapes.Shape) []device.Array {
	out := make([]device.Array, len(list))
	for i, s := range list {
		out[i] = device.Array{Shape: s, Layout: device.Whole}
	}
	return out
}

func moments(c *device.Client, list []shapes.Shape) []device.Array {
	out := make([]device.Array, len(list))
	for i, s := range list {
		out[i] = device.Array{Shape: s, Layout: momentLayout(c, s)}
	}
	return out
}

func rows(list []shapes.Shape) []device.Array {
	out := make([]device.Array, len(list))
	for i, s := range list {
		out[i] = device.Array{Shape: s, Layout: device.Rows}
	}
	return out
}

// spread copies buffers of the first device to all of them; free releases the copies. With one device it gives the buffers themselves.
func spread(c *device.Client, buffers []*device.Buffer) (copies []*device.Buffer, free func(), err error) {
	if c.Devices() == 1 {
		return buffers, func() {}, nil
	}
	free = func() { device.FreeAll(copies...) }
	for _, b := range buffers {
		values, err := device.Download[float32](b)
		if err == nil {
			var copied *device.Buffer
			copied, err = device.UploadAs(c, device.Whole, values, b.Shape.Dimensions...)
			copies = append(copies, copied)
		}
		if err != nil {
			free()
			return nil, nil, err
		}
	}
	return copies, free, nil
}

// padded gives the batches with rows of padding added to each until they are a multiple of n.
func padded(batches []*Batch, n int) []*Batch {
	out := make([]*Batch, len(batches))
	for i, b := range batches {
		out[i] = b.padded(n)
	}
	return out
}

func (b *Batch) padded(n int) *Batch {
	missing := (n - b.Rows%n) % n
	if missing == 0 {
		return b
	}
	out := NewBatch(b.Rows+missing, b.Length, nil)
	copy(out.Tokens, b.Tokens)
	copy(out.Targets, b.Targets)
	copy(out.Positions, b.Positions)
	copy(out.Segments, b.Segments)
	copy(out.Weight, b.Weight)
	for name, values := range b.Columns {
		out.Columns[name] = append(append([]float32{}, values...), make([]float32, missing*b.Length)...)
	}
	return out
}
