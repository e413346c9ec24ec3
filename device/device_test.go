package device_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/device/plugin"
)

func TestOpenNamesTheSetting(t *testing.T) {
	_, err := device.Open("", device.Options{})
	require.ErrorIs(t, err, device.ErrNoPlugin)
	_, err = device.Open("/no/such/plugin.so", device.Options{})
	require.ErrorIs(t, err, device.ErrNoPlugin)
	require.ErrorContains(t, err, "xla.plugin")
}

func TestBuffersRoundTripAndCheckSizes(t *testing.T) {
	c := devicetest.Client(t)
	require.True(t, c.IsCPU())
	b, err := device.Upload(c, []int32{1, 2, 3, 4, 5, 6}, 2, 3)
	require.NoError(t, err)
	got, err := device.Download[int32](b)
	require.NoError(t, err)
	require.Equal(t, []int32{1, 2, 3, 4, 5, 6}, got)
	b.Free()
	b.Free()
	_, err = device.Download[int32](b)
	require.Error(t, err)
	_, err = device.Upload(c, []float32{1}, 2)
	require.ErrorContains(t, err, "got 1 values")
}

func TestProgramsCheckTheirInputs(t *testing.T) {
	c := devicetest.Client(t)
	before := c.Compilations().Programs
	p, err := c.Compile("sum", []shapes.Shape{device.Float32(2), device.Float32(2)}, nil, func(in []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.Add(in[0], in[1])}
	})
	require.NoError(t, err)
	defer p.Close()
	require.Equal(t, before+1, c.Compilations().Programs)
	two, err := device.Upload(c, []float32{1, 2}, 2)
	require.NoError(t, err)
	three, err := device.Upload(c, []float32{1, 2, 3}, 3)
	require.NoError(t, err)
	_, err = p.Run(two)
	require.ErrorContains(t, err, "got 1 inputs, want 2")
	_, err = p.Run(two, three)
	require.ErrorContains(t, err, "input 1")
	two.Free()
	_, err = p.Run(two, two)
	require.ErrorContains(t, err, "freed or donated")

	// A programming error while the graph is built comes back as an error that names the program.
	_, err = c.Compile("broken", []shapes.Shape{device.Float32(2), device.Float32(3)}, nil, func(in []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.Add(in[0], in[1])}
	})
	require.ErrorContains(t, err, "broken")
	_, err = c.Compile("misfit", []shapes.Shape{device.Float32(2)}, map[int]int{0: 0}, func(in []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.ReduceAllSum(in[0])}
	})
	require.ErrorContains(t, err, "cannot be reused")
}

// Programs that differ in nothing but their shapes are told of once there are many.
func TestManyShapesAreTold(t *testing.T) {
	path, err := plugin.Find(os.Getenv("TEMPER_XLA_PLUGIN"), "")
	require.NoError(t, err)
	var log bytes.Buffer
	c, err := device.Open(path, device.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	for n := 1; n <= 16; n++ {
		require.NotContains(t, log.String(), "level=WARN")
		p, err := c.Compile(fmt.Sprintf("sum_%d", n), []shapes.Shape{device.Float32(n)}, nil, func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{graph.ReduceAllSum(in[0])}
		})
		require.NoError(t, err)
		p.Close()
	}
	require.Contains(t, log.String(), "level=WARN")
	require.Contains(t, log.String(), "kind=sum programs=16")
	require.Contains(t, log.String(), "program=sum_3 seconds=")
}

func TestOptionsOfThePlugin(t *testing.T) {
	path, err := plugin.Find(os.Getenv("TEMPER_XLA_PLUGIN"), "")
	require.NoError(t, err)
	_, err = device.Open(path, device.Options{Create: map[string]any{"cpu_device_count": []int{1}}})
	require.ErrorContains(t, err, "xla.options.cpu_device_count")
	c, err := device.Open(path, device.Options{Create: map[string]any{"cpu_device_count": 3}})
	require.NoError(t, err)
	require.Equal(t, 3, c.Devices())
	b, err := device.UploadAs(c, device.Rows, []int32{1, 2, 3, 4, 5, 6}, 6)
	require.NoError(t, err)
	got, err := device.Download[int32](b)
	require.NoError(t, err)
	require.Equal(t, []int32{1, 2, 3, 4, 5, 6}, got)
	_, err = device.UploadAs(c, device.Rows, []int32{1, 2, 3, 4}, 4)
	require.ErrorContains(t, err, "cannot be cut into 3 equal parts")
}

// Fused attention is refused where the device has none, by the setting's name.
func TestFlashIsForCUDA(t *testing.T) {
	devicetest.Client(t) // says how to get the plugin
	path, err := plugin.Find(os.Getenv("TEMPER_XLA_PLUGIN"), "")
	require.NoError(t, err)
	_, err = device.Open(path, device.Options{Flash: true})
	require.ErrorContains(t, err, "xla.flash_attention: this device has no fused attention")
}
