// Package tokenizer turns text into token ids and back, exactly as the tokenizer.json of a
// Hugging Face model directory says: normalizers, pre-tokenizers, BPE or Unigram, post-processor,
// decoder and added tokens; or as a tokenizer.model of SentencePiece or Llama 3 says. A component
// that it does not know is refused by name, never skipped.
//
// It may import the standard library, golang.org/x/text/unicode/norm, dlclark/regexp2 and
// google.golang.org/protobuf/encoding/protowire.
package tokenizer

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tokenizer is immutable after it is made and safe for concurrent use.
type Tokenizer struct {
	added      *addedTokens
	normalize  normalizer // nil: none
	split      preTokenizer
	model      model
	template   []templateItem // nil: the text's tokens alone
	decoder    decoder        // nil: pieces joined by spaces
	size       int            // highest id + 1
	bos        string         // empty: none
	eos        string
	pad        string
	chat       string
	toolChat   string
	names      map[string]string
	files      map[string][]byte
	byteLevels bool // the decoder is ByteLevel alone, so pieces are bytes
}

// Options of [Tokenizer.Encode].
type Options struct {
	AddSpecial   bool // put in what the post-processor adds, such as a token for the beginning
	ParseSpecial bool // text that spells a special token becomes that token; otherwise it is text
}

// model splits one pre-tokenized word into ids.
type model interface {
	encode(word string, out []int32) []int32
	id(piece string) (int32, bool)
	piece(id int32) (string, bool)
	size() int // highest id + 1
	unknown() (int32, bool)
}

// fileNames are the files that [Load] looks for.
var fileNames = []string{
	"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
	"vocab.json", "merges.txt", "chat_template.jinja",
}

// Load reads the tokenizer of a model directory: tokenizer.json, else vocab.json and merges.txt of
// a GPT-2 or Qwen2 directory, else tokenizer.model.
func Load(dir string) (*Tokenizer, error) {
	files := map[string][]byte{}
	for _, name := range append([]string{"config.json", "tokenizer.model"}, fileNames...) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		switch {
		case err == nil:
			files[name] = data
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("tokenizer in %s: %w", dir, err)
		}
	}
	t, err := Parse(files)
	if err != nil {
		return nil, fmt.Errorf("tokenizer in %s: %w", dir, err)
	}
	return t, nil
}

// Encode returns the ids of a text. Bytes that are not UTF-8 are read as U+FFFD.
func (t *Tokenizer) Encode(text string, opts Options) []int32 {
	text = strings.ToValidUTF8(text, "\uFFFD")
	ids := make([]int32, 0, len(text)/3+4)
	if opts.AddSpecial {
		for _, item := range t.template {
			if item.text {
				ids = t.encodeText(text, opts.ParseSpecial, ids)
			} else {
				ids = append(ids, item.ids...)
			}
		}
		if t.template != nil {
			return ids
		}
	}
	return t.encodeText(text, opts.ParseSpecial, ids)
}

func (t *Tokenizer) encodeText(text string, special bool, ids []int32) []int32 {
	var words []span
	for _, part := range t.added.split(text, t.normalize, special) {
		if part.id >= 0 {
			ids = append(ids, part.id)
			continue
		}
		if part.text == "" {
			continue
		}
		words = append(words[:0], span{part.text, part.first})
		if t.split != nil {
			words = t.split(words)
		}
		for _, w := range words {
			ids = t.model.encode(w.text, ids)
		}
	}
	return ids
}

// Decode returns the text of ids. Ids outside the vocabulary are left out, and special tokens too
// when skipSpecial is set.
func (t *Tokenizer) Decode(ids []int32, skipSpecial bool) string {
	pieces := make([]string, 0, len(ids))
	for _, id := range ids {
		if p, ok := t.visible(id, skipSpecial); ok {
			pieces = append(pieces, p)
		}
	}
	return t.join(pieces)
}

func (t *Tokenizer) visible(id int32, skipSpecial bool) (string, bool) {
	p, ok := t.Piece(id)
	if ok && skipSpecial && t.IsSpecial(id) {
		return "", false
	}
	return p, ok
}

