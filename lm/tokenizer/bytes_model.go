package tokenizer

import (
	"fmt"
	"strings"
)

// Bytes builds a tokenizer with one token a byte, after the four special tokens of [Chars]: any text can be written in it. Its
// tokenizer.json is a byte-level BPE model without merges, which other libraries load.
func Bytes() *Tokenizer {
	var alphabet strings.Builder
	for b := range 256 {
		alphabet.WriteString(toByteChars(string([]byte{byte(b)})))
	}
	files := Chars(alphabet.String()).Files()
	text := string(files["tokenizer.json"])
	for _, change := range [][2]string{
		{`"pre_tokenizer": null`, `"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}`},
		{`"decoder": {"type": "Fuse"}`, `"decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}`},
	} {
		text = strings.Replace(text, change[0], change[1], 1)
	}
	files["tokenizer.json"] = []byte(text)
	t, err := Parse(files)
	if err != nil { // the file is made here from constants, so it cannot fail to parse
		panic(fmt.Sprintf("tokenizer.Bytes: %v", err))
	}
	return t
}
