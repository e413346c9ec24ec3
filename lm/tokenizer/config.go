package tokenizer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// config is what stands beside the tokenizer itself: which tokens mean what.
type config struct {
	class          string // tokenizer_class
	modelType      string // of config.json, where that was given
	bos, eos, pad  string
	special        map[string]bool // tokens that some file calls special
	chat, toolChat string
	named          map[string]string    // bos_token and so on, as templates know them
	decoder        map[string]addedFile // added_tokens_decoder, by id
	added          map[string]int32     // added_tokens.json
	raw            map[string]json.RawMessage
}

// tokenName is a special token: a string or an object with its content.
type tokenName string

func (n *tokenName) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err == nil {
		*n = tokenName(s)
		return nil
	}
	var o struct {
		Content string `json:"content"`
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return fmt.Errorf("must be a token or an object with its content")
	}
	*n = tokenName(o.Content)
	return nil
}

type specialFile struct {
	BOS  tokenName `json:"bos_token"`
	EOS  tokenName `json:"eos_token"`
	PAD  tokenName `json:"pad_token"`
	UNK  tokenName `json:"unk_token"`
	SEP  tokenName `json:"sep_token"`
	CLS  tokenName `json:"cls_token"`
	MASK tokenName `json:"mask_token"`
	// A list, or in newer files an object that names its tokens.
	Additional json.RawMessage `json:"additional_special_tokens"`
}

func parseConfig(files map[string][]byte) (*config, error) {
	c := &config{special: map[string]bool{}, named: map[string]string{}, raw: map[string]json.RawMessage{}}
	for _, name := range []string{"special_tokens_map.json", "tokenizer_config.json"} {
		data, ok := files[name]
		if !ok {
			continue
		}
		var f specialFile
		if err := json.Unmarshal(data, &f); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.bos = cmp.Or(string(f.BOS), c.bos)
		c.eos = cmp.Or(string(f.EOS), c.eos)
		c.pad = cmp.Or(string(f.PAD), c.pad)
		for _, token := range []tokenName{f.BOS, f.EOS, f.PAD, f.UNK} {
			c.special[string(token)] = true
		}
		for name, token := range map[string]tokenName{"bos_token": f.BOS, "eos_token": f.EOS, "pad_token": f.PAD, "unk_token": f.UNK,
			"sep_token": f.SEP, "cls_token": f.CLS, "mask_token": f.MASK} {
			if token != "" {
				c.named[name] = string(token)
			}
		}
		var list []tokenName
		if json.Unmarshal(f.Additional, &list) == nil {
			for _, token := range list {
				c.special[string(token)] = true
			}
		}
	}
	if data, ok := files["tokenizer_config.json"]; ok {
		var f struct {
			Class   string               `json:"tokenizer_class"`
			Chat    json.RawMessage      `json:"chat_template"`
			Decoder map[string]addedFile `json:"added_tokens_decoder"`
		}
		if err := json.Unmarshal(data, &f); err != nil {
			return nil, fmt.Errorf("tokenizer_config.json: %w", err)
		}
		if err := json.Unmarshal(data, &c.raw); err != nil {
			return nil, fmt.Errorf("tokenizer_config.json: %w", err)
		}
		c.class, c.decoder = f.Class, f.Decoder
		var err error
		if c.chat, c.toolChat, err = chatTemplate(f.Chat); err != nil {
			return nil, fmt.Errorf("tokenizer_config.json: chat_template: %w", err)
		}
	}
	if data, ok := files["chat_template.jinja"]; ok {
		c.chat, c.toolChat = string(data), ""
	}
	if data, ok := files["added_tokens.json"]; ok {
		if err := json.Unmarshal(data, &c.added); err != nil {
			return nil, fmt.Errorf("added_tokens.json: %w", err)
		}
	}
	if data, ok := files["config.json"]; ok {
		var f struct {
			ModelType string `json:"model_type"`
		}
		if err := json.Unmarshal(data, &f); err != nil {
			return nil, fmt.Errorf("config.json: %w", err)
		}
		c.modelType = f.ModelType
	}
	return c, nil
}

// chatTemplate reads one template, or of several the ones named "default" and "tool_use".
func chatTemplate(raw json.RawMessage) (chat, tools string, err error) {
	if absent(raw) {
		return "", "", nil
	}
	if json.Unmarshal(raw, &chat) == nil {
		return chat, "", nil
	}
	var list []struct{ Name, Template string }
	if err := json.Unmarshal(raw, &list); err != nil {
		return "", "", fmt.Errorf("must be a template or a list of named templates")
	}
	for _, t := range list {
		switch t.Name {
		case "default":
			chat = t.Template
		case "tool_use":
			tools = t.Template
		}
	}
	return chat, tools, nil
}

// addTo joins the added tokens of tokenizer.json with those that only the files beside it name.
// A token that the model's vocabulary has keeps that id.
func (c *config) addTo(tokens []addedFile, m model) ([]addedToken, error) {
	var out []addedToken
	known := map[string]bool{}
	for _, t := range tokens {
		out = append(out, t.token())
		known[t.Content] = true
	}
	var extra []addedFile
	for key, t := range c.decoder {
		id, err := strconv.ParseInt(key, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("tokenizer_config.json: added_tokens_decoder: %q is not a token id", key)
		}
		t.ID = int32(id)
		extra = append(extra, t)
	}
	for content, id := range c.added {
		if !slices.ContainsFunc(extra, func(t addedFile) bool { return t.Content == content }) {
			extra = append(extra, addedFile{ID: id, Content: content, Special: c.special[content]})
		}
	}
	slices.SortFunc(extra, func(a, b addedFile) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), strings.Compare(a.Content, b.Content))
	})
	for _, t := range extra {
		if known[t.Content] {
			continue
		}
		known[t.Content] = true
		if id, ok := m.id(t.Content); ok {
			t.ID = id
		} else if piece, taken := m.piece(t.ID); taken {
			return nil, fmt.Errorf("tokenizer_config.json: added_tokens_decoder: %q wants id %d, which is %q", t.Content, t.ID, piece)
		}
		out = append(out, t.token())
	}
	return out, nil
}

// withClass writes tokenizer_config.json with the tokenizer_class in it.
func (c *config) withClass() []byte {
	raw := maps.Clone(c.raw)
	raw["tokenizer_class"], _ = json.Marshal(c.class) // a string always encodes
	data, _ := json.MarshalIndent(raw, "", "  ")      // raw messages that were parsed before
	return append(data, '\n')
}
