package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/device/plugin"
)

// Without a GPU nothing is measured and no table is written.
func TestRefusesWithoutAGPU(t *testing.T) {
	dir := t.TempDir()
	require.ErrorIs(t, run(t.Context(), options{out: dir}), errNoGPU)
	path, err := plugin.Find(os.Getenv("TEMPER_XLA_PLUGIN"), "")
	require.NoError(t, err)
	require.ErrorIs(t, run(t.Context(), options{plugin: path, out: dir, shapes: "0.1B", pairs: 1}), errNoGPU)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestFindsThePluginOfAPython(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PYTHONPATH", dir)
	_, err := pluginOf(t.Context(), "python3")
	require.ErrorContains(t, err, "jax-cuda13-pjrt")
	library := filepath.Join(dir, "jax_plugins", "xla_cuda13", "xla_cuda_plugin.so")
	require.NoError(t, os.MkdirAll(filepath.Dir(library), 0o755))
	require.NoError(t, os.WriteFile(library, nil, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(library), "__init__.py"), []byte("raise Exception('is not to be run')"), 0o644))
	found, err := pluginOf(t.Context(), "python3")
	require.NoError(t, err)
	require.Equal(t, library, found)
}

func TestTable(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, write(dir, []Row{{Work: "sft", Shape: "0.6B", Params: 5, TokensPerSec: 1234, MFU: 0.5, Peer: 617, Ratio: 2, Device: "a GPU", Date: "2026-01-02"}}))
	text, err := os.ReadFile(filepath.Join(dir, "benchmarks-gpu.md"))
	require.NoError(t, err)
	require.Contains(t, string(text), "| sft | 0.6B | 1234 | 0.50 | 617 | 2.00 | a GPU | 2026-01-02 |")
	data, err := os.ReadFile(filepath.Join(dir, "benchmarks-gpu.json"))
	require.NoError(t, err)
	require.Contains(t, string(data), `"tokens_per_second": 1234`)

	require.NoError(t, write(dir, []Row{{Work: "sft", Shape: "0.6B", TokensPerSec: 2000, Device: "a GPU"}, {Work: "sft", Shape: "1.7B", TokensPerSec: 700, Device: "a GPU"}}))
	text, err = os.ReadFile(filepath.Join(dir, "benchmarks-gpu.md"))
	require.NoError(t, err)
	require.NotContains(t, string(text), "1234", "a row is measured again")
	require.Contains(t, string(text), "| 0.6B | 2000 |")
	require.Contains(t, string(text), "| 1.7B | 700 |")
}
