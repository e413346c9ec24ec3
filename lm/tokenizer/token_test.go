package tokenizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The bytes of a text's tokens, joined, are the text, whatever characters the tokens split.
func TestTokenBytesMakeUpTheText(t *testing.T) {
	tokenizers := map[string]*Tokenizer{"bytes": Bytes(), "chars": Chars("abc éλ😀")}
	for _, name := range []string{"model_stories260K_hf"} {
		dir := filepath.Join("..", "..", "..", "shared", "data", name)
		if _, err := os.Stat(dir); err != nil {
			continue // not on this machine
		}
		tok, err := Load(dir)
		require.NoError(t, err)
		tokenizers[name] = tok
	}
	for name, tok := range tokenizers {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				text := rapid.StringOf(rapid.SampledFrom([]rune("abc éλ😀"))).Draw(t, "text")
				var got strings.Builder
				for _, id := range tok.Encode(text, Options{}) {
					got.Write(tok.TokenBytes(id))
				}
				// A text that begins a SentencePiece model's has a space of its own before it.
				if got.String() != text && got.String() != " "+text {
					t.Fatalf("got %q, want %q", got.String(), text)
				}
			})
		})
	}
	require.Nil(t, Bytes().TokenBytes(99999))
	require.Equal(t, "<bos>", string(Bytes().TokenBytes(1)))
}
