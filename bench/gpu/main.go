// Command gpu measures SFT steps and decoding of Qwen3 shapes with random weights on a GPU, beside transformers where a Python is given that has
// it. It needs no network and no other file than the XLA plugin: build it, carry it over, run it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"temper/bench/side"
	"temper/device"
)

func main() {
	var o options
	flag.StringVar(&o.plugin, "plugin", os.Getenv("TEMPER_XLA_PLUGIN"), "the PJRT plugin of the GPU, a shared library; none: that of -python")
	flag.StringVar(&o.python, "python", "", "a Python with torch and transformers for the peer, or with -target one with the plugin; none: the peer's columns stay empty")
	flag.StringVar(&o.script, "script", filepath.Join("bench", "peers", "torch_gpu_side.py"), "the peer's side")
	flag.StringVar(&o.out, "out", "docs", "folder of the tables")
	flag.StringVar(&o.shapes, "shapes", "0.1B,0.6B,1.7B", "Qwen3 shapes to measure")
	flag.IntVar(&o.pairs, "pairs", 3, "how often each side of a row runs")
	flag.StringVar(&o.target, "target", "", "the description of a GPU that is not there: compile for it, into compiled-gpu.md, and measure nothing")
	flag.BoolVar(&o.anyDevice, "any-device", false, "run on the processor too, to try the program; writes no table")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench-gpu:", err)
		os.Exit(1)
	}
}

type options struct {
	plugin, python, script, out, shapes, target string
	pairs                                       int
	anyDevice                                   bool
}

// Row is one line of the table.
type Row struct {
	Work         string  `json:"work"` // sft, sft_flash (with fused attention) or decode
	Shape        string  `json:"shape"`
	Params       int64   `json:"params"`
	TokensPerSec float64 `json:"tokens_per_second"`
	MFU          float64 `json:"mfu,omitempty"` // share of the rate of a large bfloat16 product on the same device
	Peer         float64 `json:"peer_tokens_per_second,omitempty"`
	Ratio        float64 `json:"ratio,omitempty"`
	Device       string  `json:"device"`
	Date         string  `json:"date"`
}

const (
	trainRows, trainLength                        = 8, 1024
	decodeBatch, decodePrompt, decodeNew          = 64, 128, 256
	matmulSize                                    = 8192
	triedRows, triedLength, triedNew, triedMatmul = 1, 32, 8, 256 // with -any-device
)

var errNoGPU = errors.New("no GPU: the tables stay as they are")