func (t *Tokenizer) join(pieces []string) string {
	if t.decoder == nil {
		return strings.Join(pieces, " ")
	}
	return strings.Join(t.decoder(pieces), "")
}

// VocabSize is the number of rows that an embedding needs: the highest id + 1.
func (t *Tokenizer) VocabSize() int { return t.size }

// OfModel parses the tokenizer files of a model and checks that the ids fit its vocabulary.
func OfModel(files map[string][]byte, vocabSize int) (*Tokenizer, error) {
	t, err := Parse(files)
	if err != nil {
		return nil, err
	}
	return t, t.CheckModel(vocabSize)
}

// Ends are the ids that end a text: those that a model's configuration names, then the tokenizer's own, each once.
func (t *Tokenizer) Ends(named ...[]int) []int32 {
	var out []int32
	add := func(id int32) {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for _, ids := range named {
		for _, id := range ids {
			add(int32(id))
		}
	}
	if id, ok := t.EOS(); ok {
		add(id)
	}
	return out
}

// CheckModel reports a tokenizer whose ids do not fit a model's vocabulary.
func (t *Tokenizer) CheckModel(vocabSize int) error {
	if t.size > vocabSize {
		return fmt.Errorf("tokenizer has %d tokens but the model's vocabulary is %d", t.size, vocabSize)
	}
	return nil
}

// TokenID returns the id of a token as the vocabulary spells it.
func (t *Tokenizer) TokenID(token string) (int32, bool) {
	if a, ok := t.added.byText[token]; ok {
		return a.id, true
	}
	return t.model.id(token)
}

// Piece returns how the vocabulary spells an id; that is not yet text.
func (t *Tokenizer) Piece(id int32) (string, bool) {
	if a, ok := t.added.byID[id]; ok {
		return a.content, true
	}
	return t.model.piece(id)
}

// IsSpecial reports whether an id is one that Decode leaves out with skipSpecial.
func (t *Tokenizer) IsSpecial(id int32) bool {
	a, ok := t.added.byID[id]
	return ok && a.special
}

// BOS returns the token for the beginning of a text, if tokenizer_config.json names one.
func (t *Tokenizer) BOS() (int32, bool) { return t.named(t.bos) }

// EOS returns the token for the end of a text, if tokenizer_config.json names one.
func (t *Tokenizer) EOS() (int32, bool) { return t.named(t.eos) }

// PAD returns the token for padding, if tokenizer_config.json names one.
func (t *Tokenizer) PAD() (int32, bool) { return t.named(t.pad) }

func (t *Tokenizer) named(token string) (int32, bool) {
	if token == "" {
		return 0, false
	}
	return t.TokenID(token)
}

// ChatTemplate returns the Jinja text of the chat template; empty where there is none.
func (t *Tokenizer) ChatTemplate() string { return t.chat }

// ToolTemplate is the chat template for conversations with tools where the files have one of its
// own ("tool_use"); empty where there is none.
func (t *Tokenizer) ToolTemplate() string { return t.toolChat }

// SpecialTokens are the special tokens by the names that chat templates use: bos_token, eos_token…
func (t *Tokenizer) SpecialTokens() map[string]string {
	out := maps.Clone(t.names)
	for name, token := range map[string]string{"bos_token": t.bos, "eos_token": t.eos, "pad_token": t.pad} {
		if token != "" {
			out[name] = token
		}
	}
	return out
}

// Files returns what to store beside a model so that [Load] gives this tokenizer back.
func (t *Tokenizer) Files() map[string][]byte { return maps.Clone(t.files) }

// Covers reports whether every character of a text has a token; if not, the first that has none.
func (t *Tokenizer) Covers(text string) (missing rune, ok bool) {
	unk, _ := t.model.unknown()
	seen := map[rune]bool{}
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		if seen[r] {
			continue
		}
		seen[r] = true
		ids := t.Encode(string(r), Options{})
		for _, id := range ids {
			if id == unk && t.hasUnknown() {
				return r, false
			}
		}
		if len(ids) == 0 {
			return r, false
		}
	}
	return 0, true
}

func (t *Tokenizer) hasUnknown() bool {
	_, ok := t.model.unknown()
	return ok
}
