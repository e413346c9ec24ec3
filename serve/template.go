package serve

import (
	"fmt"

	"temper/lm/tokenizer"
)

// templateOf reads a model's chat template.
func templateOf(tok *tokenizer.Tokenizer) (Template, error) {
	if tok.ChatTemplate() == "" {
		return nil, fmt.Errorf("%w: neither chat_template.jinja nor tokenizer_config.json has one", ErrNoTemplate)
	}
	return nil, fmt.Errorf("%w that can be rendered yet", ErrNoTemplate)
}
