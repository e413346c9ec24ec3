package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/lm"
	"temper/lm/hf"
)

// shared gives files of the public data, and skips the test where they are not there.
func shared(t *testing.T, paths ...string) []string {
	t.Helper()
	out := make([]string, len(paths))
	for i, path := range paths {
		out[i] = filepath.Join("..", "..", "..", "shared", "data", path)
		if _, err := os.Stat(out[i]); err != nil {
			t.Skipf("no shared data: %v", err)
		}
		var err error
		out[i], err = filepath.Abs(out[i])
		require.NoError(t, err)
	}
	return out
}

// run runs a pipeline with values of its own to the end.
func run(t *testing.T, pipeline string, values map[string]string) (stdout string) {
	t.Helper()
	if testing.Short() {
		t.Skip("trains models; left out by -short")
	}
	args := []string{"run", pipeline}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		args = append(args, "--set", key+"="+values[key])
	}
	return output(t, filepath.Join(t.TempDir(), "data"), args...)
}

// Every stage of the GSM8K recipe runs on a small random Qwen3 checkpoint and GSM8K's own files.
func TestGSM8KRecipe(t *testing.T) {
	paths := shared(t, "gsm8k/train.jsonl.gz", "gsm8k/test.jsonl", "model_stories260K_hf")
	m, err := hf.Load(paths[2]) // for its tokenizer
	require.NoError(t, err)
	m.Config = hf.Config{Architecture: hf.Qwen3, ModelType: "qwen3", QKNorm: true, VocabSize: m.Config.VocabSize, Hidden: 32, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 8,
		FFN: 64, NormEps: 1e-6, RopeTheta: 1e6, TieEmbeddings: true, MaxPositions: 2048, BOS: m.Config.BOS, PAD: -1, EOS: m.Config.EOS, Dtype: "float32", InitializerRange: 0.02}
	m.Tensors = lm.Init(m.Config, 1)
	checkpoint := t.TempDir()
	require.NoError(t, hf.Save(checkpoint, m))
	values := map[string]string{"base.import": checkpoint, "tasks.demos.file": paths[0], "tasks.pool.file": paths[0], "tasks.test.file": paths[1],
		"tasks.demos.limit": "16", "tasks.pool.limit": "8", "tasks.test.limit": "4", "stages.sft.epochs": "1",
		"stages.probe.epochs": "2", "stages.limr.keep.min_score": "-10", "stages.rl1.rounds": "2", "stages.rl2.rounds": "1", "stages.sws.budget": "4",
		"stages.student.student": "{layers: 1, hidden: 32, heads: 4, kv_heads: 2, ffn: 64, qk_norm: true, max_positions: 2048}",
		"stages.student.steps":   "2", "stages.student.on_policy.rounds": "1", "stages.student.on_policy.prompts": "4",
		"stages.student.only_correct": "false"} // a random model solves nothing
	for _, stage := range []string{"probe", "rl1", "rl2"} {
		values["stages."+stage+".prompts"], values["stages."+stage+".rows"] = "4", "4"
	}
	for _, stage := range []string{"probe", "rl1", "rl2", "sws", "student", "eval"} {
		values["stages."+stage+".max_tokens"] = "12"
	}
	out := run(t, "gsm8k", values)
	for _, stage := range []string{"base", "sft", "probe", "limr", "rl1", "sws", "rl2", "student", "eval"} {
		require.Regexp(t, `(?m)done +`+stage+` `, out)
	}
	require.Contains(t, out, "has completed")
}

// Every stage of the stories recipe runs on the real checkpoint.
func TestStoriesRecipe(t *testing.T) {
	out := run(t, "stories", map[string]string{"base.import": shared(t, "model_stories260K_hf")[0], "tasks.demos.count": "64", "stages.grpo.rounds": "6",
		"stages.words.rounds": "2", "stages.student.steps": "5", "stages.student.on_policy.rounds": "1"})
	for _, stage := range []string{"base", "grpo", "sft", "words", "student", "variety", "story"} {
		require.Regexp(t, `(?m)done +`+stage+` `, out)
	}
	reward := func(model string) float64 {
		found := regexp.MustCompile(`(?m)^  ` + model + ` +260k +64 +([0-9.]+)`).FindStringSubmatch(out)
		require.NotNil(t, found, out)
		x, err := strconv.ParseFloat(found[1], 64)
		require.NoError(t, err)
		return x
	}
	require.Greater(t, reward("grpo"), reward("base")+0.02, "six rounds raise the reward")
}
