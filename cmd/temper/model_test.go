package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/lm/hf"
)

// The command agrees with transformers' logits, of which train/parity/testdata has some.
func TestModelScore(t *testing.T) {
	const dir = "../../train/parity/testdata/qwen3"
	var golden struct {
		IDs      [][]int32   `json:"ids"`
		LogProbs [][]float64 `json:"log_probs"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "golden.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &golden))
	tensors, err := hf.ReadSafetensors(filepath.Join(dir, "golden.safetensors"))
	require.NoError(t, err)
	var logits []float32
	for _, x := range tensors {
		if x.Name == "logits" {
			logits = x.Data
		}
	}
	ids := strings.Trim(strings.ReplaceAll(fmt.Sprint(golden.IDs[1]), " ", ","), "[]")
	code, stdout, stderr := cli(t, "model", "score", "--model", dir, "--ids", ids, "--json")
	require.Equal(t, exitOK, code, stderr)
	var got struct {
		IDs           []int32   `json:"ids"`
		LastLogits    []float64 `json:"last_logits"`
		TokenLogProbs []float64 `json:"token_logprobs"`
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	require.Equal(t, golden.IDs[1], got.IDs)
	require.InDeltaSlice(t, golden.LogProbs[1], got.TokenLogProbs, 1e-4)
	require.Len(t, got.LastLogits, 48)
	require.InDeltaSlice(t, logits[len(logits)-48:], got.LastLogits, 1e-4)

	code, stdout, stderr = cli(t, "model", "score", "--model", dir, "--ids", "5", "--json")
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stdout, `"token_logprobs":[]`)
	for _, bad := range [][]string{{"--ids", "1,x"}, {"--ids", "1,48"}, {"--ids", "-1"}, {}, {"--ids", "1", "--text", "a"}} {
		code, _, _ = cli(t, append([]string{"model", "score", "--model", dir}, bad...)...)
		require.NotEqual(t, exitOK, code, bad)
	}
}

func TestModelGoesThroughTheBucket(t *testing.T) {
	dir := savedModel(t, nil)
	data, to := "dir="+t.TempDir(), filepath.Join(t.TempDir(), "out")
	ports := []string{"--set", data, "--set", "temporal.port=0", "--set", "temporal.ui_port=0", "--set", "s3.port=0"}
	code, stdout, stderr := cli(t, append([]string{"model", "import", dir, "--alias", "mine"}, ports...)...)
	require.Equal(t, exitOK, code, stderr)
	require.Regexp(t, `^model/[0-9a-f]{64}\n$`, stdout)
	code, _, stderr = cli(t, append([]string{"model", "export", "mine", to, "--dtype", "float32"}, ports...)...)
	require.Equal(t, exitOK, code, stderr)
	want, err := hf.Load(dir)
	require.NoError(t, err)
	got, err := hf.Load(to)
	require.NoError(t, err)
	require.Equal(t, want.Tensors, got.Tensors)
	require.Equal(t, want.TokenizerFiles, got.TokenizerFiles)

	code, stdout, stderr = cli(t, append([]string{"model", "info", "mine", "--json"}, ports...)...)
	require.Equal(t, exitOK, code, stderr)
	var facts modelFacts
	require.NoError(t, json.Unmarshal([]byte(stdout), &facts))
	require.Equal(t, factsOf(want), facts)

	code, _, stderr = cli(t, "model", "export", to, to)
	require.NotEqual(t, exitOK, code)
	require.Contains(t, stderr, "is not empty")
	code, _, stderr = cli(t, "model", "export", dir, filepath.Join(t.TempDir(), "x"), "--dtype", "int8")
	require.NotEqual(t, exitOK, code)
	require.Contains(t, stderr, "dtype")
	code, _, stderr = cli(t, append([]string{"model", "info", "nosuch"}, ports...)...)
	require.NotEqual(t, exitOK, code)
	require.Contains(t, stderr, "nosuch is neither a folder nor a model in the bucket")
}
