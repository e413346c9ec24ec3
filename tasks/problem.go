package tasks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"temper/tasks/rows"
)

// Problem is one thing to solve.
type Problem struct {
	ID         string            `json:"id"` // unique within a list
	Prompt     string            `json:"prompt"`
	Answer     string            `json:"answer,omitempty"`   // the gold answer; empty where none exists
	Solution   string            `json:"solution,omitempty"` // a full demonstration: chain of thought and final answer
	Concepts   []string          `json:"concepts,omitempty"` // sorted, distinct
	Difficulty int               `json:"difficulty,omitempty"`
	Source     string            `json:"source,omitempty"` // what the problem came from: a domain or a file
	Meta       map[string]string `json:"meta,omitempty"`   // "answer": form of the answer for reward; "words": required words; …

	// A conversation to train on, as the file has it: a list of messages, and of tools where it has some.
	Messages json.RawMessage `json:"messages,omitempty"`
	Tools    json.RawMessage `json:"tools,omitempty"`
}

// Exclude returns the problems whose prompts occur in none of the others, in order.
func Exclude(ps []Problem, others ...[]Problem) []Problem {
	banned := prompts(others...)
	var out []Problem
	for _, p := range ps {
		if !banned[p.Prompt] {
			out = append(out, p)
		}
	}
	return out
}

func prompts(lists ...[]Problem) map[string]bool {
	set := map[string]bool{}
	for _, list := range lists {
		for _, p := range list {
			set[p.Prompt] = true
		}
	}
	return set
}

// WriteJSONL encodes one problem a line; equal lists give equal bytes.
func WriteJSONL(ps []Problem) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i := range ps {
		// A Problem holds strings and an int only: encoding into memory cannot fail.
		_ = enc.Encode(&ps[i])
	}
	return b.Bytes()
}

// ReadJSONL decodes what WriteJSONL wrote. Unknown fields and problems without id or prompt are refused, naming the line.
func ReadJSONL(data []byte) ([]Problem, error) {
	var out []Problem
	err := rows.Lines(bytes.NewReader(data), func(_ int, text []byte) error {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		var p Problem
		if err := dec.Decode(&p); err != nil {
			return err
		}
		if _, err := dec.Token(); !errors.Is(err, io.EOF) {
			return errors.New("more than one value")
		}
		if p.ID == "" || p.Prompt == "" {
			return errors.New("a problem needs id and prompt")
		}
		out = append(out, p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tasks: problems: %w", err)
	}
	return out, nil
}
