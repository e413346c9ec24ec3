package main

import (
	"os"
	"path/filepath"
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

	r.put(Result{Work: "decode_A256_vs_hf", Ratio: 3, Spread: []float64{3, 3}, Pairs: 1, Target: 5})
	require.Contains(t, string(r.markdown()), "decode_A256_vs_hf is below its target: attention takes")
	r.put(Result{Work: "decode_A256_vs_hf", Ratio: 6, Spread: []float64{6, 6}, Pairs: 1, Target: 5})
	require.NotContains(t, string(r.markdown()), "below its target")

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
