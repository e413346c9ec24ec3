package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/lm/hf"
	"temper/lm/tokenizer"
	"temper/tasks"
)

// savedModel writes a small model directory, changed before it is written.
func savedModel(t *testing.T, change func(*hf.Model)) string {
	t.Helper()
	tok := tokenizer.Chars(tasks.Alphabet())
	c := hf.Config{Architecture: hf.Llama, ModelType: "llama", VocabSize: tok.VocabSize(), Hidden: 8, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 4, FFN: 16,
		NormEps: 1e-6, RopeTheta: 10000, TieEmbeddings: true, MaxPositions: 64, BOS: 1, PAD: 0, EOS: []int{2}, InitializerRange: 0.02, Dtype: "float32"}
	m := &hf.Model{Config: c, TokenizerFiles: tok.Files()}
	if change != nil {
		change(m)
	}
	m.Tensors = map[string]hf.Tensor{}
	for _, spec := range m.Config.Tensors() {
		n := 1
		for _, d := range spec.Dims {
			n *= d
		}
		m.Tensors[spec.Name] = hf.Tensor{Name: spec.Name, Dims: spec.Dims, Data: make([]float32, n)}
	}
	dir := t.TempDir()
	require.NoError(t, hf.Save(dir, m))
	return dir
}

// rewrite changes a file.
func rewrite(t *testing.T, path string, change func(string) string) {
	t.Helper()
	body, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(change(string(body))), 0o600))
}

