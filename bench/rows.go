package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"temper/bench/side"
)

// row is one comparison. ours and peer do the work once, in a fresh process, and give its seconds.
type row struct {
	work   string
	target float64
	ours   work
	peer   work
	detail func(ours, peer float64) string
}

type work func(ctx context.Context, b *bench, pair int) (seconds float64, err error)

// bench is what the sides need.
type bench struct {
	options
	python, self string

	peakMB float64 // of the programs that output has run since measure set it to zero
}

var rows = append([]row{
	training("train_A_vs_torch", "torch_side.py", "A", 16, 256, 10, 1.2),
	training("train_A_vs_jax", "jax_side.py", "A", 16, 256, 10, 1.5),
	training("train_B_vs_torch", "torch_side.py", "B", 4, 512, 4, 1.2),
	training("train_B_vs_jax", "jax_side.py", "B", 4, 512, 4, 1.25),
	decoding("decode_A16_vs_hf", "torch_side.py", "A", 16, 8),
	decoding("decode_A64_vs_hf", "torch_side.py", "A", 64, 6),
	decoding("decode_A256_vs_hf", "torch_side.py", "A", 256, 5),
	decoding("decode_A16_vs_jax", "jax_side.py", "A", 16, 2),
	decoding("decode_A64_vs_jax", "jax_side.py", "A", 64, 2),
	decoding("decode_A256_vs_jax", "jax_side.py", "A", 256, 2.5),
	decoding("decode_B1_vs_hf", "torch_side.py", "B", 1, 0),
	decoding("decode_B16_vs_hf", "torch_side.py", "B", 16, 0),
	llamacpp("decode_B1_vs_llamacpp", "B", 1, 2),
	llamacpp("decode_B16_vs_llamacpp", "B", 16, 2),
	tokenizing("tokenizer_encode_vs_hf", 3, 1),
	{"grpo_stage_vs_trl", 3, storiesStage(15, programsCached), trl(func(t trlTimes) float64 { return t.Total }), func(ours, peer float64) string {
		return fmt.Sprintf("15 rounds, temper's whole stage %.1f s with artifacts and snapshots, compiled programs from the cache; the trainer's run %.1f s", ours, peer)
	}},
	{"grpo_first_stage_vs_trl", 3, storiesStage(15, programsCompiled), trl(func(t trlTimes) float64 { return t.Total }), func(ours, peer float64) string {
		return fmt.Sprintf("the same on a machine's first run, which compiles: %.1f s; the trainer's run %.1f s", ours, peer)
	}},
	{"sft_stories_vs_trl", 2, storiesSFT, trlSFT, func(ours, peer float64) string {
		return fmt.Sprintf("1024 stories, two epochs of packed rows of 16×256 tokens, temper's whole stage %.1f s with the export; the trainer's run %.1f s", ours, peer)
	}},
	{"grpo_stories_vs_trl", 5, storiesIteration, trl(func(t trlTimes) float64 { return median(t.Seconds) }), func(ours, peer float64) string {
		return fmt.Sprintf("%.0f ms an iteration, orchestration and artifacts included; %.0f ms", 1e3*ours, 1e3*peer)
	}},
	orchestrated(),
}, machineRows...)

func orchestrated() row {
	whole, called := orchestration()
	return row{"grpo_orchestrated_vs_called", 0.95, whole, called, func(ours, peer float64) string {
		return fmt.Sprintf("%.0f ms an iteration of 40 prompts × 8 × 64 tokens, %.0f ms of them in the activities that sample, score, write the rollouts and train", 1e3*ours, 1e3*peer)
	}}
}

// limits says what a row's time goes into, as `perf record` of its side shows, where that is known.
var limits = map[string]string{
	"train_A_vs_torch": "most of a step is products and XLA's elementwise loops (profiles.md). Tried: one product for the projections, kernels for attention and AdamW (both in), huge pages (no gain beyond the noise)",
	"decode_A256_vs_hf": "the products keep the multipliers busy, attention is bound by reading keys and values from beyond the nearest caches, and the prompts' forward pass is XLA's (profiles.md). " +
		"Tried: sequences apart on each thread, more sums at a time, asking for memory early (all in), fewer and more sequences at a time (no gain)",
	"train_B_vs_torch": "the products take most of the step on both sides (profiles.md, and train_B_vs_matmul_rate: they run near the machine's rate), so what is left to gain is " +
		"small. Tried: one product for the projections, kernels for attention and AdamW (both in), huge pages and XLA's flags (no gain beyond the noise)",
	"decode_B1_vs_llamacpp": "both read all the weights for each token, and temper reads them about as fast as the machine reads (decode_B1_vs_read_bandwidth), so there is no more to gain " +
		"at equal precision. llama.cpp is called through its C interface here, which is faster than node-llama-cpp, through which the figure was set",
	"decode_B1_vs_copy_bandwidth": "what is read here only once cannot come at a rate that counts writes too; decode_B1_vs_read_bandwidth has the machine's rate of reading. Beside the weights a " +
		"step reads and writes activations and the cache, and the threads wait for each other after each product (profiles.md). Tried: norms computed twice rather than met for (in), prefetching " +
		"the weights of one row (slower), handing the panels of a product out as threads come free (no gain)",
	"grpo_stories_vs_trl": "about half of an iteration is decoding and a quarter the products of the training step; the rest is Temporal, the bucket and the kernel",
}

