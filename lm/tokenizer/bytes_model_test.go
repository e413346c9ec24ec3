package tokenizer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBytesWritesAnyText(t *testing.T) {
	tok := Bytes()
	require.Equal(t, 260, tok.VocabSize())
	for _, s := range []string{"", "plain", "Grüße, 世界 \x00\n\t", "a  b"} {
		ids := tok.Encode(s, Options{AddSpecial: true})
		require.Len(t, ids, len(s)+1)
		require.Equal(t, s, tok.Decode(ids, true))
	}
}
