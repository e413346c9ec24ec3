package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"temper/device"
	"temper/lm/hf"
	"temper/lm/tokenizer"
	"temper/serve/engine"
)

// Message is one message of a conversation, as a chat template sees it: "role", "content" and what else the request gave.
type Message = map[string]any

// Template writes a conversation as the text that the model was trained on; with addGenerationPrompt it ends where the model's answer begins.
type Template interface {
	Render(messages []Message, tools []json.RawMessage, addGenerationPrompt bool) (string, error)
}

// ErrNoTemplate says that a model cannot chat.
var ErrNoTemplate = errors.New("the model has no chat template")

// Model is a model that answers.
type Model struct {
	Name      string
	Created   time.Time
	Tokenizer *tokenizer.Tokenizer
	Engine    *engine.Engine

	template    Template // nil: see templateErr
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
	tok, err := tokenizer.Parse(files.TokenizerFiles)
	if err != nil {
		return nil, err
	}
	if err := tok.CheckModel(files.Config.VocabSize); err != nil {
		return nil, err
	}
	m := &Model{Name: name, Created: time.Now(), Tokenizer: tok}
	m.template, m.templateErr = templateOf(tok)
	o.Context = min(o.Context, files.Config.MaxPositions)
	m.Engine, err = engine.New(c, files, stopsOf(files, tok), o)
	return m, err
}

// Close frees the model.
func (m *Model) Close() { m.Engine.Close() }

// stopsOf are the ids that end a text.
func stopsOf(files *hf.Model, tok *tokenizer.Tokenizer) []int32 {
	var stops []int32
	seen := map[int32]bool{}
	add := func(id int32) {
		if !seen[id] {
			seen[id] = true
			stops = append(stops, id)
		}
	}
	for _, ids := range [][]int{files.Generation.EOS, files.Config.EOS} {
		for _, id := range ids {
			add(int32(id))
		}
	}
	if id, ok := tok.EOS(); ok {
		add(id)
	}
	return stops
}

// Encode gives the tokens of a text that the model goes on with.
func (m *Model) Encode(text string) []int32 {
	return m.Tokenizer.Encode(text, tokenizer.Options{AddSpecial: true, ParseSpecial: true})
}

// Chat gives the tokens of a conversation, up to where the answer begins.
func (m *Model) Chat(messages []Message, tools []json.RawMessage) ([]int32, error) {
	if m.template == nil {
		return nil, m.templateErr
	}
	text, err := m.template.Render(messages, tools, true)
	if err != nil {
		return nil, fmt.Errorf("chat template: %w", err)
	}
	return m.Tokenizer.Encode(text, tokenizer.Options{ParseSpecial: true}), nil
}

// answer makes the text of one of the model's answers; before are the prompt's tokens where the answer goes on with their text.
func (m *Model) answer(before []int32, stops []string, emit func(delta)) *answer {
	stream := m.Tokenizer.NewStream(true)
	for _, id := range before {
		stream.Next(id)
	}
	return &answer{stream: stream, stops: stops, emit: emit}
}
