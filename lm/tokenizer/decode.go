package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decoder turns pieces into stretches of text; joined, they are the text.
type decoder func(pieces []string) []string

const decoders = "ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip"

func parseDecoder(raw json.RawMessage) (decoder, error) {
	if absent(raw) {
		return nil, nil
	}
	switch kind := kindOf(raw); kind {
	case "Sequence":
		var f struct{ Decoders []json.RawMessage }
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		var steps []decoder
		for i, r := range f.Decoders {
			d, err := parseDecoder(r)
			if err != nil {
				return nil, fmt.Errorf("decoders[%d]: %w", i, err)
			}
			if d != nil {
				steps = append(steps, d)
			}
		}
		return inOrder(steps), nil
	case "ByteLevel":
		return byteLevelText, nil
	case "ByteFallback":
		return byteFallback, nil
	case "Fuse":
		return fuse, nil
	case "Replace":
		replace, err := parseReplace(raw)
		if err != nil {
			return nil, err
		}
		return eachPiece(replace), nil
	case "Strip":
		var f struct {
			Content     string
			Start, Stop int
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			return nil, err
		}
		if utf8.RuneCountInString(f.Content) != 1 {
			return nil, errors.New("content: must be one character")
		}
		return eachPiece(func(s string) string {
			for i := 0; i < f.Start && strings.HasPrefix(s, f.Content); i++ {
				s = s[len(f.Content):]
			}
			for i := 0; i < f.Stop && strings.HasSuffix(s, f.Content); i++ {
				s = s[:len(s)-len(f.Content)]
			}
			return s
		}), nil
	case "Metaspace":
		m, err := readMetaspace(raw)
		if err != nil {
			return nil, err
		}
		return func(pieces []string) []string {
			out := make([]string, len(pieces))
			for i, p := range pieces {
				to := " "
				if i == 0 && m.scheme != "never" {
					to = "" // the reference takes every mark out of the first piece
				}
				out[i] = strings.ReplaceAll(p, m.mark, to)
			}
			return out
		}, nil
	default:
		return nil, unsupported(kind, decoders)
	}
}

func inOrder(steps []decoder) decoder {
	return func(pieces []string) []string {
		for _, d := range steps {
			pieces = d(pieces)
		}
		return pieces
	}
}

func byteLevelText(pieces []string) []string {
	var b []byte
	for _, p := range pieces {
		b = appendBytes(b, p)
	}
	return []string{lossy(b)}
}

func fuse(pieces []string) []string { return []string{strings.Join(pieces, "")} }

func eachPiece(change func(string) string) decoder {
	return func(pieces []string) []string {
		out := make([]string, len(pieces))
		for i, p := range pieces {
			out[i] = change(p)
		}
		return out
	}
}

// byteFallback joins runs of <0x..> pieces into text; a run that is not UTF-8 becomes one U+FFFD
// for each byte.
func byteFallback(pieces []string) []string {
	out := make([]string, 0, len(pieces))
	var pending []byte
	flush := func() {
		if utf8.Valid(pending) {
			if len(pending) > 0 {
				out = append(out, string(pending))
			}
		} else {
			for range pending {
				out = append(out, "\uFFFD")
			}
		}
		pending = pending[:0]
	}
	for _, p := range pieces {
		if b, ok := fallbackByte(p); ok {
			pending = append(pending, b)
			continue
		}
		flush()
		out = append(out, p)
	}
	flush()
	return out
}

func fallbackByte(p string) (byte, bool) {
	if len(p) != 6 || !strings.HasPrefix(p, "<0x") || p[5] != '>' {
		return 0, false
	}
	b, err := strconv.ParseUint(p[3:5], 16, 8)
	return byte(b), err == nil
}
