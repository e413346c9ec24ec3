package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tokenizerFile is tokenizer.json.
type tokenizerFile struct {
	AddedTokens   []addedFile     `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         json.RawMessage `json:"model"`
}

type addedFile struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

func (a addedFile) token() addedToken {
	return addedToken{a.ID, a.Content, a.SingleWord, a.LStrip, a.RStrip, a.Normalized, a.Special}
}

// Parse builds a tokenizer from files of a model directory by their names: tokenizer.json, else
// vocab.json and merges.txt, else tokenizer.model; tokenizer_config.json or
// special_tokens_map.json for the special tokens; chat_template.jinja. Other files are ignored.
func Parse(files map[string][]byte) (*Tokenizer, error) {
	cfg, err := parseConfig(files)
	if err != nil {
		return nil, err
	}
	var t *Tokenizer
	kept := fileNames
	switch {
	case has(files, "tokenizer.json"):
		var f tokenizerFile
		if err := json.Unmarshal(files["tokenizer.json"], &f); err != nil {
			return nil, fmt.Errorf("tokenizer.json: %w", err)
		}
		if t, err = build(f, cfg); err != nil {
			return nil, fmt.Errorf("tokenizer.json: %w", err)
		}
	case has(files, "vocab.json") && has(files, "merges.txt"):
		f, err := legacyFile(files, cfg)
		if err != nil {
			return nil, err
		}
		if t, err = build(f, cfg); err != nil {
			return nil, fmt.Errorf("vocab.json and merges.txt: %w", err)
		}
	case has(files, "tokenizer.model"):
		read := spmTokenizer
		if isTiktoken(files["tokenizer.model"]) {
			read = tiktokenTokenizer
		}
		if t, err = read(files["tokenizer.model"], cfg); err != nil {
			return nil, fmt.Errorf("tokenizer.model: %w", err)
		}
		kept = append([]string{"tokenizer.model"}, fileNames...)
	default:
		return nil, errors.New("none of tokenizer.json, vocab.json with merges.txt, tokenizer.model")
	}
	t.files = map[string][]byte{}
	for _, name := range kept {
		if data, ok := files[name]; ok {
			t.files[name] = slices.Clone(data)
		}
	}
	// What the directory's config.json said about the family must travel with the files.
	if cfg.class != "" && cfg.raw["tokenizer_class"] == nil {
		t.files["tokenizer_config.json"] = cfg.withClass()
	}
	return t, nil
}

func has(files map[string][]byte, name string) bool { _, ok := files[name]; return ok }

func build(f tokenizerFile, cfg *config) (*Tokenizer, error) {
	t := cfg.tokenizer()
	var err error
	if t.model, err = parseModel(f.Model); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if t.normalize, err = parseNormalizer(f.Normalizer); err != nil {
		return nil, fmt.Errorf("normalizer: %w", err)
	}
	if t.split, err = parsePreTokenizer(f.PreTokenizer); err != nil {
		return nil, fmt.Errorf("pre_tokenizer: %w", err)
	}
	if t.template, err = parsePostProcessor(f.PostProcessor); err != nil {
		return nil, fmt.Errorf("post_processor: %w", err)
	}
	if t.decoder, err = parseDecoder(f.Decoder); err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	t.byteLevels = kindOf(f.Decoder) == "ByteLevel"
	return t, t.complete(f.AddedTokens, cfg)
}

// tokenizer begins one with what stands beside its model.
func (c *config) tokenizer() *Tokenizer {
	return &Tokenizer{bos: c.bos, eos: c.eos, pad: c.pad, chat: c.chat, toolChat: c.toolChat, names: c.named}
}

// complete sets the added tokens and the size, and finds the named tokens in the vocabulary.
func (t *Tokenizer) complete(added []addedFile, cfg *config) error {
	tokens, err := cfg.addTo(added, t.model)
	if err != nil {
		return err
	}
	t.added = newAddedTokens(tokens, t.normalize)
	t.size = t.model.size()
	for id, a := range t.added.byID {
		if id < 0 || int(id) >= t.model.size()+len(tokens)+maxHoles {
			return fmt.Errorf("added_tokens: %q: impossible id %d", a.content, id)
		}
		t.size = max(t.size, int(id)+1)
	}
	for _, s := range []struct{ field, token string }{{"bos_token", t.bos}, {"eos_token", t.eos}, {"pad_token", t.pad}} {
		if _, ok := t.named(s.token); s.token != "" && !ok {
			return fmt.Errorf("tokenizer_config.json: %s: %q is not in the vocabulary", s.field, s.token)
		}
	}
	return nil
}

// kindOf is the "type" of a component; empty for null or an absent one.
func kindOf(raw json.RawMessage) string {
	var k struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(raw, &k) != nil {
		return ""
	}
	return k.Type
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func unsupported(kind, supported string) error {
	return fmt.Errorf("type %q is not supported (supported: %s)", kind, supported)
}

func parseModel(raw json.RawMessage) (model, error) {
	if absent(raw) {
		return nil, errors.New("missing")
	}
	kind := kindOf(raw)
	if kind == "" { // older files leave the type out
		var shape map[string]json.RawMessage
		if err := json.Unmarshal(raw, &shape); err != nil {
			return nil, err
		}
		if shape["merges"] != nil {
			kind = "BPE"
		}
	}
	switch kind {
	case "BPE":
		return parseBPE(raw)
	case "Unigram":
		return parseUnigram(raw)
	}
	return nil, unsupported(kind, "BPE, Unigram")
}

func parseBPE(raw json.RawMessage) (model, error) {
	var f struct {
		Dropout      *float64         `json:"dropout"`
		Unk          *string          `json:"unk_token"`
		Prefix       *string          `json:"continuing_subword_prefix"`
		Suffix       *string          `json:"end_of_word_suffix"`
		FuseUnk      bool             `json:"fuse_unk"`
		ByteFallback bool             `json:"byte_fallback"`
		IgnoreMerges bool             `json:"ignore_merges"`
		Vocab        map[string]int32 `json:"vocab"`
		Merges       json.RawMessage  `json:"merges"`
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	if f.Dropout != nil && *f.Dropout != 0 {
		return nil, fmt.Errorf("dropout %g is not supported: encoding must be deterministic", *f.Dropout)
	}
	b := &bpe{unk: -1, fuseUnk: f.FuseUnk, byteFallback: f.ByteFallback, ignoreMerges: f.IgnoreMerges}
	if f.Prefix != nil {
		b.prefix = *f.Prefix
	}
	if f.Suffix != nil {
		b.suffix = *f.Suffix
	}
	if f.Unk != nil && *f.Unk != "" {
		id, ok := f.Vocab[*f.Unk]
		if !ok {
			return nil, fmt.Errorf("unk_token: %q is not in the vocabulary", *f.Unk)
		}
		b.unk = id
	}
	merges, err := parseMerges(f.Merges)
	if err != nil {
		return nil, err
	}
	return newBPE(f.Vocab, merges, b)
}

// parseMerges reads merges as pairs or, in older files, as strings with one space.
func parseMerges(raw json.RawMessage) ([][2]string, error) {
	if absent(raw) {
		return nil, nil
	}
	var pairs [][]string
	if err := json.Unmarshal(raw, &pairs); err == nil {
		out := make([][2]string, len(pairs))
		for i, p := range pairs {
			if len(p) != 2 {
				return nil, fmt.Errorf("merges[%d]: has %d tokens, want 2", i, len(p))
			}
			out[i] = [2]string{p[0], p[1]}
		}
		return out, nil
	}
	var lines []string
	if err := json.Unmarshal(raw, &lines); err != nil {
		return nil, fmt.Errorf("merges: %w", err)
	}
	return splitMerges("merges", lines)
}

func splitMerges(where string, lines []string) ([][2]string, error) {
	out := make([][2]string, 0, len(lines))
	for i, line := range lines {
		left, right, ok := strings.Cut(line, " ")
		if !ok || left == "" || right == "" || strings.Contains(right, " ") {
			return nil, fmt.Errorf("%s[%d]: %q is not two tokens with a space between", where, i, line)
		}
		out = append(out, [2]string{left, right})
	}
	return out, nil
}

type templateItem struct {
	text bool // the text's own tokens
	ids  []int32
}

// parsePostProcessor keeps what is added around a single text. ByteLevel touches offsets alone.
func parsePostProcessor(raw json.RawMessage) ([]templateItem, error) {
	if absent(raw) {
		return nil, nil
	}
	switch kind := kindOf(raw); kind {
	case "ByteLevel":
		return nil, nil
	case "Sequence":
		var f struct {
			Processors []json.RawMessage `json:"processors"`
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		var out []templateItem
		for i, p := range f.Processors {
			items, err := parsePostProcessor(p)
			if err != nil {
				return nil, fmt.Errorf("processors[%d]: %w", i, err)
			}
			if items != nil && out != nil {
				return nil, fmt.Errorf("processors[%d]: a second template is not supported", i)
			} else if items != nil {
				out = items
			}
		}
		return out, nil
	case "TemplateProcessing":
		return parseTemplate(raw)
	default:
		return nil, unsupported(kind, "ByteLevel, Sequence, TemplateProcessing")
	}
}

func parseTemplate(raw json.RawMessage) ([]templateItem, error) {
	var f struct {
		Single  []map[string]struct{ ID string } `json:"single"`
		Special map[string]struct{ IDs []int32 } `json:"special_tokens"`
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	out := []templateItem{}
	for i, item := range f.Single {
		for _, key := range slices.Sorted(maps.Keys(item)) {
			switch key {
			case "Sequence":
				if id := item[key].ID; id != "A" {
					return nil, fmt.Errorf("single[%d]: sequence %q: a single text is A", i, id)
				}
				out = append(out, templateItem{text: true})
			case "SpecialToken":
				special, ok := f.Special[item[key].ID]
				if !ok {
					return nil, fmt.Errorf("single[%d]: special token %q is not in special_tokens", i, item[key].ID)
				}
				out = append(out, templateItem{ids: special.IDs})
			default:
				return nil, fmt.Errorf("single[%d]: %q is not supported", i, key)
			}
		}
	}
	return out, nil
}
