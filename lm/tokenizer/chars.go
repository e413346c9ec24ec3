package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Special tokens of [Chars], ids 0 to 3 in this order.
const (
	CharsPAD = "<pad>"
	CharsBOS = "<bos>"
	CharsEOS = "<eos>"
	CharsUNK = "<unk>"
)

// Chars builds a tokenizer with one token a character: the four special tokens, then the
// characters of alphabet in order, each once. A character outside the alphabet becomes <unk>;
// [Tokenizer.Covers] tells beforehand. AddSpecial puts <bos> first. Its tokenizer.json is a BPE
// model without merges, which other libraries load; not so beside a Qwen2ForCausalLM, for which
// transformers' AutoTokenizer puts Qwen2's own splitting in place of the file's.
func Chars(alphabet string) *Tokenizer {
	tokens := []string{CharsPAD, CharsBOS, CharsEOS, CharsUNK}
	special := len(tokens)
	seen := map[rune]bool{utf8.RuneError: true}
	for _, r := range alphabet {
		if !seen[r] {
			seen[r] = true
			tokens = append(tokens, string(r))
		}
	}
	var vocab, added bytes.Buffer
	for id, token := range tokens {
		if id > 0 {
			vocab.WriteString(",")
		}
		fmt.Fprintf(&vocab, "\n      %s: %d", quote(token), id)
		if id < special {
			if id > 0 {
				added.WriteString(",")
			}
			fmt.Fprintf(&added, "\n    {\"id\": %d, \"content\": %s, \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": false, \"special\": true}", id, quote(token))
		}
	}
	t, err := Parse(map[string][]byte{
		"tokenizer.json":        fmt.Appendf(nil, charsJSON, added.String(), vocab.String()),
		"tokenizer_config.json": []byte(charsConfig),
	})
	if err != nil { // the file is made from valid characters alone, so it cannot fail to parse
		panic(fmt.Sprintf("tokenizer.Chars(%q): %v", alphabet, err))
	}
	return t
}

func quote(s string) string {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return string(bytes.TrimRight(buf.Bytes(), "\n"))
}

const charsJSON = `{
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": [%s
  ],
  "normalizer": null,
  "pre_tokenizer": null,
  "post_processor": {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"<bos>": {"id": "<bos>", "ids": [1], "tokens": ["<bos>"]}}
  },
  "decoder": {"type": "Fuse"},
  "model": {
    "type": "BPE",
    "dropout": null,
    "unk_token": "<unk>",
    "continuing_subword_prefix": null,
    "end_of_word_suffix": null,
    "fuse_unk": false,
    "byte_fallback": false,
    "ignore_merges": false,
    "vocab": {%s
    },
    "merges": []
  }
}
`

const charsConfig = `{
  "bos_token": "<bos>",
  "clean_up_tokenization_spaces": false,
  "eos_token": "<eos>",
  "model_max_length": 1000000000000000019884624838656,
  "pad_token": "<pad>",
  "tokenizer_class": "PreTrainedTokenizerFast",
  "unk_token": "<unk>"
}
`
