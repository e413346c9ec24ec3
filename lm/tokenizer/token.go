package tokenizer

import (
	"bytes"
	"strconv"
	"strings"
)

// TokenBytes returns what an id adds to a text that has begun already: with the space before a word, and for one of several tokens that make up
// a character the bytes of its part. Ids outside the vocabulary add nothing.
func (t *Tokenizer) TokenBytes(id int32) []byte {
	p, ok := t.Piece(id)
	if !ok {
		return nil
	}
	if t.byteLevels {
		return appendBytes(nil, p)
	}
	once := t.join([]string{p})
	if hex, ok := strings.CutPrefix(p, "<0x"); ok && once != p && len(hex) == 3 && hex[2] == '>' {
		if b, err := strconv.ParseUint(hex[:2], 16, 8); err == nil {
			return []byte{byte(b)}
		}
	}
	return bytes.TrimPrefix([]byte(t.join([]string{p, p})), []byte(once))
}
