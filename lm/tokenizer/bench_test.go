package tokenizer

import (
	"strings"
	"testing"
)

func BenchmarkEncodeQwen2(b *testing.B) {
	tok := qwen2(b)
	text := string(shared(b, "tokenizers/minbpe/taylorswift.txt"))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.Encode(text, Options{})
	}
}

// One long word is the worst case of merging: a Llama 2 text is one.
func BenchmarkEncodeOneWord(b *testing.B) {
	tok := stories(b)
	text := strings.Repeat("Once upon a time, there was a little girl named Lily. ", 200)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.Encode(text, Options{})
	}
}

func BenchmarkEncodeSentencePiece(b *testing.B) {
	tok := llama2(b)
	text := string(shared(b, "tokenizers/minbpe/taylorswift.txt"))[:20000]
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.Encode(text, Options{})
	}
}
