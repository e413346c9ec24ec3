// Package chat makes conversations into text and tokens by the chat template of a model's tokenizer, and says which
// of the tokens a model learns to write: the assistant's, each turn with its end.
//
// It may import lm/tokenizer and lm/chat/jinja.
package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"time"

	"temper/lm/chat/jinja"
	"temper/lm/tokenizer"
)

// ErrNoTemplate is what [New] returns for a tokenizer without a chat template.
var ErrNoTemplate = errors.New("the tokenizer has no chat template (tokenizer_config.json: chat_template, or chat_template.jinja)")

// Template is a tokenizer with its chat template. It is safe for concurrent use.
type Template struct {
	tok          *tokenizer.Tokenizer
	plain, tools source
	constants    map[string]any // special tokens by name
}

type source struct {
	template *jinja.Template // nil: none
	marks    bool            // it has {% generation %} blocks
}

// New parses the chat template of a tokenizer, and the one for tools where there is one of its own.
func New(tok *tokenizer.Tokenizer) (*Template, error) {
	if tok.ChatTemplate() == "" {
		return nil, ErrNoTemplate
	}
	t := &Template{tok: tok, constants: map[string]any{}}
	for name, token := range tok.SpecialTokens() {
		t.constants[name] = token
	}
	var err error
	if t.plain, err = parse(tok.ChatTemplate()); err != nil {
		return nil, err
	}
	if t.tools, err = parse(tok.ToolTemplate()); err != nil {
		return nil, fmt.Errorf("for tools: %w", err)
	}
	return t, nil
}

var generationBlock = regexp.MustCompile(`\{%[-+]?\s*generation\s*[-+]?%\}`)

func parse(text string) (source, error) {
	if text == "" {
		return source{}, nil
	}
	t, err := jinja.Parse(text)
	if err != nil {
		return source{}, fmt.Errorf("chat template: %w", err)
	}
	return source{t, generationBlock.MatchString(text)}, nil
}

// Conversation is a list of messages, and the tools that the assistant may call.
type Conversation struct {
	messages []any // *jinja.Dict
	tools    any   // nil: none
}

// Parse reads messages, a JSON list of objects with a role, and tools, a JSON list of objects or empty. What else
// a message holds (content, tool_calls, reasoning_content…) is the template's matter. Keys whose value is null are
// left out, as in transformers.
func Parse(messages, tools json.RawMessage) (Conversation, error) {
	var c Conversation
	v, err := jinja.FromJSON(messages)
	if err != nil {
		return c, fmt.Errorf("messages: %w", err)
	}
	list, ok := v.(*jinja.List)
	if !ok || len(list.Items) == 0 {
		return c, errors.New("messages: must be a list with at least one message")
	}
	for i, item := range list.Items {
		m, ok := item.(*jinja.Dict)
		if !ok {
			return c, fmt.Errorf("messages[%d]: is not an object", i)
		}
		if r, ok := m.Get("role"); !ok {
			return c, fmt.Errorf("messages[%d]: has no role", i)
		} else if _, ok := r.(string); !ok {
			return c, fmt.Errorf("messages[%d].role: must be a text", i)
		}
		c.messages = append(c.messages, reasoning(m))
	}
	if len(tools) == 0 {
		return c, nil
	}
	if c.tools, err = jinja.FromJSON(tools); err != nil {
		return c, fmt.Errorf("tools: %w", err)
	}
	if l, ok := c.tools.(*jinja.List); ok {
		for i, item := range l.Items {
			if _, ok := item.(*jinja.Dict); !ok {
				return c, fmt.Errorf("tools[%d]: is not an object", i)
			}
		}
	} else if c.tools != nil {
		return c, errors.New("tools: must be a list of objects")
	}
	return c, nil
}

// reasoning drops the keys whose value is null and gives a message's reasoning, under whichever name it came, the names that templates read.
func reasoning(m *jinja.Dict) *jinja.Dict {
	var thought any
	for _, name := range []string{"reasoning_content", "thinking", "reasoning"} {
		if v, _ := m.Get(name); v != nil && thought == nil {
			thought = v
		}
	}
	out := jinja.NewDict()
	if thought != nil {
		out.Set("thinking", thought)
	}
	for _, k := range m.Keys() {
		if v, _ := m.Get(k); v != nil {
			out.Set(k, v)
		}
	}
	if thought != nil {
		out.Set("reasoning_content", thought)
	}
	return out
}

// Len is the number of messages.
func (c Conversation) Len() int { return len(c.messages) }

// Role is the role of message i.
func (c Conversation) Role(i int) string {
	r, _ := c.messages[i].(*jinja.Dict).Get("role")
	return r.(string)
}

// first is the conversation up to its n-th message.
func (c Conversation) first(n int) Conversation { return Conversation{c.messages[:n], c.tools} }

// Options of [Template.Render].
type Options struct {
	GenerationPrompt bool           // end with what comes before an assistant's turn
	Variables        map[string]any // further variables of the template: nil, bool, int64, float64 or string
	Now              time.Time      // what strftime_now tells; zero: the template finds no such function, and the text depends on nothing but the conversation
}

// Render gives the conversation's text.
func (t *Template) Render(c Conversation, o Options) (string, error) {
	out, err := t.render(c, o)
	return out.Text, err
}

// Encode gives the conversation's tokens. The template writes the tokens around a text itself.
func (t *Template) Encode(c Conversation, o Options) ([]int32, error) {
	text, err := t.Render(c, o)
	if err != nil {
		return nil, err
	}
	return t.tok.Encode(text, tokenizer.Options{ParseSpecial: true}), nil
}

func (t *Template) render(c Conversation, o Options) (jinja.Output, error) {
	vars := maps.Clone(t.constants)
	maps.Copy(vars, o.Variables)
	vars["messages"], vars["tools"], vars["documents"] = &jinja.List{Items: c.messages}, c.tools, nil
	vars["add_generation_prompt"] = o.GenerationPrompt
	out, err := t.source(c).template.Render(vars, o.Now)
	if err != nil {
		return out, fmt.Errorf("chat template: %w", err)
	}
	return out, nil
}

func (t *Template) source(c Conversation) source {
	if c.tools != nil && t.tools.template != nil {
		return t.tools
	}
	return t.plain
}
