package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"temper/lm/chat/jinja"
	"temper/lm/tokenizer"
)

// clock is the time that testdata/reference.py gives to its templates.
var clock = time.Date(2024, 7, 5, 9, 3, 7, 0, time.UTC)

type talk struct{ Messages, Tools json.RawMessage }

type reference struct {
	Tokenizer     json.RawMessage
	Templates     map[string]string
	Conversations map[string]talk
	Cases         []struct {
		Template, Conversation string
		Prompt                 bool
		Text                   *string // nil: refused
		IDs                    []int32
		Mask                   *string // nil: none can be told
	}
	Shared []struct {
		Path string
		Rows []struct {
			Conversation string
			Prompt       bool
			Variables    map[string]any
			Digest       *string
		}
	}
}

func readReference(t testing.TB) (ref reference) {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &ref); err != nil {
		t.Fatal(err)
	}
	if len(ref.Cases) == 0 || len(ref.Shared) == 0 {
		t.Fatal("no cases")
	}
	return ref
}

func (ref reference) template(t testing.TB, source any) *Template {
	t.Helper()
	config, err := json.Marshal(map[string]any{"bos_token": "<s>", "eos_token": "</s>", "chat_template": source})
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Parse(map[string][]byte{"tokenizer.json": ref.Tokenizer, "tokenizer_config.json": config})
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := New(tok)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func conversation(t testing.TB, c talk) Conversation {
	t.Helper()
	out, err := Parse(c.Messages, c.Tools)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReference(t *testing.T) {
	ref := readReference(t)
	masks := 0
	for _, c := range ref.Cases {
		t.Run(fmt.Sprintf("%s/%s/%t", c.Template, c.Conversation, c.Prompt), func(t *testing.T) {
			tpl, talk := ref.template(t, ref.Templates[c.Template]), conversation(t, ref.Conversations[c.Conversation])
			o := Options{GenerationPrompt: c.Prompt, Now: clock}
			text, err := tpl.Render(talk, o)
			if c.Text == nil {
				if err == nil {
					t.Errorf("gives %q, should be refused", text)
				}
				return
			}
			if err != nil || text != *c.Text {
				t.Fatalf("%v\ngives       %q\nshould give %q", err, text, *c.Text)
			}
			if ids, err := tpl.Encode(talk, o); err != nil || !slices.Equal(ids, c.IDs) {
				t.Errorf("%v: ids %v, want %v", err, ids, c.IDs)
			}
			if c.Prompt {
				return
			}
			ids, trained, err := tpl.Training(talk, o)
			if c.Mask == nil {
				if err == nil {
					t.Errorf("trains on %v, should be refused", trained)
				}
				return
			}
			masks++
			var mask strings.Builder
			for _, is := range trained {
				fmt.Fprint(&mask, map[bool]int{true: 1}[is])
			}
			if err != nil || !slices.Equal(ids, c.IDs) || mask.String() != *c.Mask {
				t.Errorf("%v: mask\n%s, want\n%s", err, mask.String(), *c.Mask)
			}
		})
	}
	if masks < 20 {
		t.Errorf("%d masks: the reference needs more", masks)
	}
}

// The templates of public models, as they lie in the shared data.
func TestSharedTemplates(t *testing.T) {
	ref := readReference(t)
	for _, s := range ref.Shared {
		t.Run(s.Path, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(s.Path)))
			if err != nil {
				t.Skipf("public test data is absent: %v", err)
			}
			var config map[string]json.RawMessage
			if err := json.Unmarshal(data, &config); err != nil {
				t.Fatal(err)
			}
			var source string
			if err := json.Unmarshal(config["chat_template"], &source); err != nil {
				t.Fatal(err)
			}
			tpl := &Template{constants: map[string]any{}}
			if tpl.plain, err = parse(source); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"bos_token", "eos_token", "pad_token", "unk_token"} {
				var text string
				var object struct{ Content string }
				if json.Unmarshal(config[name], &text) != nil {
					_ = json.Unmarshal(config[name], &object)
					text = object.Content
				}
				if text != "" {
					tpl.constants[name] = text
				}
			}
			for _, row := range s.Rows {
				text, err := tpl.Render(conversation(t, ref.Conversations[row.Conversation]), Options{GenerationPrompt: row.Prompt, Variables: row.Variables, Now: clock})
				sum := sha256.Sum256([]byte(text))
				if digest := hex.EncodeToString(sum[:]); (err != nil) != (row.Digest == nil) || err == nil && digest != *row.Digest {
					t.Errorf("%s, prompt %t, %v: %v\n%s", row.Conversation, row.Prompt, row.Variables, err, text)
				}
			}
		})
	}
}

