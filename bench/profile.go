package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// profiled are the sides of rows whose time is broken down, and how often each does its work.
var profiled = [][]string{{"train", "A", "16", "256", "60"}, {"train", "B", "4", "512", "8"}, {"decode", "A", "256", "192", "10"}, {"decode", "B", "1", "192", "15"}}

// operations sort what a profiler saw by the object it was in and the function; the first that fits counts.
var operations = []struct {
	name             string
	object, function *regexp.Regexp
}{
	{"XLA's library: matrix products, running the program", regexp.MustCompile(`pjrt`), regexp.MustCompile(``)},
	{"XLA's compiled loops: elementwise operations, reductions", regexp.MustCompile(`\[JIT\]|^perf-`), regexp.MustCompile(``)},
	{"Linux: pages, threads", regexp.MustCompile(`kernel`), regexp.MustCompile(``)},
	{"kernel: attention of training", regexp.MustCompile(`bench`), regexp.MustCompile(`^(forward_unit|forward_work|backward_unit|backward_work|spread|transposed|padded|outside)`)},
	{"kernel: optimizer", regexp.MustCompile(`bench`), regexp.MustCompile(`^(update|squares|work)\b`)},
	{"kernel: products of decoding", regexp.MustCompile(`bench`), regexp.MustCompile(`^(panel|project|feed)`)},
	{"kernel: attention of decoding", regexp.MustCompile(`bench`), regexp.MustCompile(`^(attend_unit|heads_attend)`)},
	{"kernel: norms, sampling, packing of decoding", regexp.MustCompile(`bench`), regexp.MustCompile(`^(generate|rms_norm|softmax_of|draw|forward|decode_work|pack|place|settle)`)},
	{"kernel: threads waiting for each other", regexp.MustCompile(`bench`), regexp.MustCompile(`^(team_|help)`)},
	{"copies, allocation and the rest", regexp.MustCompile(``), regexp.MustCompile(``)},
}

// profile writes docs/profiles.md: the share of each operation in temper's sides, as `perf record` sees it. Programs come from a cache, so that compiling
// does not count.
func profile(ctx context.Context, dir string) error {
	if _, err := exec.LookPath("perf"); err != nil {
		return fmt.Errorf("profile: %w (Linux's perf; apt install linux-perf)", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "temper-profile")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	var doc bytes.Buffer
	fmt.Fprintf(&doc, `# Profiles

Written by `+"`make profile`"+` on %s, %s: the share of processor time of each operation in temper's side of rows of
[benchmarks.md](benchmarks.md), without compiling.
`, machine(), time.Now().Format(time.DateOnly))
	for _, args := range profiled {
		shares, err := shares(ctx, tmp, self, args)
		if err != nil {
			return err
		}
		fmt.Fprintf(&doc, "\n## %s %s, %s × %s\n\n| operation | share |\n|---|---|\n", args[0], args[1], args[2], args[3])
		for _, name := range slices.SortedFunc(maps.Keys(shares), func(a, b string) int { return int(1e6 * (shares[b] - shares[a])) }) {
			if shares[name] >= 0.5 {
				fmt.Fprintf(&doc, "| %s | %.0f%% |\n", name, shares[name])
			}
		}
	}
	fmt.Print(doc.String())
	return os.WriteFile(filepath.Join(dir, "profiles.md"), doc.Bytes(), 0o644)
}

// shares profiles one side: percent by operation.
func shares(ctx context.Context, tmp, self string, args []string) (map[string]float64, error) {
	side := append([]string{"side"}, args...)
	env := append(os.Environ(), programCache+"="+filepath.Join(tmp, "programs"))
	samples := filepath.Join(tmp, "perf.data")
	for _, command := range [][]string{append([]string{self}, side...), append([]string{"perf", "record", "-q", "-o", samples, self}, side...)} {
		c := exec.CommandContext(ctx, command[0], command[1:]...)
		c.Env = env
		if out, err := c.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, out)
		}
	}
	out, err := exec.CommandContext(ctx, "perf", "report", "-i", samples, "--stdio", "--no-children", "-g", "none", "--sort", "dso,symbol").Output()
	if err != nil {
		return nil, fmt.Errorf("perf report: %w", err)
	}
	return byOperation(string(out)), nil
}

// reported is a line of perf's report: percent, object, function.
var reported = regexp.MustCompile(`(?m)^ +([0-9.]+)% +(.+?) +\[[.k]\] +(\S+)`)

func byOperation(report string) map[string]float64 {
	out := map[string]float64{}
	for _, line := range reported.FindAllStringSubmatch(report, -1) {
		percent, err := strconv.ParseFloat(line[1], 64)
		if err != nil {
			continue
		}
		for _, o := range operations {
			if o.object.MatchString(line[2]) && o.function.MatchString(line[3]) {
				out[o.name] += percent
				break
			}
		}
	}
	return out
}
