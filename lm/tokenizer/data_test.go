package tokenizer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared reads a file of the public data that lies beside the checkout; .gz files are unpacked.
func shared(t testing.TB, path string) []byte {
	t.Helper()
	full := filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(path))
	data, err := os.ReadFile(full)
	if err != nil {
		t.Skipf("public test data is absent: %v", err)
	}
	if strings.HasSuffix(path, ".gz") {
		r, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func lines[T any](t testing.TB, data []byte) []T {
	t.Helper()
	var out []T
	scanner := bufio.NewScanner(bytes.NewReader(data))
	scanner.Buffer(nil, 1<<24)
	for scanner.Scan() {
		var v T
		if err := json.Unmarshal(scanner.Bytes(), &v); err != nil {
			t.Fatalf("line %d: %v", len(out)+1, err)
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		t.Fatal("no lines")
	}
	return out
}

type vector struct {
	I            int
	Text         string
	GPT2         []int32
	Qwen2        []int32
	CL100K       []int32
	Llama2       []int32
	DecodedEqual bool `json:"qwen2_decoded_equal"`
}

func vectors(t testing.TB) []vector {
	return lines[vector](t, shared(t, "tokenizer_vectors/vectors.jsonl"))
}

func parse(t testing.TB, files map[string][]byte) *Tokenizer {
	t.Helper()
	tok, err := Parse(files)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func gpt2(t testing.TB) *Tokenizer {
	return parse(t, map[string][]byte{
		"vocab.json":            shared(t, "tokenizers/gpt2/encoder.json"),
		"merges.txt":            shared(t, "tokenizers/gpt2/vocab.bpe"),
		"tokenizer_config.json": []byte(`{"tokenizer_class": "GPT2Tokenizer", "eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>"}`),
	})
}

func qwen2(t testing.TB) *Tokenizer {
	return parse(t, map[string][]byte{
		"vocab.json":            shared(t, "tokenizers/qwen2/vocab.json.gz"),
		"merges.txt":            shared(t, "tokenizers/qwen2/merges.txt.gz"),
		"tokenizer_config.json": shared(t, "tokenizers/qwen2/tokenizer_config.json"),
	})
}

func stories(t testing.TB) *Tokenizer {
	return parse(t, map[string][]byte{
		"tokenizer.json":        shared(t, "model_stories260K_hf/tokenizer.json"),
		"tokenizer_config.json": shared(t, "model_stories260K_hf/tokenizer_config.json"),
	})
}
