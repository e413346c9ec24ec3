package tokenizer

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
)

// Llama 3's tokenizer.model is in tiktoken's format: a line for each token, its bytes in base64
// and its rank, which is its id. Any two neighbours that together are a token may be joined, the
// lowest rank first. The file holds no special tokens; they follow the ranks, as in
// https://github.com/meta-llama/llama-models/blob/main/models/llama3/tokenizer.py.

// llama3Special are the first of 256 special tokens; the rest are reserved, numbered from 2 on.
var llama3Special = []string{
	"<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|reserved_special_token_1|>", "<|finetune_right_pad_id|>",
	"<|step_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>",
}

const llama3SpecialTokens = 256

// isTiktoken tells the text format from a protobuf message, whose first byte is a tag.
func isTiktoken(data []byte) bool {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	_, _, err := tiktokenLine(line)
	return err == nil
}

func tiktokenLine(line []byte) (token string, rank int32, err error) {
	text, number, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte(" "))
	if !ok {
		return "", 0, fmt.Errorf("%q is not a token and its rank", line)
	}
	raw, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil || len(raw) == 0 {
		return "", 0, fmt.Errorf("%q is not base64", text)
	}
	n, err := strconv.ParseInt(string(number), 10, 32)
	if err != nil {
		return "", 0, fmt.Errorf("rank %q is not a number", number)
	}
	return toByteChars(string(raw)), int32(n), nil
}

func tiktokenTokenizer(data []byte, cfg *config) (*Tokenizer, error) {
	vocab := map[string]int32{}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		token, rank, err := tiktokenLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if before, ok := vocab[token]; ok {
			return nil, fmt.Errorf("line %d: the token has the rank %d already", i+1, before)
		}
		vocab[token] = rank
	}
	model, err := rankedBPE(vocab)
	if err != nil {
		return nil, err
	}
	split := scanSplit(llama3Next)
	bytesOf := byteLevel(false, false)
	t := cfg.tokenizer()
	t.model, t.decoder, t.byteLevels = model, byteLevelText, true
	t.split = func(in []span) []span { return bytesOf(split(in)) }
	var special []addedFile
	if len(cfg.decoder) == 0 { // else tokenizer_config.json lists them
		for i := range llama3SpecialTokens {
			name := fmt.Sprintf("<|reserved_special_token_%d|>", i-len(llama3Special)+2)
			if i < len(llama3Special) {
				name = llama3Special[i]
			}
			special = append(special, addedFile{ID: int32(model.size() + i), Content: name, Special: true})
		}
		if t.bos == "" {
			t.bos = llama3Special[0]
		}
		if t.eos == "" {
			t.eos = llama3Special[1]
		}
	}
	if err := t.complete(special, cfg); err != nil {
		return nil, err
	}
	around, err := cfg.around()
	if err != nil {
		return nil, err
	}
	return t, t.surround(around)
}

// rankedBPE makes every way to join two tokens into a third a merge of the third one's rank.
func rankedBPE(vocab map[string]int32) (*bpe, error) {
	b, err := newBPE(vocab, nil, &bpe{unk: -1, ignoreMerges: true})
	if err != nil {
		return nil, err
	}
	for i := range byteRune {
		if _, ok := vocab[string(byteRune[i])]; !ok {
			return nil, fmt.Errorf("the byte %#02x has no token", i)
		}
	}
	for token, rank := range vocab {
		for i := range token {
			if i == 0 {
				continue
			}
			left, ok := vocab[token[:i]]
			if !ok {
				continue
			}
			if right, ok := vocab[token[i:]]; ok {
				b.merges[pairKey(left, right)] = merge{rank, rank}
			}
		}
	}
	return b, nil
}
