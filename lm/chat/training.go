package chat

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"temper/lm/tokenizer"
)

const assistant = "assistant"

// Training gives a conversation's tokens and which of them are trained: those of the assistant's turns, each with the
// token that ends it. Where the template has {% generation %} blocks, these are the tokens that cover any of the
// text within, as in transformers. Where it has none, a turn is what the conversation with it has more than the
// conversation before it with its generation prompt; white space after the end of a turn is not part of it. That
// needs a template that writes a turn the same way whatever follows; one that does not is refused. There is no
// generation prompt at the end, whatever the options say.
func (t *Template) Training(c Conversation, o Options) (ids []int32, trained []bool, err error) {
	o.GenerationPrompt = false
	out, err := t.render(c, o)
	if err != nil {
		return nil, nil, err
	}
	turns := out.Generation
	if !t.source(c).marks {
		if turns, err = t.turns(c, o, out.Text); err != nil {
			return nil, nil, err
		}
	}
	if ids, trained, err = t.tok.EncodeRanges(out.Text, tokenizer.Options{ParseSpecial: true}, turns); err != nil {
		return nil, nil, fmt.Errorf("chat template: %w", err)
	}
	for _, is := range trained {
		if is {
			return ids, trained, nil
		}
	}
	return nil, nil, errors.New("the conversation has no text of an assistant to train on")
}

// turns are the byte ranges of the assistant's turns in the whole conversation's text.
func (t *Template) turns(c Conversation, o Options, whole string) ([][2]int, error) {
	var out [][2]int
	for i := range c.Len() {
		if c.Role(i) != assistant {
			continue
		}
		if i == 0 {
			return nil, errors.New("messages[0]: an assistant begins the conversation, and the chat template does not mark what is its own with {% generation %}")
		}
		prompted := o
		prompted.GenerationPrompt = true
		before, err := t.Render(c.first(i), prompted)
		if err != nil {
			return nil, fmt.Errorf("messages[%d]: what comes before it: %w", i, err)
		}
		with, err := t.Render(c.first(i+1), o)
		if err != nil {
			return nil, fmt.Errorf("messages[%d]: up to here: %w", i, err)
		}
		if !strings.HasPrefix(with, before) || !strings.HasPrefix(whole, with) {
			return nil, fmt.Errorf("messages[%d]: the chat template writes the conversation up to here differently when more follows, "+
				"so which text is the assistant's is not certain; it needs {%% generation %%} blocks", i)
		}
		out = append(out, [2]int{len(before), len(before) + t.turnEnd(with[len(before):])})
	}
	return out, nil
}

// turnEnd is the length of a turn without the white space after the special token that ends it.
func (t *Template) turnEnd(turn string) int {
	trimmed := strings.TrimRightFunc(turn, unicode.IsSpace)
	ids := t.tok.Encode(trimmed, tokenizer.Options{ParseSpecial: true})
	if len(ids) > 0 && t.tok.IsSpecial(ids[len(ids)-1]) {
		return len(trimmed)
	}
	return len(turn)
}