// generated is how many tokens the decoding rows draw after prompts of promptTokens.
const (
	promptTokens = 64
	generated    = 192
)

func training(name, script, shape string, rows, length, steps int, target float64) row {
	args := []string{"train", shape, strconv.Itoa(rows), strconv.Itoa(length), strconv.Itoa(steps)}
	return row{name, target, ours(args...), peer(script, args...), func(ours, peer float64) string {
		n := float64(rows * length)
		return fmt.Sprintf("%.0f and %.0f tokens/s", n/ours, n/peer)
	}}
}

func decoding(name, script, shape string, batch int, target float64) row {
	args := []string{"decode", shape, strconv.Itoa(batch), strconv.Itoa(generated), "2"}
	return row{name, target, ours(args...), peer(script, args...), func(ours, peer float64) string {
		n := float64(batch * generated)
		return fmt.Sprintf("%.0f and %.0f tokens/s", n/ours, n/peer)
	}}
}

// tokenizing compares encoders, which must give the same number of tokens.
func tokenizing(name string, times int, target float64) row {
	var tokens, size int
	one := func(program func(b *bench) []string) work {
		return func(ctx context.Context, b *bench, _ int) (float64, error) {
			if _, err := os.Stat(b.data); err != nil {
				return 0, err
			}
			args := append(program(b), b.data, strconv.Itoa(times))
			out, err := b.output(ctx, args[0], args[1:]...)
			if err != nil {
				return 0, err
			}
			var t side.Tokenized
			if err := decode(out, &t); err != nil {
				return 0, err
			}
			if tokens != 0 && tokens != t.Tokens {
				return 0, fmt.Errorf("one side has %d tokens, the other %d", tokens, t.Tokens)
			}
			tokens, size = t.Tokens, t.Bytes
			return median(t.Seconds), nil
		}
	}
	us := func(b *bench) []string { return []string{b.self, "side", "tokenize"} }
	them := func(b *bench) []string {
		return []string{b.python, filepath.Join("bench", "peers", "tokenizers_side.py")}
	}
	return row{name, target, one(us), one(them), func(ours, peer float64) string {
		n := float64(size) / 1e6
		return fmt.Sprintf("%.1f and %.1f MB/s, one thread, the same %d tokens of GSM8K and MATH with Qwen2's vocabulary", n/ours, n/peer, tokens)
	}}
}

// ours runs this program's own side in a process of its own and takes the median repetition.
func ours(args ...string) work {
	return func(ctx context.Context, b *bench, _ int) (float64, error) {
		out, err := b.output(ctx, b.self, append([]string{"side"}, args...)...)
		if err != nil {
			return 0, err
		}
		var t side.Times
		err = decode(out, &t)
		return median(t.Seconds), err
	}
}

func peer(script string, args ...string) work {
	return func(ctx context.Context, b *bench, _ int) (float64, error) {
		out, err := b.output(ctx, b.python, append([]string{filepath.Join("bench", "peers", script)}, args...)...)
		if err != nil {
			return 0, err
		}
		var t side.Times
		err = decode(out, &t)
		return median(t.Seconds), err
	}
}

type trlTimes struct {
	Seconds []float64 `json:"seconds"` // between steps
	Total   float64   `json:"total"`
	Curve   []float64 `json:"curve"`
}

func trl(figure func(trlTimes) float64) work {
	return func(ctx context.Context, b *bench, pair int) (float64, error) {
		out, err := b.output(ctx, b.python, filepath.Join("bench", "peers", "trl_stories.py"), b.stories, "15", strconv.Itoa(pair))
		if err != nil {
			return 0, err
		}
		var t trlTimes
		lines := out[lastLine(out):]
		if err := decode(lines, &t); err != nil {
			return 0, err
		}
		return figure(t), nil
	}
}

const (
	programsCached   = true // an earlier run on this machine has compiled the stage's programs
	programsCompiled = false
)

// storiesStage gives the seconds of the whole GRPO stage in a new data folder.
func storiesStage(rounds int, cached bool) work {
	return func(ctx context.Context, b *bench, pair int) (float64, error) {
		if !cached {
			return b.stage(ctx, "grpo", pair, fmt.Sprintf("stages.grpo.rounds=%d", rounds), "xla.cache_mb=0")
		}
		if _, err := b.stage(ctx, "grpo", pair, "stages.grpo.rounds=1"); err != nil {
			return 0, err
		}
		return b.stage(ctx, "grpo", pair, fmt.Sprintf("stages.grpo.rounds=%d", rounds))
	}
}

// storiesIteration is what one more round costs: the difference of two runs, without what a stage costs once.
func storiesIteration(ctx context.Context, b *bench, pair int) (float64, error) {
	const few, many = 5, 35
	short, err := storiesStage(few, programsCached)(ctx, b, pair)
	if err != nil {
		return 0, err
	}
	long, err := storiesStage(many, programsCached)(ctx, b, pair)
	return (long - short) / (many - few), err
}

// output runs a program and gives its standard output; an error has its standard error. It notes the program's peak memory.
func (b *bench) output(ctx context.Context, name string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Env = append(os.Environ(), "OMP_WAIT_POLICY=PASSIVE", "TOKENIZERS_PARALLELISM=false")
	out, err := c.Output()
	if err != nil {
		return nil, failed(err)
	}
	if usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		b.peakMB = max(b.peakMB, float64(usage.Maxrss)/1024)
	}
	return out, nil
}
