package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestResultsKeepTheOrderOfTheTableAndReplaceOlderRows(t *testing.T) {
	dir := t.TempDir()
	r, err := readResults(filepath.Join(dir, "benchmarks.json"))
	require.NoError(t, err, "no file yet")
	r.put(Result{Work: "decode_A16_vs_hf", Ratio: 9, Spread: []float64{8, 10}, Pairs: 3})
	r.put(Result{Work: "train_A_vs_torch", Ratio: 1.1, Spread: []float64{1, 1.2}, Pairs: 3, Target: 1.2})
	r.put(Result{Work: "decode_A16_vs_hf", Ratio: 11, Spread: []float64{10, 12}, Pairs: 3})
	require.NoError(t, r.write(dir))
	back, err := readResults(filepath.Join(dir, "benchmarks.json"))
	require.NoError(t, err)
	require.Equal(t, r, back)
	require.Equal(t, "train_A_vs_torch", back.Rows[0].Work)
	require.Equal(t, 11.0, back.Rows[1].Ratio)
	text, err := os.ReadFile(filepath.Join(dir, "benchmarks.md"))
	require.NoError(t, err)
	require.Contains(t, string(text), "| train_A_vs_torch | **1.10** | 1.00 – 1.20 (3) | 1.2 |")

	r.put(Result{Work: "train_B_vs_torch", Ratio: 3, Spread: []float64{3, 3}, Pairs: 1, Target: 5})
	require.Contains(t, string(r.markdown()), "train_B_vs_torch is below its target: the products take")
	r.put(Result{Work: "train_B_vs_torch", Ratio: 6, Spread: []float64{6, 6}, Pairs: 1, Target: 5})
	require.NotContains(t, string(r.markdown()), "train_B_vs_torch is below its target")
	r.put(Result{Work: "train_B_vs_torch", Ratio: 4, Spread: []float64{4, 4}, Pairs: 1, Target: 5, Machine: "another"})
	r.put(Result{Work: "train_B_vs_torch", Ratio: 4.5, Spread: []float64{4, 5}, Pairs: 1, Target: 5, Machine: "another"})
	require.Len(t, r.Rows, 4, "a row of each machine")
	require.Equal(t, 1, strings.Count(string(r.markdown()), "train_B_vs_torch is below its target"))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "benchmarks.json"), []byte("{"), 0o644))
	_, err = readResults(filepath.Join(dir, "benchmarks.json"))
	require.ErrorContains(t, err, "benchmarks.json")
}

func TestMedianAndSpread(t *testing.T) {
	require.Equal(t, 2.0, median([]float64{3, 1, 2}))
	require.Equal(t, 2.5, median([]float64{4, 1, 2, 3}))
	low, high := spread([]float64{3, 1, 2})
	require.Equal(t, [2]float64{1, 3}, [2]float64{low, high})
}

func TestOurSideNamesWhatIsWrong(t *testing.T) {
	require.ErrorContains(t, ourSide([]string{"train", "A"}), "want train|decode")
	require.ErrorContains(t, ourSide([]string{"train", "C", "1", "1", "1"}), `no shape "C"`)
	require.ErrorContains(t, ourSide([]string{"train", "A", "x", "1", "1"}), `"x"`)
	require.ErrorContains(t, ourSide([]string{"tokenize", "none", "x"}), `"x"`)
	require.ErrorIs(t, ourSide([]string{"tokenize", "none", "1"}), os.ErrNotExist)
}

// Samples are sorted by the object and the function they were in.
func TestByOperation(t *testing.T) {
	got := byOperation(`
# Overhead  Shared Object             Symbol
    40.50%  pjrt_c_api_cpu_plugin.so  [.] 0x000000000a79a69f
    20.25%  pjrt_c_api_cpu_plugin.so  [.] 0x000000000a79a6c3
     9.00%  [JIT] tid 23676           [.] 0x00007f46332241f9
     8.00%  bench                     [.] backward_work
     4.00%  bench                     [.] attend_unit
     3.00%  [kernel.kallsyms]         [k] clear_page_erms
     2.00%  libc.so.6                 [.] __memmove_avx512_unaligned_erms
`)
	require.InDelta(t, 60.75, got["XLA's library: matrix products, running the program"], 1e-9)
	require.Equal(t, 9.0, got["XLA's compiled loops: elementwise operations, reductions"])
	require.Equal(t, 8.0, got["kernel: attention of training"])
	require.Equal(t, 4.0, got["kernel: attention of decoding"])
	require.Equal(t, 3.0, got["Linux: pages, threads"])
	require.Equal(t, 2.0, got["copies, allocation and the rest"])
}

func TestTablesMakeTheirFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "tables")
	require.NoError(t, Results{}.write(dir))
	require.FileExists(t, filepath.Join(dir, "benchmarks.md"))
}
