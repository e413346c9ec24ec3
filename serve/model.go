package serve

import (
	"encoding/json"
	"fmt"
	"time"

	"temper/device"
	"temper/lm/chat"
	"temper/lm/hf"
	"temper/lm/tokenizer"
	"temper/serve/engine"
)

// Message is one message of a conversation: "role", "content" and what else the request gave, in JSON.
type Message = map[string]json.RawMessage

// Say makes a message.
func Say(role, content string) Message {
	quote := func(s string) json.RawMessage {
		text, _ := json.Marshal(s) // a string always encodes
		return text
	}
	return Message{"role": quote(role), "content": quote(content)}
}

// Model is a model that answers.
type Model struct {
	Name      string
	Created   time.Time
	Tokenizer *tokenizer.Tokenizer
	Engine    *engine.Engine

	template    *chat.Template // nil: see templateErr
	templateErr error
}

// Open reads a Hugging Face directory and puts the model on the device. The greatest context is o.Context, or the model's where that is less.
func Open(c *device.Client, dir, name string, o engine.Options) (*Model, error) {
	files, err := hf.Load(dir)
	if err != nil {
		return nil, err
	}
	m, err := New(c, files, name, o)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", dir, err)
	}
	return m, nil
}

// New is Open for a model in memory.
func New(c *device.Client, files *hf.Model, name string, o engine.Options) (*Model, error) {
	tok, err := tokenizer.OfModel(files.TokenizerFiles, files.Config.VocabSize)
	if err != nil {
		return nil, err
	}
	m := &Model{Name: name, Created: time.Now(), Tokenizer: tok}
	m.template, m.templateErr = chat.New(tok)
	o.Context = min(o.Context, files.Config.MaxPositions)
	m.Engine, err = engine.New(c, files, tok.Ends(files.Generation.EOS, files.Config.EOS), o)
	return m, err
}

// Close frees the model.
func (m *Model) Close() { m.Engine.Close() }

// Encode gives the tokens of a text that the model goes on with.
func (m *Model) Encode(text string) []int32 {
	return m.Tokenizer.Encode(text, tokenizer.Options{AddSpecial: true, ParseSpecial: true})
}

// Chat gives the tokens of a conversation, up to where the answer begins. tools is a JSON list or empty, variables are more that the template
// may read. The error of a model that cannot chat wraps chat.ErrNoTemplate, or says what is wrong with its template.
func (m *Model) Chat(messages []Message, tools json.RawMessage, variables map[string]any) ([]int32, error) {
	if m.template == nil {
		return nil, m.templateErr
	}
	list, err := json.Marshal(messages)
	if err != nil {
		return nil, err
	}
	c, err := chat.Parse(list, tools)
	if err != nil {
		return nil, err
	}
	return m.template.Encode(c, chat.Options{GenerationPrompt: true, Variables: variables, Now: time.Now()})
}

// answer makes the text of one of the model's answers; before are the prompt's tokens where the answer goes on with their text.
func (m *Model) answer(before []int32, stops []string, emit func(delta)) *answer {
	stream := m.Tokenizer.NewStream(true)
	for _, id := range before {
		stream.Next(id)
	}
	return &answer{stream: stream, stops: stops, emit: emit}
}
