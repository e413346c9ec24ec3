package activities

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
	"temper/lm/chat"
	"temper/lm/tokenizer"
	"temper/tasks"
	"temper/train"
)

const chatTemplate = "{% for m in messages %}{{ m.role[0] }}:{{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}" +
	"{% if add_generation_prompt %}a:{% endif %}"

// talker is a tokenizer of characters with a chat template.
func talker(t *testing.T, template string) *tokenizer.Tokenizer {
	t.Helper()
	files := tokenizer.Chars("\n 0123456789+:=?aeosu").Files()
	files["chat_template.jinja"] = []byte(template)
	tok, err := tokenizer.Parse(files)
	require.NoError(t, err)
	return tok
}

func TestConversationTrainsTheAssistant(t *testing.T) {
	tok := talker(t, chatTemplate)
	words := &text{tokenizer: tok, chat: sync.OnceValues(func() (*chat.Template, error) { return chat.New(tok) })}
	p := tasks.Problem{ID: "x.jsonl:7", Source: "dir/x.jsonl", Prompt: "1+1?", Messages: json.RawMessage(
		`[{"role":"user","content":"1+1?"},{"role":"assistant","content":"2"},{"role":"user","content":"2+2?"},{"role":"assistant","content":"4"}]`)}
	d, err := solution(words, p)
	require.NoError(t, err)
	require.Equal(t, "u:1+1?\na:", tok.Decode(d.Prompt, false))
	require.Equal(t, "2<eos>\nu:2+2?\na:4<eos>\n", tok.Decode(d.Response, false))
	var own []int32
	for i, untrained := range d.Untrained {
		if !untrained {
			own = append(own, d.Response[i])
		}
	}
	require.Equal(t, "2<eos>4<eos>", tok.Decode(own, false))

	trained := 0
	for _, e := range train.Demonstrations([]train.Demo{d}, true) {
		for i, w := range e.Weight {
			if w > 0 {
				require.Equal(t, float32(0.25), w)
				require.Contains(t, "24<eos>", tok.Decode(e.Tokens[i:i+1], false))
				trained++
			}
		}
	}
	require.Equal(t, 4, trained)

	mute := tokenizer.Chars("ab")
	words.chat = sync.OnceValues(func() (*chat.Template, error) { return chat.New(mute) })
	_, err = solution(words, p)
	require.ErrorIs(t, err, chat.ErrNoTemplate)
	require.ErrorContains(t, err, "dir/x.jsonl:7: ")
}

// A stage trains on conversations from a file, with the template that its model came with.
func TestSFTOnConversations(t *testing.T) {
	dir := t.TempDir()
	for name, data := range talker(t, chatTemplate).Files() {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	talks := filepath.Join(dir, "talks.jsonl")
	require.NoError(t, os.WriteFile(talks, []byte(`{"messages":[{"role":"user","content":"1+1?"},{"role":"assistant","content":"2"}]}
{"messages":[{"role":"user","content":"2+2?"},{"role":"assistant","content":"4"},{"role":"user","content":"1+2?"},{"role":"assistant","content":"3"}]}
`), 0o600))
	l := newLab(t, "base.pretrain.tokenizer="+dir, "tasks.demos={file: "+talks+", format: messages}")
	out := trained(l, l.a, l.stage("sft"), start(l.out["base"]["model"]), artifact.Ref{}, contract.Span{From: 0, To: 4})[0]
	require.Positive(t, out.Loss)
	require.Positive(t, out.Tokens)
}
