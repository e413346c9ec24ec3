package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
)

// The kernel and the graph are the same optimizer, for tensors that fill neither a vector nor a chunk of the kernel, with and without clipping.
func TestAdamWKernelIsTheGraph(t *testing.T) {
	c := devicetest.Client(t)
	tensors := []shapes.Shape{device.Float32(3), device.Float32(130, 133), device.Float32(7, 5), device.Float32(40000)}
	update := func(t *testing.T, c *device.Client, o Optimizer, poison float32) (state [][]float32, norm float32) {
		n := len(tensors)
		inputs := append(concat(tensors, tensors, tensors, tensors), device.Float32(), device.Float32())
		p, err := c.Compile("update", inputs, identity(3*n), func(x []*Node) []*Node {
			state, norm := graphs{optimizer: o}.update(x[:n], x[n:2*n], x[2*n:3*n], x[3*n:4*n], x[4*n], x[4*n+1])
			return append(state, norm)
		})
		require.NoError(t, err)
		defer p.Close()
		r := rand.New(rand.NewPCG(1, 2))
		var in []*device.Buffer
		for i, s := range inputs[:4*n] {
			values := make([]float32, s.Size())
			for j := range values {
				values[j] = float32(r.NormFloat64())
				if i/n == 2 {
					values[j] *= values[j] // a mean of squares
				}
			}
			if i == 4*n-1 {
				values[len(values)-1] += poison
			}
			b, err := device.Upload(c, values, s.Dimensions...)
			require.NoError(t, err)
			in = append(in, b)
		}
		for _, x := range []float32{7, 1e-2} { // the step and the learning rate
			b, err := device.Upload(c, []float32{x})
			require.NoError(t, err)
			in = append(in, b)
		}
		defer device.FreeAll(in...)
		out, err := p.Run(in...)
		require.NoError(t, err)
		defer device.FreeAll(out...)
		for _, b := range out {
			values, err := device.Download[float32](b)
			require.NoError(t, err)
			state = append(state, values)
		}
		return state[:3*n], state[3*n][0]
	}
	for name, o := range map[string]Optimizer{
		"clipped": {Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, WeightDecay: 0.1, ClipNorm: 1},
		"below":   {Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.1, ClipNorm: 1e6},
		"free":    {Beta1: 0.5, Beta2: 0.5, Epsilon: 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, norm := update(t, c, o, 0)
			want, wanted := update(t, c.WithoutKernels(), o, 0)
			require.InEpsilon(t, wanted, norm, 1e-6)
			for i := range want {
				require.InDeltaSlice(t, want[i], got[i], 1e-5, "tensor %d", i)
			}
			again, _ := update(t, c, o, 0)
			require.Equal(t, got, again)
			before, norm := update(t, c, o, float32(math.NaN()))
			require.True(t, math.IsNaN(float64(norm)))
			same, _ := update(t, c.WithoutKernels(), o, float32(math.Inf(1)))
			require.Equal(t, same, before, "a gradient that is not finite changes nothing")
		})
	}
}
