package tasks

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// messagesRow takes a conversation to train on: {"messages": [{"role": …, "content": …}, …], "tools": […]}. What a
// message may hold beside its role is the chat template's matter. The prompt, by which sets exclude one another, is the first user's text.
func messagesRow(text []byte, p *Problem) error {
	var row struct{ Messages, Tools json.RawMessage }
	if err := json.Unmarshal(text, &row); err != nil {
		return err
	}
	var messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	}
	if len(row.Messages) == 0 {
		return errors.New(`has no field "messages"`)
	}
	if err := json.Unmarshal(row.Messages, &messages); err != nil {
		return fmt.Errorf(`field "messages": must be a list of messages with a role: %w`, err)
	}
	answered := false
	for i, m := range messages {
		switch m.Role {
		case "":
			return fmt.Errorf(`field "messages[%d]": has no role`, i)
		case "assistant":
			answered = true
		case "user":
			if p.Prompt == "" {
				p.Prompt = contentText(m.Content)
			}
		}
	}
	if !answered {
		return errors.New(`field "messages": has no message of an assistant to train on`)
	}
	p.Messages = row.Messages
	if string(row.Tools) != "null" {
		p.Tools = row.Tools
	}
	return nil
}

// contentText is the text of a message: a text, or the texts of its parts.
func contentText(content json.RawMessage) string {
	var one string
	if json.Unmarshal(content, &one) == nil {
		return one
	}
	var parts []struct{ Text string }
	if json.Unmarshal(content, &parts) != nil {
		return ""
	}
	var texts []string
	for _, p := range parts {
		texts = append(texts, p.Text)
	}
	return strings.Join(texts, "\n")
}

// Place is where a problem of a file stands, as file:line; for others its id.
func (p Problem) Place() string {
	if i := strings.LastIndexByte(p.ID, ':'); p.Messages != nil && i >= 0 {
		return p.Source + p.ID[i:]
	}
	return p.ID
}
