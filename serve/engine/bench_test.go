package engine

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/bench/side"
	"temper/device"
	"temper/device/devicetest"
	"temper/lm"
	"temper/lm/hf"
	"temper/rollout"
)

// BenchmarkDecode is what chunks cost beside a whole generation of the same tokens (bench's shapes, 16 prompt tokens, 112 new).
func BenchmarkDecode(b *testing.B) {
	c := devicetest.Client(b)
	const promptLength, n = 16, 112
	for _, x := range []struct {
		shape string
		batch int
	}{{"A", 1}, {"A", 16}, {"B", 1}, {"B", 16}} {
		config, err := side.Shape(x.shape)
		require.NoError(b, err)
		files := &hf.Model{Config: config, Tensors: lm.Init(config, 1)}
		prompts := make([][]int32, x.batch)
		for i := range prompts {
			for j := range promptLength {
				prompts[i] = append(prompts[i], int32((7*i+31*j)%config.VocabSize))
			}
		}
		stops := []int32{-5}
		rate := func(b *testing.B, f func()) {
			f() // compiles
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.N*x.batch*n)/b.Elapsed().Seconds(), "tokens/s")
		}
		b.Run(fmt.Sprintf("%s%d/whole", x.shape, x.batch), func(b *testing.B) {
			params, err := lm.Upload(c, files)
			require.NoError(b, err)
			defer device.FreeAll(params...)
			s := rollout.NewSampler(c)
			var all []rollout.Prompt
			for i, p := range prompts {
				all = append(all, rollout.Prompt{Tokens: p, Key: Key(1, i, 0)})
			}
			rate(b, func() {
				_, err := s.Sample(context.Background(), config, params, all, rollout.Options{MaxNew: n, Batch: x.batch, Temperature: 1, Stops: stops})
				require.NoError(b, err)
			})
		})
		for _, chunk := range []int{4, 8, 16} {
			b.Run(fmt.Sprintf("%s%d/chunks of %d", x.shape, x.batch, chunk), func(b *testing.B) {
				e, err := New(c, files, stops, Options{MaxBatch: 16, MaxWaiting: 16, Context: 256, Chunk: chunk})
				require.NoError(b, err)
				defer e.Close()
				rate(b, func() {
					var all []*Sequence
					for i, p := range prompts {
						all = append(all, &Sequence{Prompt: p, MaxNew: n, Key: Key(1, i, 0), Temperature: 1, TopP: 1, Accept: func(Token) bool { return true }})
					}
					j, err := e.Submit(context.Background(), all)
					require.NoError(b, err)
					<-j.Done()
					require.NoError(b, j.Err())
				})
			})
		}
	}
}
