package device_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
)

// accumulate is a program with a donated input, an alias and two outputs.
func accumulate(t *testing.T, c *device.Client, n int) *device.Program {
	t.Helper()
	p, err := c.Compile("accumulate", []shapes.Shape{device.Float32(n), device.Float32(n)}, map[int]int{0: 0}, func(in []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.Add(in[0], in[1]), graph.ReduceAllSum(graph.Tanh(in[1]))}
	})
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

func accumulated(t *testing.T, c *device.Client, p *device.Program) (sums, total []float32) {
	t.Helper()
	a, err := device.Upload(c, []float32{1, 2, 3}, 3)
	require.NoError(t, err)
	b, err := device.Upload(c, []float32{0.5, 0.25, 4}, 3)
	require.NoError(t, err)
	out, err := p.Run(a, b)
	require.NoError(t, err)
	sums, err = device.Download[float32](out[0])
	require.NoError(t, err)
	total, err = device.Download[float32](out[1])
	require.NoError(t, err)
	_, err = p.Run(a, b)
	require.ErrorContains(t, err, "freed or donated")
	return sums, total
}

func TestCachedProgramsComputeTheSameBits(t *testing.T) {
	c := devicetest.Client(t).WithoutKernels()
	dir := t.TempDir()
	require.NoError(t, c.CacheCode(dir, 1<<20))
	first := accumulate(t, c, 3)
	require.False(t, first.Cached)
	second := accumulate(t, c, 3)
	require.True(t, second.Cached)
	require.Positive(t, first.TotalBytes)
	require.Equal(t, device.Compilations{Programs: 2, Cached: 1, Seconds: first.CompileSeconds + second.CompileSeconds, Bytes: first.TotalBytes}, c.Compilations())
	sums, total := accumulated(t, c, first)
	require.Equal(t, []float32{1.5, 2.25, 7}, sums)
	again, totalAgain := accumulated(t, c, second)
	require.Equal(t, sums, again)
	require.Equal(t, total, totalAgain)
	require.False(t, accumulate(t, c, 4).Cached, "another shape is another program")
}

func TestDamagedCodeIsCompiledAgain(t *testing.T) {
	c := devicetest.Client(t).WithoutKernels()
	dir := t.TempDir()
	require.NoError(t, c.CacheCode(dir, 1<<20))
	accumulate(t, c, 3)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	data, err := os.ReadFile(files[0])
	require.NoError(t, err)
	for _, damaged := range [][]byte{nil, data[:10], data[:len(data)-1], append([]byte{data[0] ^ 1}, data[1:]...)} {
		require.NoError(t, os.WriteFile(files[0], damaged, 0o600))
		p := accumulate(t, c, 3)
		require.False(t, p.Cached)
		sums, _ := accumulated(t, c, p)
		require.Equal(t, []float32{1.5, 2.25, 7}, sums)
		require.True(t, accumulate(t, c, 3).Cached)
	}
}

func TestTheCacheKeepsItsLimit(t *testing.T) {
	c := devicetest.Client(t).WithoutKernels()
	dir := t.TempDir()
	require.NoError(t, c.CacheCode(dir, 1<<20))
	accumulate(t, c, 3)
	size := folderSize(t, dir)
	require.NoError(t, c.CacheCode(dir, 2*size+size/2))
	for n := 4; n < 8; n++ {
		accumulate(t, c, n)
		accumulate(t, c, 3) // used last: stays
	}
	require.LessOrEqual(t, folderSize(t, dir), 2*size+size/2)
	require.True(t, accumulate(t, c, 3).Cached)
	require.False(t, accumulate(t, c, 4).Cached)
}

func folderSize(t *testing.T, dir string) (total int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		i, err := e.Info()
		require.NoError(t, err)
		total += i.Size()
	}
	return total
}
