package serve

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"time"

	"temper/serve/engine"
)

// chatRequest is the body of POST /v1/chat/completions.
type chatRequest struct {
	sampling
	Messages            []Message       `json:"messages"`
	LogProbs            *bool           `json:"logprobs"`
	TopLogProbs         *int            `json:"top_logprobs"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Tools               json.RawMessage `json:"tools"`                // the template shows them to the model; its calls are part of its text
	ToolChoice          json.RawMessage `json:"tool_choice"`          // "auto" or "none"
	Variables           map[string]any  `json:"chat_template_kwargs"` // more that the template reads, such as enable_thinking
	ResponseFormat      *struct {
		Type string `json:"type"`
	} `json:"response_format"` // text

	// Said about a request, without an effect on its answer.
	Store             *bool             `json:"store"`
	Metadata          map[string]string `json:"metadata"`
	ServiceTier       string            `json:"service_tier"`
	SafetyIdentifier  string            `json:"safety_identifier"`
	PromptCacheKey    string            `json:"prompt_cache_key"`
	ParallelToolCalls *bool             `json:"parallel_tool_calls"`
}

type chatCompletion struct {
	ID          string       `json:"id"`
	Object      string       `json:"object"`
	Created     int64        `json:"created"`
	Model       string       `json:"model"`
	Fingerprint string       `json:"system_fingerprint,omitempty"`
	Choices     []chatAnswer `json:"choices"`
	Usage       *usage       `json:"usage,omitempty"`
}

type chatAnswer struct {
	Index    int           `json:"index"`
	Message  *chatMessage  `json:"message,omitempty"` // of a whole answer
	Delta    *chatMessage  `json:"delta,omitempty"`   // of a part
	LogProbs *chatLogProbs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

type chatMessage struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
	Refusal *string `json:"refusal,omitempty"` // never there
}

// chatJob is a chat request under way.
type chatJob struct {
	*chatRequest
	server  *Server
	head    chatCompletion
	prompt  []int32
	maxNew  int
	feed    *feed
	answers []*answer
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) error {
	c := &chatJob{chatRequest: &chatRequest{}, server: s, feed: newFeed()}
	if err := body(w, r, c.chatRequest); err != nil {
		return err
	}
	if err := s.serves(c.Model); err != nil {
		return err
	}
	if e := c.read(); e != nil {
		return e
	}
	c.head = chatCompletion{ID: "chatcmpl-" + rand.Text(), Object: "chat.completion", Created: time.Now().Unix(), Model: s.model.Name, Fingerprint: s.options.Fingerprint}
	sequences, answers := c.sequences(s.model, c.feed, c.prompt, nil, 0, c.maxNew, or(c.TopLogProbs, 0), c.seed())
	c.answers = answers
	j, err := s.model.Engine.Submit(r.Context(), sequences)
	if err != nil {
		return err
	}
	if c.Stream {
		c.head.Object = "chat.completion.chunk"
		return c.stream(w, r, j)
	}
	<-j.Done()
	if err := j.Err(); err != nil {
		return err
	}
	s.write(w, http.StatusOK, c.whole())
	return nil
}

// read checks the request and makes its prompt.
func (c *chatJob) read() *apiError {
	if e := c.check(); e != nil {
		return e
	}
	if e := c.checkChat(); e != nil {
		return e
	}
	messages, e := checkMessages(c.Messages)
	if e != nil {
		return e
	}
	variables, e := checkVariables(c.Variables)
	if e != nil {
		return e
	}
	m := c.server.model
	var err error
	if c.prompt, err = m.Chat(messages, c.Tools, variables); err != nil {
		e := invalid("messages", "%v", err)
		if m.template == nil {
			e.code = "no_chat_template"
			e.message += "; /v1/completions goes on with plain text"
		}
		return e
	}
	context, param := m.Engine.Context(), "max_completion_tokens"
	if c.MaxCompletionTokens == nil && c.MaxTokens != nil {
		c.MaxCompletionTokens, param = c.MaxTokens, "max_tokens"
	}
	c.maxNew = or(c.MaxCompletionTokens, max(1, context-len(c.prompt)))
	if c.maxNew < 1 {
		return invalid(param, "%s must be at least 1, is %d", param, c.maxNew)
	}
	if n := len(c.prompt); n+c.maxNew > context {
		if n >= context {
			param = "messages"
		}
		return tooLong(param, context, n, c.maxNew)
	}
	return nil
}

// checkChat checks the fields that completions do not have.
func (c *chatJob) checkChat() *apiError {
	top := or(c.TopLogProbs, 0)
	var choice string
	switch named := len(c.ToolChoice) > 0 && json.Unmarshal(c.ToolChoice, &choice) != nil; {
	case top < 0 || top > engine.MaxTop:
		return invalid("top_logprobs", "top_logprobs must be between 0 and %d, is %d", engine.MaxTop, top)
	case top > 0 && !or(c.LogProbs, false):
		return invalid("top_logprobs", "top_logprobs needs logprobs: true")
	case named || choice != "" && choice != "auto" && choice != "none":
		return invalid("tool_choice", `tool_choice must be "auto" or "none": a call cannot be enforced`)
	case c.ResponseFormat != nil && c.ResponseFormat.Type != "text":
		return invalid("response_format", "response_format %q is not supported, only text is", c.ResponseFormat.Type)
	case or(c.N, 1) > c.server.model.Engine.MaxWaiting():
		return invalid("n", "n of %d is more than the %d sequences that may wait", *c.N, c.server.model.Engine.MaxWaiting())
	}
	if choice == "none" {
		c.Tools = nil
	}
	return nil
}

// checkMessages gives the messages with their contents as text.
func checkMessages(messages []Message) ([]Message, *apiError) {
	if len(messages) == 0 {
		return nil, invalid("messages", "messages is missing or empty")
	}
	var out []Message
	for i, m := range messages {
		var role string
		if json.Unmarshal(m["role"], &role) != nil || role == "" {
			return nil, invalid(fmt.Sprintf("messages[%d].role", i), "messages[%d].role must be a string, such as user", i)
		}
		param := fmt.Sprintf("messages[%d].content", i)
		var text *string
		if content := m["content"]; len(content) > 0 && json.Unmarshal(content, &text) != nil {
			var parts []struct{ Type, Text string }
			if json.Unmarshal(content, &parts) != nil {
				return nil, invalid(param, "%s must be a string or a list of parts", param)
			}
			joined := ""
			for _, p := range parts {
				if p.Type != "text" {
					return nil, invalid(param, `%s: only parts of type "text" are supported`, param)
				}
				joined += p.Text
			}
			m = maps.Clone(m)
			m["content"] = Say(role, joined)["content"]
		} else if text == nil && role != "assistant" {
			return nil, invalid(param, "%s is missing", param)
		}
		out = append(out, m)
	}
	return out, nil
}

// checkVariables gives variables the types that templates know.
func checkVariables(variables map[string]any) (map[string]any, *apiError) {
	out := map[string]any{}
	for name, v := range variables {
		switch x := v.(type) {
		case nil, bool, string:
			out[name] = x
		case float64:
			out[name] = x
			if n := int64(x); float64(n) == x {
				out[name] = n
			}
		default:
			return nil, invalid("chat_template_kwargs", "chat_template_kwargs.%s must be a string, a number, true or false", name)
		}
	}
	return out, nil
}

func (c *chatJob) logProbs(e event) *chatLogProbs {
	if !or(c.LogProbs, false) {
		return nil
	}
	return c.server.model.chatTokens(e.tokens)
}

// whole is the answer to a request that does not stream: its parts put together.
func (c *chatJob) whole() chatCompletion {
	out := c.head
	for i := range c.answers {
		empty := ""
		out.Choices = append(out.Choices, chatAnswer{Index: i, Message: &chatMessage{Role: "assistant", Content: &empty}, LogProbs: c.logProbs(event{})})
	}
	for _, e := range c.feed.take() {
		to := &out.Choices[e.choice]
		*to.Message.Content += e.text
		if part := c.logProbs(e); part != nil {
			to.LogProbs.Content = append(to.LogProbs.Content, part.Content...)
		}
		if e.finish != "" {
			to.Finish = &e.finish
		}
	}
	u := usageOf(len(c.prompt), c.answers)
	out.Usage = &u
	return out
}

func (c *chatJob) stream(w http.ResponseWriter, r *http.Request, j engine.Job) error {
	part := func(a chatAnswer) any {
		out := c.head
		out.Choices = []chatAnswer{a}
		return out
	}
	var first []any
	for i := range c.answers {
		empty := ""
		first = append(first, part(chatAnswer{Index: i, Delta: &chatMessage{Role: "assistant", Content: &empty}}))
	}
	return c.server.stream(w, r, j, c.feed, first, func(e event) any {
		a := chatAnswer{Index: e.choice, Delta: &chatMessage{Content: &e.text}, LogProbs: c.logProbs(e)}
		if e.finish != "" {
			a.Finish = &e.finish
		}
		return part(a)
	}, func() any {
		if c.StreamOptions == nil || !c.StreamOptions.IncludeUsage {
			return nil
		}
		out, u := c.head, usageOf(len(c.prompt), c.answers)
		out.Choices, out.Usage = []chatAnswer{}, &u
		return out
	})
}