// A turn's tokens are the assistant's own and its end, in ChatML without the newline behind it.
func TestTrainingTurn(t *testing.T) {
	ref := readReference(t)
	tpl := ref.template(t, ref.Templates["chatml"])
	ids, trained, err := tpl.Training(conversation(t, ref.Conversations["turns"]), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var own []int32
	for i, is := range trained {
		if is {
			own = append(own, ids[i])
		}
	}
	if got, want := tpl.tok.Decode(own, false), "\n4 é你😀\n<|im_end|>6<|im_end|>"; got != want {
		t.Errorf("trains on %q, want %q", got, want)
	}
}

func TestTrainingRefuses(t *testing.T) {
	ref := readReference(t)
	for _, test := range []struct{ template, conversation, want string }{
		{"reasoning", "reasoning", "messages[1]: the chat template writes the conversation up to here differently when more follows"},
		{"chatml", "one turn", "no text of an assistant"},
		{"generation", "one turn", "no text of an assistant"},
		{"chatml", "starts with assistant", "messages[0]: an assistant begins the conversation"},
		{"mistral", "two users", "chat template: line 10: the template refuses: Roles must alternate: user, assistant, user…"},
	} {
		_, _, err := ref.template(t, ref.Templates[test.template]).Training(conversation(t, ref.Conversations[test.conversation]), Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s, %s: %v, want %s", test.template, test.conversation, err, test.want)
		}
	}
}

// Text that joins the assistant's with what is before it would make the mask a matter of taste.
func TestTrainingRefusesJoinedCharacters(t *testing.T) {
	ref := readReference(t)
	var file map[string]any
	if err := json.Unmarshal(ref.Tokenizer, &file); err != nil {
		t.Fatal(err)
	}
	file["normalizer"] = map[string]string{"type": "NFC"}
	var err error
	if ref.Tokenizer, err = json.Marshal(file); err != nil {
		t.Fatal(err)
	}
	const source = "{% for m in messages %}{{ m.role[0] }}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}"
	tpl := ref.template(t, source)
	for content, fails := range map[string]bool{"\u0301x": true, "e\u0301": false} {
		messages, _ := json.Marshal([]map[string]string{{"role": "user", "content": "e"}, {"role": "assistant", "content": content}})
		ids, _, err := tpl.Training(conversation(t, talk{Messages: messages}), Options{})
		if (err != nil) != fails {
			t.Errorf("%q: %v, %v", content, ids, err)
		}
	}
}

// Without a time, a template's text depends on the conversation alone.
func TestNoClock(t *testing.T) {
	ref := readReference(t)
	text, err := ref.template(t, ref.Templates["llama3"]).Render(conversation(t, ref.Conversations["answered"]), Options{})
	if err != nil || !strings.Contains(text, "Today: 1 Jan 2020") {
		t.Errorf("%v: %q", err, text)
	}
}

func TestToolTemplate(t *testing.T) {
	ref := readReference(t)
	tpl := ref.template(t, []map[string]string{{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}})
	for name, want := range map[string]string{"answered": "plain", "tools": "tools"} {
		if got, err := tpl.Render(conversation(t, ref.Conversations[name]), Options{}); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestNew(t *testing.T) {
	if _, err := New(tokenizer.Chars("ab")); !errors.Is(err, ErrNoTemplate) {
		t.Errorf("without a template: %v", err)
	}
	tok, err := tokenizer.Parse(map[string][]byte{"tokenizer.json": readReference(t).Tokenizer, "chat_template.jinja": []byte("a\n{% if %}")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(tok); err == nil || !strings.HasPrefix(err.Error(), "chat template: line 2: ") {
		t.Errorf("a broken template: %v", err)
	}
}

func TestParse(t *testing.T) {
	for _, test := range []struct{ messages, tools, want string }{
		{`[]`, ``, "messages: must be a list with at least one message"},
		{`{}`, ``, "messages: must be a list"},
		{`[{"role": "user"}, 3]`, ``, "messages[1]: is not an object"},
		{`[{"content": "a"}]`, ``, "messages[0]: has no role"},
		{`[{"role": 1}]`, ``, "messages[0].role: must be a text"},
		{`[{"role": "user"`, ``, "messages: unexpected EOF"},
		{`[{"role": "user"}]`, `{}`, "tools: must be a list of objects"},
		{`[{"role": "user"}]`, `[1]`, "tools[0]: is not an object"},
	} {
		if _, err := Parse(json.RawMessage(test.messages), json.RawMessage(test.tools)); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s %s: %v, want %s", test.messages, test.tools, err, test.want)
		}
	}
	c, err := Parse(json.RawMessage(`[{"role": "user", "content": null}]`), json.RawMessage("null"))
	if err != nil || c.Len() != 1 || c.Role(0) != "user" || c.tools != nil || c.messages[0].(*jinja.Dict).Len() != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}
