package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Directories of GPT-2 and of Qwen2 without a tokenizer.json hold vocab.json and merges.txt, and
// the rest of the tokenizer is a matter of its family.

const byteLevelDecoder = `{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}`

// legacyFile writes what the tokenizer.json of such a directory would say.
func legacyFile(files map[string][]byte, cfg *config) (tokenizerFile, error) {
	if cfg.class == "" {
		switch cfg.modelType {
		case "gpt2":
			cfg.class = "GPT2Tokenizer"
		case "qwen2", "qwen3":
			cfg.class = "Qwen2Tokenizer"
		case "":
			return tokenizerFile{}, errors.New("vocab.json and merges.txt do not say how text is split: tokenizer_config.json needs tokenizer_class (GPT2Tokenizer or Qwen2Tokenizer)")
		default:
			return tokenizerFile{}, fmt.Errorf("config.json: model_type %q: its vocab.json and merges.txt are not supported (supported: gpt2, qwen2, qwen3)", cfg.modelType)
		}
	}
	f := tokenizerFile{Decoder: json.RawMessage(byteLevelDecoder)}
	unk := ""
	switch strings.TrimSuffix(cfg.class, "Fast") {
	case "GPT2Tokenizer":
		var prefix struct {
			Space bool `json:"add_prefix_space"`
		}
		if err := json.Unmarshal(files["tokenizer_config.json"], &prefix); has(files, "tokenizer_config.json") && err != nil {
			return f, fmt.Errorf("tokenizer_config.json: %w", err)
		}
		f.PreTokenizer = fmt.Appendf(nil, `{"type": "ByteLevel", "add_prefix_space": %t, "use_regex": true}`, prefix.Space)
	case "Qwen2Tokenizer":
		f.Normalizer = json.RawMessage(`{"type": "NFC"}`)
		pattern, err := json.Marshal(qwen2Pattern)
		if err != nil {
			return f, err
		}
		f.PreTokenizer = fmt.Appendf(nil, `{"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": %s}, "behavior": "Isolated", "invert": false},
			{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}`, pattern)
	default:
		return f, fmt.Errorf("tokenizer_config.json: tokenizer_class %q: its vocab.json and merges.txt are not supported (supported: GPT2Tokenizer, Qwen2Tokenizer)", cfg.class)
	}
	var vocab map[string]int32
	if err := json.Unmarshal(files["vocab.json"], &vocab); err != nil {
		return f, fmt.Errorf("vocab.json: %w", err)
	}
	merges, err := legacyMerges(files["merges.txt"])
	if err != nil {
		return f, err
	}
	f.Model, err = json.Marshal(map[string]any{"type": "BPE", "vocab": vocab, "merges": merges, "unk_token": unk})
	if err != nil {
		return f, fmt.Errorf("vocab.json: %w", err)
	}
	// GPT-2's own vocabulary holds its one special token.
	for token := range cfg.special {
		if id, ok := vocab[token]; ok && token != "" {
			f.AddedTokens = append(f.AddedTokens, addedFile{ID: id, Content: token, Special: true})
		}
	}
	return f, nil
}

func legacyMerges(data []byte) ([][2]string, error) {
	var lines []string
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" || i == 0 && strings.HasPrefix(line, "#version") {
			continue
		}
		lines = append(lines, line)
	}
	return splitMerges("merges.txt", lines)
}
