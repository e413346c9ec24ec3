package activities

import (
	"fmt"

	"temper/lm/chat"
	"temper/tasks"
	"temper/train"
)

// conversation makes a problem's messages into tokens by the model's chat template. The prompt is what stands before the assistant's first
// token; of the rest the assistant's turns are trained.
func conversation(t *text, p tasks.Problem) (train.Demo, error) {
	template, err := t.chat()
	if err != nil {
		return train.Demo{}, fmt.Errorf("%s: %w", p.Place(), err)
	}
	c, err := chat.Parse(p.Messages, p.Tools)
	if err != nil {
		return train.Demo{}, fmt.Errorf("%s: %w", p.Place(), err)
	}
	ids, trained, err := template.Training(c, chat.Options{})
	if err != nil {
		return train.Demo{}, fmt.Errorf("%s: %w", p.Place(), err)
	}
	first := 0
	for first < len(trained) && !trained[first] {
		first++
	}
	d := train.Demo{Prompt: ids[:first], Response: ids[first:]}
	for _, is := range trained[first:] {
		d.Untrained = append(d.Untrained, !is)
	}
	return d, nil
}
