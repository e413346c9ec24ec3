package serve

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// prompt is one text to go on with.
type prompt struct {
	tokens []int32
	text   string // as the answer echoes it
}

// prompts reads the four forms of the field: a string, a list of strings, a list of token ids, a list of lists of token ids.
func (m *Model) prompts(raw json.RawMessage) ([]prompt, *apiError) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, invalid("prompt", "prompt is missing")
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return m.texts([]string{text})
	}
	var texts []string
	if json.Unmarshal(raw, &texts) == nil && len(texts) > 0 {
		return m.texts(texts)
	}
	var ids []int32
	if json.Unmarshal(raw, &ids) == nil && len(ids) > 0 {
		return m.ids([][]int32{ids})
	}
	var lists [][]int32
	if json.Unmarshal(raw, &lists) == nil && len(lists) > 0 {
		return m.ids(lists)
	}
	return nil, invalid("prompt", "prompt must be a string, a list of strings, a list of token ids or a list of lists of token ids, and not be empty")
}

func (m *Model) texts(texts []string) ([]prompt, *apiError) {
	var out []prompt
	for i, text := range texts {
		tokens := m.Encode(text)
		if len(tokens) == 0 { // an empty text to a tokenizer that adds nothing
			bos, ok := m.Tokenizer.BOS()
			if !ok {
				return nil, invalid("prompt", "prompt %d is empty, and the model has no token for the beginning of a text", i)
			}
			tokens = []int32{bos}
		}
		out = append(out, prompt{tokens, text})
	}
	return out, nil
}

func (m *Model) ids(lists [][]int32) ([]prompt, *apiError) {
	var out []prompt
	for i, ids := range lists {
		if len(ids) == 0 {
			return nil, invalid("prompt", "prompt %d has no tokens", i)
		}
		for _, id := range ids {
			if _, ok := m.Tokenizer.Piece(id); !ok {
				return nil, invalid("prompt", "prompt %d has token %d, which is not in the vocabulary", i, id)
			}
		}
		text, _ := m.offsets(ids)
		out = append(out, prompt{ids, text})
	}
	return out, nil
}

// offsets are where the tokens begin in their text, in characters.
func (m *Model) offsets(ids []int32) (text string, offsets []int) {
	var b strings.Builder
	stream, n := m.Tokenizer.NewStream(true), 0
	for _, id := range ids {
		offsets = append(offsets, n)
		part := stream.Next(id)
		b.WriteString(part)
		n += utf8.RuneCountInString(part)
	}
	return b.String(), offsets
}
