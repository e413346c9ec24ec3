package workaround_test

import (
	"testing"

	"github.com/gomlx/compute/shapes"
	"github.com/stretchr/testify/require"

	"temper/device"
)

func shapesOf(n int) []shapes.Shape { return []shapes.Shape{device.Float32(n)} }

// run executes a program of one vector and returns an output.
func run(t *testing.T, c *device.Client, p *device.Program, output int, x []float32) []float32 {
	t.Helper()
	in, err := device.Upload(c, x, len(x))
	require.NoError(t, err)
	out, err := p.Run(in)
	require.NoError(t, err)
	got, err := device.Download[float32](out[output])
	require.NoError(t, err)
	return got
}
