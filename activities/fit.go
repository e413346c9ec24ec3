package activities

import (
	"fmt"
	"unicode/utf8"

	"temper/tasks"
	"temper/train"
)

// templateTokens is more than what a tokenizer adds to a text's bytes by itself: marks of its beginning, a space before it.
const templateTokens = 16

// fit refuses problems whose prompts leave no room for an answer of maxTokens, before any is sampled: a run shall not meet them in the night. It names
// the worst, and the remedy.
func (p policy) fit(problems []tasks.Problem, maxTokens int) error {
	room := p.config.MaxPositions - maxTokens
	if p.config.MaxPositions == 0 {
		return nil
	}
	long, worst, most, fits := 0, tasks.Problem{}, 0, 0
	for _, x := range problems {
		if len(x.Prompt)+templateTokens <= room { // no tokenizer makes more tokens than bytes
			continue
		}
		n := len(p.text.prompt(x.Prompt))
		if n <= room {
			fits = max(fits, utf8.RuneCountInString(x.Prompt))
			continue
		}
		long++
		if n > most {
			worst, most = x, n
		}
	}
	if long == 0 {
		return nil
	}
	remedy := "lower max_tokens"
	if fits > 0 {
		remedy += fmt.Sprintf(", or leave them out with clean: {longest: %d} in the task set (characters; the longest prompt that fits has %d)", fits, fits)
	}
	return fmt.Errorf("%d of %d prompts are too long for the model: problem %s has %d tokens, with max_tokens %d more than its %d positions; %s",
		long, len(problems), worst.ID, most, maxTokens, p.config.MaxPositions, remedy)
}

// fitRows refuses demonstrations that no row can hold, before any is trained on; name says what the i-th is.
func fitRows(demos []train.Demo, length int, name func(i int) string) error {
	long, worst, most := 0, 0, length
	for i, d := range demos {
		n := len(d.Prompt) + len(d.Response) - 1 // the last token is predicted only
		if n > length {
			long++
		}
		if n > most {
			worst, most = i, n
		}
	}
	if long == 0 {
		return nil
	}
	return fmt.Errorf("length: %d of %d demonstrations do not fit a row of %d: %s needs one of %d", long, len(demos), length, name(worst), most)
}
