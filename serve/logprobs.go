package serve

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"temper/serve/engine"
)

// completionLogProbs is the form of the completions API: parallel lists over tokens. The first token of an echoed prompt has null.
type completionLogProbs struct {
	Tokens   []string             `json:"tokens"`
	LogProbs []*float32           `json:"token_logprobs"`
	Top      []map[string]float32 `json:"top_logprobs"`
	Offsets  []int                `json:"text_offset"` // characters
}

func (c *completionLogProbs) add(m *Model, id int32, logProb *float32, top []engine.Choice, offset int) {
	c.Tokens = append(c.Tokens, m.tokenName(id))
	c.LogProbs = append(c.LogProbs, logProb)
	c.Offsets = append(c.Offsets, offset)
	var alternatives map[string]float32
	if logProb != nil && len(top) > 0 {
		alternatives = map[string]float32{}
		for _, t := range top {
			if name := m.tokenName(t.ID); !has(alternatives, name) { // the likelier of two that are spelt alike
				alternatives[name] = t.LogProb
			}
		}
		if name := m.tokenName(id); !has(alternatives, name) {
			alternatives[name] = *logProb
		}
	}
	c.Top = append(c.Top, alternatives)
}

func has(m map[string]float32, key string) bool {
	_, ok := m[key]
	return ok
}

// tokens adds an answer's tokens; offset is where the answer begins in the text.
func (c *completionLogProbs) tokens(m *Model, list []token, offset int) {
	for _, t := range list {
		logProb := t.LogProb
		c.add(m, t.ID, &logProb, t.Top, offset+t.offset)
	}
}

// joined is these and those after; either may be nil.
func (c *completionLogProbs) joined(after *completionLogProbs) *completionLogProbs {
	out := &completionLogProbs{Tokens: []string{}, LogProbs: []*float32{}, Top: []map[string]float32{}, Offsets: []int{}}
	for _, x := range []*completionLogProbs{c, after} {
		if x != nil {
			out.Tokens, out.LogProbs = append(out.Tokens, x.Tokens...), append(out.LogProbs, x.LogProbs...)
			out.Top, out.Offsets = append(out.Top, x.Top...), append(out.Offsets, x.Offsets...)
		}
	}
	return out
}

// tokenName is a token's text, or its bytes where they are no text by themselves.
func (m *Model) tokenName(id int32) string {
	b := m.Tokenizer.TokenBytes(id)
	if utf8.Valid(b) {
		return string(b)
	}
	var s strings.Builder
	s.WriteString("bytes:")
	for _, x := range b {
		fmt.Fprintf(&s, "\\x%02x", x)
	}
	return s.String()
}

// chatLogProbs is the form of the chat API.
type chatLogProbs struct {
	Content []chatToken `json:"content"`
	Refusal *string     `json:"refusal"` // always null
}

type chatToken struct {
	chatChoice
	Top []chatChoice `json:"top_logprobs"`
}

type chatChoice struct {
	Token   string  `json:"token"`
	LogProb float32 `json:"logprob"`
	Bytes   []int   `json:"bytes"`
}

func (m *Model) chatChoice(c engine.Choice) chatChoice {
	out := chatChoice{Token: m.tokenName(c.ID), LogProb: c.LogProb, Bytes: []int{}}
	for _, b := range m.Tokenizer.TokenBytes(c.ID) {
		out.Bytes = append(out.Bytes, int(b))
	}
	return out
}

func (m *Model) chatTokens(list []token) *chatLogProbs {
	out := &chatLogProbs{Content: []chatToken{}}
	for _, t := range list {
		c := chatToken{chatChoice: m.chatChoice(t.Choice), Top: []chatChoice{}}
		for _, alternative := range t.Top {
			c.Top = append(c.Top, m.chatChoice(alternative))
		}
		out.Content = append(out.Content, c)
	}
	return out
}