func TestPreflight(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	empty := filepath.Join(t.TempDir(), "empty.jsonl")
	require.NoError(t, os.WriteFile(empty, []byte("\n"), 0o600))
	accents := filepath.Join(t.TempDir(), "accents.jsonl")
	require.NoError(t, os.WriteFile(accents, []byte(`{"prompt":"quatre-vingt-dix-neuf, déjà?","answer":"99"}`+"\n"), 0o600))

	truncated := savedModel(t, nil)
	rewrite(t, filepath.Join(truncated, "model.safetensors"), func(s string) string { return s[:len(s)-100] })
	unknown := savedModel(t, nil)
	rewrite(t, filepath.Join(unknown, "config.json"), func(s string) string { return strings.ReplaceAll(s, "LlamaForCausalLM", "MambaForCausalLM") })
	unfit := savedModel(t, func(m *hf.Model) { m.Config.VocabSize -= 5 })
	mute := savedModel(t, func(m *hf.Model) { m.TokenizerFiles = nil })
	whole := savedModel(t, nil)

	talks := filepath.Join(t.TempDir(), "talks.jsonl")
	require.NoError(t, os.WriteFile(talks, []byte("\n"+`{"messages":[{"role":"user","content":"2+2?"},{"role":"assistant","content":"4"}]}`+"\n"), 0o600))
	talker := func(template string) string {
		return savedModel(t, func(m *hf.Model) { m.TokenizerFiles["chat_template.jinja"] = []byte(template) })
	}
	chats := "tasks.demos={file: " + talks + ", format: messages}"
	tests := []struct {
		name string
		set  []string
		want []string // in the message; nothing: the check passes
		here bool     // what a dry run does not ask of this machine
	}{
		{"as it is", nil, nil, false},
		{"a model that is whole", []string{"base.import=" + whole}, nil, false},
		{"unknown key of a stage", []string{"stages.sft.lerning_rate=1"}, []string{"--set", "stages.sft.lerning_rate", "unknown"}, false},
		{"unknown key of the program", []string{"s3.buckett=x"}, []string{"s3.buckett", "did you mean s3.bucket?"}, false},
		{"unknown stage", []string{"stages.stf.lr=1"}, []string{`no stage has the id "stf"; did you mean sft?`}, false},
		{"out of range", []string{"stages.sft.lr=7"}, []string{"stages.sft.lr"}, false},
		{"missing checkpoint", []string{"base.import=/no/such/model"}, []string{"stages.base.path: ", "/no/such/model", "config.json"}, false},
		{"checkpoint is a file", []string{"base.import=" + empty}, []string{"stages.base.path: ", "is a file"}, false},
		{"truncated weights", []string{"base.import=" + truncated}, []string{"stages.base.path: model directory " + truncated + ": " + truncated + "/", "model.safetensors", "bytes"}, false},
		{"unknown architecture", []string{"base.import=" + unknown}, []string{"stages.base.path: ", "config.json", "MambaForCausalLM"}, false},
		{"tokenizer that does not fit", []string{"base.import=" + unfit}, []string{"stages.base.path: ", "tokenizer in " + unfit}, false},
		{"no tokenizer", []string{"base.import=" + mute}, []string{"stages.base.path: ", "tokenizer in " + mute, "tokenizer.json"}, false},
		{"tokenizer that does not cover the data", []string{"tasks.stream={file: " + accents + "}"}, []string{"stages.base.tokenizer: ", "'é'", "use bytes"}, false},
		{"missing tokenizer", []string{"base.pretrain.tokenizer=no/such/tokenizer"}, []string{"stages.base.tokenizer: ", "no/such/tokenizer"}, false},
		{"conversations", []string{"base.import=" + talker("{% for m in messages %}{{ m.content }}\n{% endfor %}"), chats}, nil, false},
		{"conversations without a chat template", []string{"base.import=" + whole, chats}, []string{"stages.sft.data: " + talks + ":2: the model of base: the tokenizer has no chat template"}, false},
		{"conversations of a model to come", []string{chats}, []string{"stages.sft.data: " + talks + ":2: the model of base: "}, false},
		{"conversations that the chat template refuses", []string{"base.import=" + talker("{{ raise_exception('no') }}"), chats}, []string{talks + ":2: ", "the template refuses: no"}, false},
		{"conversations that are too long", []string{"base.import=" + talker("{% for m in messages %}{{ m.content * 99 }}{% endfor %}"), chats}, []string{talks + ":2: ", "the conversation has "}, false},
		{"empty data set", []string{"tasks.pool={file: " + empty + "}"}, []string{"tasks.pool: ", empty, "has no problems"}, false},
		{"missing data set", []string{"tasks.pool={file: no/such.jsonl}"}, []string{"tasks.pool: ", "no/such.jsonl"}, false},
		{"plugin that is not there", []string{"xla.plugin=/no/plugin.so", "worker.queues=temper-gpu"}, []string{"xla.plugin: ", "/no/plugin.so"}, true},
		{"plugin not installed", []string{"xla.plugin=", "xla.cache=" + t.TempDir(), "worker.queues=temper-gpu"}, []string{"make plugin", "xla.plugin="}, true},
		{"port taken", []string{fmt.Sprintf("temporal.ui_port=%d", taken)}, []string{fmt.Sprintf("temporal.ui_port: port %d is taken", taken), "--set temporal.ui_port=0"}, true},
		{"servers out of reach", []string{"temporal.address=127.0.0.1:1", "s3.endpoint=127.0.0.1:2"},
			[]string{"temporal.address: no Temporal server answers at 127.0.0.1:1", "s3.endpoint: no S3 store answers at 127.0.0.1:2"}, false},
		{"two mistakes at once", []string{"base.import=/no/such/model", "tasks.pool={file: no/such.jsonl}"}, []string{"stages.base.path: ", "tasks.pool: "}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			args := []string{"run", "tiny"}
			if !tt.here {
				args = append(args, "--dry-run")
			}
			for _, set := range append([]string{"dir=" + data, "worker.queues=temper,temper-cpu", "temporal.port=0", "temporal.ui_port=0", "s3.port=0"}, tt.set...) {
				args = append(args, "--set", set)
			}
			code, stdout, stderr := cli(t, args...)
			if tt.want == nil {
				require.Equal(t, exitOK, code, stderr)
				require.Contains(t, stdout, "nothing was started")
			} else {
				require.Equal(t, exitError, code, stdout)
				for _, want := range tt.want {
					require.Contains(t, stderr, want)
				}
			}
			require.NoDirExists(t, data, "a check makes nothing")
		})
	}
}

func TestRunRefusesBeforeItStarts(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	code, stdout, stderr := cli(t, "run", "tiny", "--set", "base.import=/no/such/model", "--set", "dir="+data)
	require.Equal(t, exitError, code, stdout)
	require.Contains(t, stderr, "stages.base.path: ")
	require.NoDirExists(t, data)
}
