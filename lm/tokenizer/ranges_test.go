package tokenizer

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// The tokens of a range are one run of Encode's, the whole text has all, and what they decode to holds the range's text.
func TestEncodeRanges(t *testing.T) {
	ref := readReference(t)
	spm := readSPMReference(t)
	toks := map[string]*Tokenizer{"chars": Chars("abcdefghij 你"), "fallback model": nil, "unigram model": nil}
	for name, i := range map[string]int{"fallback model": 0, "unigram model": 6} {
		data, err := base64.StdEncoding.DecodeString(spm.Models[i].Model)
		if err != nil {
			t.Fatal(err)
		}
		toks[name] = parse(t, map[string][]byte{"tokenizer.model": data})
	}
	for _, c := range ref.Cases {
		if slices.Contains([]string{"qwen2", "llama3", "gpt2", "byte fallback", "metaspace first", "added tokens"}, c.Name) {
			toks[c.Name] = parse(t, map[string][]byte{"tokenizer.json": ref.file(t, c.Base, c.Change, c.Model)})
		}
	}
	if len(toks) != 9 {
		t.Fatalf("%d tokenizers", len(toks))
	}
	for name, tok := range toks {
		for _, text := range []string{"", "she had 12 apples", "a 你好 <mark>b😀\n\n c", "é é", "abc<s> <x> foo", "  ff  "} {
			want := tok.Encode(text, Options{ParseSpecial: true})
			for _, ends := range []int{0, 1, 3, 7, len(text)} {
				for from := range ends {
					if ends > len(text) || !utf8.RuneStart((text + " ")[ends]) || !utf8.RuneStart(text[from]) {
						continue
					}
					ids, inside, err := tok.EncodeRanges(text, Options{ParseSpecial: true}, [][2]int{{from, ends}})
					if err != nil {
						t.Errorf("%s: %q [%d, %d): %v", name, text, from, ends, err)
						continue
					}
					if !slices.Equal(ids, want) || len(inside) != len(ids) {
						t.Fatalf("%s: %q: ids %v, want %v", name, text, ids, want)
					}
					first, last := slices.Index(inside, true), len(inside)-1
					for last >= 0 && !inside[last] {
						last--
					}
					if from == 0 && ends == len(text) && slices.Contains(inside, false) {
						t.Errorf("%s: %q: the whole text leaves out tokens: %v", name, text, inside)
					}
					if first < 0 || slices.Contains(inside[first:last+1], false) {
						t.Errorf("%s: %q [%d, %d): %v is not one run", name, text, from, ends, inside)
					} else if got := tok.Decode(ids[first:last+1], false); tok.byteLevels && tok.normalize == nil && !strings.Contains(got, text[from:ends]) && name != "added tokens" {
						t.Errorf("%s: %q [%d, %d): tokens %q", name, text, from, ends, got)
					}
				}
			}
		}
	}
}

func TestEncodeRangesOfByteTokens(t *testing.T) {
	tok := Bytes()
	ids, inside, err := tok.EncodeRanges("aé😀b", Options{}, [][2]int{{1, 3}, {7, 8}})
	want := []bool{false, true, true, false, false, false, false, true}
	if err != nil || len(ids) != 8 || !slices.Equal(inside, want) {
		t.Errorf("%v, %v: %v, want %v", err, ids, inside, want)
	}
	if _, inside, err = tok.EncodeRanges("ab<eos>c", Options{ParseSpecial: true}, [][2]int{{1, 7}}); err != nil || !slices.Equal(inside, []bool{false, true, true, false}) {
		t.Errorf("%v: %v", err, inside)
	}
	if _, inside, err = tok.EncodeRanges("ab", Options{}, [][2]int{{1, 1}}); err != nil || slices.Contains(inside, true) {
		t.Errorf("an empty range: %v, %v", err, inside)
	}
	if _, _, err = tok.EncodeRanges("a\xff", Options{}, nil); err == nil {
		t.Error("text that is not UTF-8 is taken")
	}
}