func run(ctx context.Context, o options) error {
	if o.plugin == "" && o.python != "" {
		var err error
		if o.plugin, err = pluginOf(ctx, o.python); err != nil {
			return err
		}
	}
	if o.plugin == "" {
		return fmt.Errorf("%w (give the CUDA plugin with -plugin or TEMPER_XLA_PLUGIN)", errNoGPU)
	}
	if o.target != "" {
		return ahead(o)
	}
	cache, err := os.MkdirTemp("", "temper-bench-gpu") // each side of a pair is made anew, but compiled once
	if err != nil {
		return err
	}
	defer os.RemoveAll(cache)
	c, err := device.Open(o.plugin, device.Options{Cache: cache, CacheBytes: 8 << 30})
	if err != nil {
		return err
	}
	defer c.Close()
	if c.IsCPU() && !o.anyDevice {
		return fmt.Errorf("%w (%s runs on the processor)", errNoGPU, o.plugin)
	}
	works := []string{"sft", "sft_flash", "decode"}
	fused, err := c.WithFlash()
	if err != nil {
		fmt.Println(err)
		works = []string{"sft", "decode"}
	}
	rows, length, batch, prompt, n, size := trainRows, trainLength, decodeBatch, decodePrompt, decodeNew, matmulSize
	if o.anyDevice {
		rows, length, batch, prompt, n, size = triedRows, triedLength, triedRows, triedLength, triedNew, triedMatmul
	}
	product, err := side.MatmulHalf(c, size, 10)
	if err != nil {
		return err
	}
	peak := 2 * float64(size) * float64(size) * float64(size) / slices.Min(product.Seconds)
	fmt.Printf("%s\na %d×%d product in bfloat16: %.1f TFLOP/s\n", c.Description(), size, size, peak/1e12)
	var table []Row
	for _, name := range strings.Split(o.shapes, ",") {
		config, err := side.Shape("qwen3-" + name)
		if err != nil {
			return err
		}
		for _, work := range works {
			r := Row{Work: work, Shape: name, Params: config.Params(), Device: c.Kind(), Date: time.Now().Format(time.DateOnly)}
			var rates, ratios []float64
			for range o.pairs {
				var t side.Times
				tokens := float64(rows * length)
				args := []string{"train", name, strconv.Itoa(rows), strconv.Itoa(length)}
				switch work {
				case "sft":
					t, err = side.TrainHalf(c, config, rows, length, 5)
				case "sft_flash":
					t, err = side.TrainHalf(fused, config, rows, length, 5)
				default:
					tokens = float64(batch * n)
					args = []string{"decode", name, strconv.Itoa(batch), strconv.Itoa(n)}
					t, err = side.DecodeHalf(c, config, batch, prompt, n, 2)
				}
				if err != nil {
					return fmt.Errorf("%s %s: %w", work, name, err)
				}
				ours := tokens / slices.Min(t.Seconds)
				rates = append(rates, ours)
				if o.python != "" {
					peer, err := peerSeconds(ctx, o, args...)
					if err != nil {
						return err
					}
					r.Peer = max(r.Peer, tokens/peer)
					ratios = append(ratios, ours/(tokens/peer))
				}
			}
			r.TokensPerSec = slices.Max(rates)
			if work != "decode" {
				r.MFU = side.TrainOperations(config, rows, length) * r.TokensPerSec / float64(rows*length) / peak
			}
			if len(ratios) > 0 {
				slices.Sort(ratios)
				r.Ratio = ratios[len(ratios)/2]
			}
			table = append(table, r)
			fmt.Printf("%-9s %-5s %8.0f tokens/s  MFU %.2f  peer %8.0f  ratio %.2f\n", r.Work, r.Shape, r.TokensPerSec, r.MFU, r.Peer, r.Ratio)
		}
	}
	if o.anyDevice {
		return nil
	}
	return write(o.out, table)
}

// pluginOf finds the CUDA plugin among a Python's packages, where pip puts it with the libraries it needs; it runs none of them.
func pluginOf(ctx context.Context, python string) (string, error) {
	const program = `
import importlib.util, os
for name in "xla_cuda13", "xla_cuda12":
    spec = importlib.util.find_spec("jax_plugins." + name) if importlib.util.find_spec("jax_plugins") else None
    for folder in spec.submodule_search_locations if spec else []:
        path = os.path.join(folder, "xla_cuda_plugin.so")
        if os.path.exists(path):
            print(path)
            raise SystemExit
raise SystemExit("it has no package jax-cuda13-pjrt")`
	out, err := exec.CommandContext(ctx, python, "-c", program).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("find the CUDA plugin of %s: %s", python, strings.TrimSpace(string(exit.Stderr)))
	} else if err != nil {
		return "", fmt.Errorf("find the CUDA plugin of %s: %w", python, err)
	}
	return strings.TrimSpace(string(out)), nil
}

func peerSeconds(ctx context.Context, o options, args ...string) (float64, error) {
	out, err := exec.CommandContext(ctx, o.python, append([]string{o.script}, args...)...).Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", o.script, err)
	}
	var t side.Times
	if err := json.Unmarshal(out, &t); err != nil || len(t.Seconds) == 0 {
		return 0, fmt.Errorf("%s printed %q: %w", o.script, out, err)
	}
	return slices.Min(t.Seconds), nil
}
