package side

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"golang.org/x/sys/unix"

	"temper/device"
	"temper/lm/hf"
)

// Matmul times one product of two n×n matrices in float32 by XLA: 2n³ operations. What it reaches bounds what a training step can reach.
func Matmul(c *device.Client, n, times int) (Times, error) {
	return matmul(c, n, times, dtypes.Float32)
}

// MatmulHalf is Matmul in bfloat16.
func MatmulHalf(c *device.Client, n, times int) (Times, error) {
	return matmul(c, n, times, dtypes.BFloat16)
}

func matmul(c *device.Client, n, times int, dtype dtypes.DType) (Times, error) {
	square := device.Float32(n, n)
	p, err := c.Compile("matmul", []shapes.Shape{square, square}, nil, func(x []*graph.Node) []*graph.Node {
		y := graph.Dot(graph.ConvertDType(x[0], dtype), graph.ConvertDType(x[1], dtype)).Product()
		return []*graph.Node{graph.ReduceAllMax(graph.ConvertDType(y, dtypes.Float32))}
	})
	if err != nil {
		return Times{}, err
	}
	defer p.Close()
	var in []*device.Buffer
	for range 2 {
		values := make([]float32, n*n)
		for i := range values {
			values[i] = float32(i%17) / 16
		}
		b, err := device.Upload(c, values, n, n)
		if err != nil {
			return Times{}, err
		}
		in = append(in, b)
	}
	defer device.FreeAll(in...)
	return timed(times, func() error {
		out, err := p.Run(in...)
		if err != nil {
			return err
		}
		defer device.FreeAll(out...)
		_, err = device.Download[float32](out[0])
		return err
	})
}

// Copy times the copying of n bytes that no cache holds, by all processors at once; as in STREAM, 2n bytes move.
func Copy(n, times int) (Times, error) {
	from, to := make([]byte, n), make([]byte, n)
	for i := range from {
		from[i] = byte(i)
	}
	return timed(times, shared(n, func(begin, end int) { copy(to[begin:end], from[begin:end]) }))
}

// Read times the reading of n bytes that no cache holds, by all processors at once.
func Read(n, times int) (Times, error) {
	zeros, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return Times{}, fmt.Errorf("map %d bytes: %w", n, err)
	}
	defer func() { _ = unix.Munmap(zeros) }()
	if err := unix.Madvise(zeros, unix.MADV_HUGEPAGE); err != nil {
		return Times{}, fmt.Errorf("huge pages: %w", err)
	}
	for i := 0; i < n; i += os.Getpagesize() {
		zeros[i] = 0 // else all pages are the one page of zeros
	}
	return timed(times, shared(n, func(begin, end int) { bytes.IndexByte(zeros[begin:end], 1) }))
}

// shared does work on n bytes, each processor on its part of them.
func shared(n int, work func(begin, end int)) func() error {
	workers := runtime.NumCPU()
	return func() error {
		var wg sync.WaitGroup
		for w := range workers {
			part := n / workers
			wg.Go(func() { work(w*part, (w+1)*part) })
		}
		wg.Wait()
		return nil
	}
}

// TrainOperations are the floating-point operations of the products in one optimizer step, forward and backward (three times the forward pass):
// two for each weight of a product and token, the output head among them, and attention's two products over the causal half.
func TrainOperations(c hf.Config, rows, length int) float64 {
	weights := 0
	for _, s := range c.Tensors() {
		if len(s.Dims) == 2 && (s.Name != "model.embed_tokens.weight" || c.TieEmbeddings) {
			weights += s.Dims[0] * s.Dims[1]
		}
	}
	attention := 2 * c.Layers * c.Heads * c.HeadDim * length / 2 // of a token: the mean of its causal half
	return 3 * 2 * float64(weights+attention) * float64(rows*length)
}
