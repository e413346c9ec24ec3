package tasks

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMessagesRows(t *testing.T) {
	first := `[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"assistant","z":1,"a":2}]`
	path := write(t, "chat.jsonl", `{"messages": `+first+`, "tools": [{"name": "f"}], "id": "x"}`+"\n\n"+
		`{"tools": null, "messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]}`+"\n")
	ps, err := Source{File: path, Format: "messages"}.Load(t.Context())
	require.NoError(t, err)
	require.Len(t, ps, 2)
	require.Equal(t, "chat.jsonl:1", ps[0].ID)
	require.Equal(t, path+":1", ps[0].Place())
	require.Equal(t, path+":3", ps[1].Place())
	require.Equal(t, "x", Problem{ID: "x", Source: path}.Place())
	require.Equal(t, "a\nb", ps[0].Prompt)
	require.Equal(t, first, string(ps[0].Messages), "the order of keys is kept")
	require.Equal(t, `[{"name": "f"}]`, string(ps[0].Tools))
	require.Nil(t, ps[1].Tools)

	body := WriteJSONL(ps)
	back, err := ReadJSONL(body)
	require.NoError(t, err)
	require.Equal(t, first, string(back[0].Messages))
	require.Equal(t, body, WriteJSONL(back))

	sets := map[string]Source{"chat": {File: path, Format: "messages", Exclude: []string{"test"}},
		"test": {File: write(t, "test.jsonl", `{"prompt": "2+2?", "answer": 4}`)}}
	kept, err := LoadSet(t.Context(), sets, "chat")
	require.NoError(t, err)
	require.Equal(t, []string{"chat.jsonl:1"}, []string{kept[0].ID}, "a conversation that opens with an excluded prompt is left out")
}

func TestMessagesRowsThatAreWrong(t *testing.T) {
	for row, want := range map[string]string{
		`{"prompt": "a"}`:    `chat.jsonl:1: has no field "messages"`,
		`{"messages": "hi"}`: `chat.jsonl:1: field "messages": must be a list of messages`,
		`{"messages": []}`:   `field "messages": has no message of an assistant`,
		`{"messages": [{"role": "user", "content": "a"}]}`:      `field "messages": has no message of an assistant`,
		`{"messages": [{"content": "a"}]}`:                      `field "messages[0]": has no role`,
		`{"messages": [{"role": "assistant", "content": "a"}]}`: "the prompt is empty",
	} {
		_, err := Source{File: write(t, "chat.jsonl", row), Format: "messages"}.Load(t.Context())
		require.ErrorContains(t, err, want, row)
	}
	err := Source{File: "x", Format: "messages", Template: "{{.a}}", AnswerForm: "exact", Fields: Fields{ID: "a"}}.Validate()
	for _, field := range []string{"fields", "template", "answer_form"} {
		require.ErrorContains(t, err, field+": does not apply to format messages")
	}
}
