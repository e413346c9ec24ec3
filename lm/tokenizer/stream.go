package tokenizer

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Stream decodes ids as they come, never splitting a character. What Next and Flush return,
// joined, is what Decode returns for all the ids, as long as that holds no U+FFFD that came from
// broken bytes.
type Stream struct {
	t           *Tokenizer
	skipSpecial bool
	bytes       []byte   // byte-level: bytes that do not yet end a character
	pieces      []string // others: the pieces from the last stretch that was returned on
	context     int      // how many of those were returned already
}

// maxHeld is how many pieces wait at most for a character to end. Four bytes end any, so more
// wait only behind bytes that are broken already.
const maxHeld = 32

// NewStream starts a text. With skipSpecial special tokens are left out.
func (t *Tokenizer) NewStream(skipSpecial bool) *Stream {
	return &Stream{t: t, skipSpecial: skipSpecial}
}

// Next takes one id and returns the text that is now certain, often none.
func (s *Stream) Next(id int32) string {
	p, ok := s.t.visible(id, s.skipSpecial)
	if !ok {
		return ""
	}
	if s.t.byteLevels {
		s.bytes = appendBytes(s.bytes, p)
		keep := unfinished(s.bytes)
		text := lossy(s.bytes[:len(s.bytes)-keep])
		s.bytes = append(s.bytes[:0], s.bytes[len(s.bytes)-keep:]...)
		return text
	}
	s.pieces = append(s.pieces, p)
	text := s.fresh()
	held := len(s.pieces) - s.context
	if held < maxHeld && (text == "" || strings.HasSuffix(text, string(utf8.RuneError))) {
		return ""
	}
	// A decoder that drops spaces at the start must see that the text has begun.
	if s.t.join(slices.Clone(s.pieces[s.context:])) != "" {
		s.pieces = append(s.pieces[:0], s.pieces[s.context:]...)
	}
	s.context = len(s.pieces)
	return text
}

// Flush ends the text: it returns what was held back.
func (s *Stream) Flush() string {
	if s.t.byteLevels {
		text := lossy(s.bytes)
		s.bytes = s.bytes[:0]
		return text
	}
	text := s.fresh()
	s.pieces, s.context = s.pieces[:0], 0
	return text
}

// fresh is what the pieces after the context add to its text. The context is decoded along, for
// a decoder may treat the start of a text differently. Bytes that break what the context had made
// whole cannot take it back: then the pieces after it are decoded by themselves.
func (s *Stream) fresh() string {
	before := s.t.join(slices.Clone(s.pieces[:s.context]))
	all := s.t.join(slices.Clone(s.pieces))
	if text, ok := strings.CutPrefix(all, before); ok {
		return text
	}
	return s.t.join(slices.Clone(s.pieces[s.context:]))
}
