package main

import (
	"context"
	"fmt"
	"strconv"

	"temper/bench/side"
)

// The machine itself as the peer: how long the work would take if nothing but its products, or its reading of the weights, took time.

const (
	matmulSize = 1024
	memoryMiB  = 256
)

var machineRows = []row{
	{"train_B_vs_matmul_rate", 0.7, ours("train", "B", "4", "512", "4"), matmulSeconds("B", 4, 512), func(ours, peer float64) string {
		return fmt.Sprintf("%.0f ms a step of 4×512 tokens; its products alone would take %.0f ms at the rate of a %d×%d product", 1e3*ours, 1e3*peer, matmulSize, matmulSize)
	}},
	readingRow("decode_B1_vs_copy_bandwidth", 0.8, "copy", 2, "the bandwidth of a copy (bytes read and written)"),
	readingRow("decode_B1_vs_read_bandwidth", 0, "read", 1, "the bandwidth of reading"),
}

// readingRow is decoding beside the reading of its weights, at the bandwidth of a measure of the machine that moves each of its bytes so many times.
func readingRow(name string, target float64, measure string, moves int, at string) row {
	return row{name, target, ours("decode", "B", "1", strconv.Itoa(generated), "2"), readSeconds("B", measure, moves), func(ours, peer float64) string {
		return fmt.Sprintf("%.2f ms a token; reading the weights once would take %.2f ms at %s", 1e3*ours/generated, 1e3*peer/generated, at)
	}}
}

// matmulSeconds is how long a step's products take at the rate of one large product.
func matmulSeconds(shape string, rows, length int) work {
	return func(ctx context.Context, b *bench, pair int) (float64, error) {
		config, err := side.Shape(shape)
		if err != nil {
			return 0, err
		}
		seconds, err := ours("matmul", "-", strconv.Itoa(matmulSize), "-", "20")(ctx, b, pair)
		rate := 2 * float64(matmulSize) * float64(matmulSize) * float64(matmulSize) / seconds
		return side.TrainOperations(config, rows, length) / rate, err
	}
}

// readSeconds is how long reading the weights in float32 takes, once for each token generated.
func readSeconds(shape, measure string, moves int) work {
	return func(ctx context.Context, b *bench, pair int) (float64, error) {
		config, err := side.Shape(shape)
		if err != nil {
			return 0, err
		}
		seconds, err := ours(measure, "-", strconv.Itoa(memoryMiB), "-", "20")(ctx, b, pair)
		bandwidth := float64(moves) * float64(memoryMiB) * (1 << 20) / seconds
		return 4 * float64(config.Params()) * generated / bandwidth, err
	}
}
