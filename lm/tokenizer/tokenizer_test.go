package tokenizer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// naive is the definition of byte-pair merging, without any data structure.
func naive(b *bpe, syms []int32) []int32 {
	syms = slices.Clone(syms)
	for {
		best, at := merge{rank: 1 << 30}, -1
		for i := 0; i+1 < len(syms); i++ {
			if m, ok := b.merges[pairKey(syms[i], syms[i+1])]; ok && m.rank < best.rank {
				best, at = m, i
			}
		}
		if at < 0 {
			return syms
		}
		syms = slices.Replace(syms, at, at+2, best.id)
	}
}

func TestMergeMatchesDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// A random merge list over two letters, each merge of tokens that are there by then.
		tokens := []string{"a", "b"}
		vocab := map[string]int32{"a": 0, "b": 1}
		var merges [][2]string
		for range rapid.IntRange(0, 12).Draw(t, "merges") {
			pair := [2]string{rapid.SampledFrom(tokens).Draw(t, "left"), rapid.SampledFrom(tokens).Draw(t, "right")}
			joined := pair[0] + pair[1]
			if slices.Contains(merges, pair) || len(joined) > 20 {
				continue
			}
			merges = append(merges, pair)
			if _, ok := vocab[joined]; !ok {
				vocab[joined] = int32(len(tokens))
				tokens = append(tokens, joined)
			}
		}
		b, err := newBPE(vocab, merges, &bpe{unk: -1})
		if err != nil {
			t.Fatal(err)
		}
		word := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 0, 80).Draw(t, "word"), "")
		want := naive(b, b.symbols(word))
		if got := b.merge(b.symbols(word)); !slices.Equal(got, want) {
			t.Fatalf("%q: got %v, want %v", word, got, want)
		}
		if got := b.mergeHeap(b.symbols(word)); !slices.Equal(got, want) {
			t.Fatalf("%q with a heap: got %v, want %v", word, got, want)
		}
		for range 2 { // the second time from the cache
			if got := b.encode(word, nil); !slices.Equal(got, want) {
				t.Fatalf("%q: encode gives %v, want %v", word, got, want)
			}
		}
	})
}

func TestChars(t *testing.T) {
	const alphabet = "abcab \n\"\\<>é你😀"
	tok := Chars(alphabet)
	if tok.VocabSize() != 16 {
		t.Errorf("VocabSize %d, want 16", tok.VocabSize())
	}
	for i, test := range []struct {
		text string
		opts Options
		want []int32
	}{
		{"abc", Options{}, []int32{4, 5, 6}},
		{"abc", Options{AddSpecial: true}, []int32{1, 4, 5, 6}},
		{"", Options{AddSpecial: true}, []int32{1}},
		{"a😀\"\\", Options{}, []int32{4, 15, 9, 10}},
		{"a?b", Options{}, []int32{4, 3, 5}},
		{"??", Options{}, []int32{3, 3}},
		{"<eos>", Options{ParseSpecial: true}, []int32{2}},
		{"<b>", Options{ParseSpecial: true}, []int32{11, 5, 12}},
		{"<bos>", Options{}, []int32{11, 5, 3, 3, 12}},
	} {
		if got := tok.Encode(test.text, test.opts); !slices.Equal(got, test.want) {
			t.Errorf("%d: %q: got %v, want %v", i, test.text, got, test.want)
		}
	}
	for name, get := range map[string]func() (int32, bool){CharsPAD: tok.PAD, CharsBOS: tok.BOS, CharsEOS: tok.EOS} {
		id, ok := get()
		if want, _ := tok.TokenID(name); !ok || id != want {
			t.Errorf("%s: id %d, %t", name, id, ok)
		}
	}
	if r, ok := tok.Covers("a b你"); !ok {
		t.Errorf("Covers misses %q", r)
	}
	if r, ok := tok.Covers("a bxy"); ok || r != 'x' {
		t.Errorf("Covers: %q, %t, want 'x'", r, ok)
	}
	again := parse(t, tok.Files())
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.SampledFrom([]rune(alphabet))).Draw(t, "text"))
		ids := again.Encode(text, Options{AddSpecial: true})
		if back := tok.Decode(ids, true); back != text {
			t.Fatalf("%q came back as %q", text, back)
		}
		if back := stream(tok, ids, true); back != text {
			t.Fatalf("%q streamed as %q", text, back)
		}
		if len(ids) != len([]rune(text))+1 {
			t.Fatalf("%q: %d ids", text, len(ids))
		}
	})
	if Chars("").VocabSize() != 4 {
		t.Error("an empty alphabet leaves the four special tokens")
	}
}

// Any text comes back from a byte-level tokenizer.
func TestByteLevelRoundTrip(t *testing.T) {
	ref := readReference(t)
	tok := parse(t, map[string][]byte{"tokenizer.json": ref.file(t, "bytes", nil, nil)})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		ids := tok.Encode(text, Options{})
		if back := tok.Decode(ids, false); back != text {
			t.Fatalf("%q came back as %q", text, back)
		}
		if back := stream(tok, ids, false); back != text {
			t.Fatalf("%q streamed as %q", text, back)
		}
	})
	if got := tok.Decode(tok.Encode("a\xffb", Options{}), false); got != "a\uFFFDb" {
		t.Errorf("a broken byte came back as %q", got)
	}
	if _, ok := tok.Covers("any text 你"); !ok {
		t.Error("a byte-level tokenizer covers all text")
	}
}

func TestLossy(t *testing.T) {
	for in, want := range map[string]string{
		"":                     "",
		"aé":                   "aé",
		"\xe4\xbd":             "\uFFFD",
		"\xe4\xbd\xa0\xe5":     "你\uFFFD",
		"\xf0\x9f\x98a":        "\uFFFDa",
		"\xff\xfe":             "\uFFFD\uFFFD",
		"\xc0\x80":             "\uFFFD\uFFFD",
		"\xed\xa0\x80":         "\uFFFD\uFFFD\uFFFD",
		"\xf4\x90\x80\x80":     "\uFFFD\uFFFD\uFFFD\uFFFD",
		"\xe0\x80\xf0\x90\x80": "\uFFFD\uFFFD\uFFFD",
	} {
		if got := lossy([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	ref := readReference(t)
	tok := parse(t, map[string][]byte{"tokenizer.json": ref.file(t, "bytes", nil, nil)})
	want := make([][]int32, len(ref.Texts))
	for i, text := range ref.Texts {
		want[i] = tok.Encode(text, Options{})
	}
	fresh := parse(t, tok.Files())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i, text := range ref.Texts {
				if got := fresh.Encode(text, Options{}); !slices.Equal(got, want[i]) {
					t.Errorf("%q: got %v, want %v", text, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

func TestCacheIsBounded(t *testing.T) {
	b, err := newBPE(map[string]int32{"a": 0, "b": 1, "ab": 2}, [][2]string{{"a", "b"}}, &bpe{unk: 0})
	if err != nil {
		t.Fatal(err)
	}
	for i := range cacheWords + 10 {
		b.encode(fmt.Sprint("ab", i), nil)
	}
	if n := len(b.cache.ids); n > cacheWords {
		t.Errorf("the cache holds %d words", n)
	}
	if got := b.encode("abab", nil); !slices.Equal(got, []int32{2, 2}) {
		t.Errorf("got %v", got)
	}
}

const tinyModel = `"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}`

func TestParseRefuses(t *testing.T) {
	file := func(s string) map[string][]byte { return map[string][]byte{"tokenizer.json": []byte("{" + s + "}")} }
	with := func(name, content string) map[string][]byte {
		f := file(tinyModel)
		f[name] = []byte(content)
		return f
	}
	for _, test := range []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"nothing", nil, "none of tokenizer.json, vocab.json with merges.txt, tokenizer.model"},
		{"sentencepiece", map[string][]byte{"tokenizer.model": nil}, "tokenizer.model: pieces: none"},
		{"not JSON", map[string][]byte{"tokenizer.json": []byte("x")}, "tokenizer.json: "},
		{"no model", file(``), "tokenizer.json: model: missing"},
		{"model", file(`"model": {"type": "WordPiece", "vocab": {}}`), `model: type "WordPiece" is not supported (supported: BPE, Unigram)`},
		{"dropout", file(`"model": {"type": "BPE", "dropout": 0.1, "vocab": {}, "merges": []}`), "dropout 0.1"},
		{"unknown token", file(`"model": {"type": "BPE", "unk_token": "?", "vocab": {}, "merges": []}`), `unk_token: "?" is not in the vocabulary`},
		{"merge", file(`"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}`), `merges[0]: token "b" is not in the vocabulary`},
		{"merged", file(`"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "a"]]}`), `merges[0]: token "aa", which "a" and "a" make`},
		{"merge line", file(`"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["aa"]}`), `merges[0]: "aa" is not two tokens`},
		{"merge triple", file(`"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "a", "a"]]}`), "merges[0]: has 3 tokens"},
		{"shared id", file(`"model": {"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}`), "share id 0"},
		{"huge id", file(`"model": {"type": "BPE", "vocab": {"a": 2000000000}, "merges": []}`), "impossible id 2000000000"},
		{"unigram score", file(`"model": {"type": "Unigram", "vocab": [["a"]]}`), "vocab[0]: must be a piece and its score"},
		{"normalizer", file(tinyModel + `, "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Precompiled"}]}`), `normalizer: normalizers[1]: type "Precompiled" is not supported`},
		{"pre-tokenizer", file(tinyModel + `, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "UnicodeScripts"}]}`), `pre_tokenizer: pretokenizers[0]: type "UnicodeScripts" is not supported`},
		{"behavior", file(tinyModel + `, "pre_tokenizer": {"type": "Split", "pattern": {"String": "a"}, "behavior": "Dropped"}`), `behavior "Dropped" is not supported`},
		{"pattern", file(tinyModel + `, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Removed"}`), `pre_tokenizer: pattern "("`},
		{"no pattern", file(tinyModel + `, "pre_tokenizer": {"type": "Split", "pattern": {}, "behavior": "Removed"}`), "must be a String or a Regex"},
		{"decoder", file(tinyModel + `, "decoder": {"type": "CTC"}`), `decoder: type "CTC" is not supported`},
		{"post-processor", file(tinyModel + `, "post_processor": {"type": "RobertaProcessing"}`), `post_processor: type "RobertaProcessing" is not supported`},
		{"template", file(tinyModel + `, "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}], "special_tokens": {}}`), `special token "x" is not in special_tokens`},
		{"bos", with("tokenizer_config.json", `{"bos_token": "<s>"}`), `bos_token: "<s>" is not in the vocabulary`},
		{"config", with("tokenizer_config.json", `{"bos_token": 3}`), "must be a token or an object"},
		{"added id", with("tokenizer_config.json", `{"added_tokens_decoder": {"1": {"content": "<x>"}}}`), `"<x>" wants id 1, which is "b"`},
		{"added key", with("tokenizer_config.json", `{"added_tokens_decoder": {"one": {"content": "<x>"}}}`), `"one" is not a token id`},
		{"family", map[string][]byte{"vocab.json": []byte(`{}`), "merges.txt": []byte("")}, "needs tokenizer_class"},
		{"other family", map[string][]byte{"vocab.json": []byte(`{}`), "merges.txt": []byte(""), "config.json": []byte(`{"model_type": "roberta"}`)}, `model_type "roberta"`},
		{"other class", map[string][]byte{"vocab.json": []byte(`{}`), "merges.txt": []byte(""), "tokenizer_config.json": []byte(`{"tokenizer_class": "CLIPTokenizer"}`)}, `tokenizer_class "CLIPTokenizer"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse(test.files)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestConfigFiles(t *testing.T) {
	files := map[string][]byte{
		"tokenizer.json": []byte("{" + tinyModel + `, "added_tokens": [{"id": 3, "content": "<s>", "special": true}]}`),
		"tokenizer_config.json": []byte(`{"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": null,
			"added_tokens_decoder": {"3": {"content": "<s>", "special": true}, "5": {"content": "<end>", "special": true}},
			"chat_template": [{"name": "tool", "template": "T"}, {"name": "default", "template": "D"}]}`),
		"special_tokens_map.json": []byte(`{"eos_token": "<end>", "pad_token": "<pad>"}`),
		"added_tokens.json":       []byte(`{"<pad>": 6, "<s>": 3}`),
		"README.md":               []byte("ignored"),
	}
	tok := parse(t, files)
	for name, test := range map[string]struct {
		get  func() (int32, bool)
		want int32
	}{"bos": {tok.BOS, 3}, "eos": {tok.EOS, 5}, "pad": {tok.PAD, 6}} {
		if id, ok := test.get(); !ok || id != test.want {
			t.Errorf("%s: %d, %t, want %d", name, id, ok, test.want)
		}
	}
	if tok.VocabSize() != 7 || tok.ChatTemplate() != "D" {
		t.Errorf("size %d, template %q", tok.VocabSize(), tok.ChatTemplate())
	}
	if p, ok := tok.Piece(4); ok {
		t.Errorf("id 4 is a hole, not %q", p)
	}
	if got := tok.Encode("ab<end>b<pad>", Options{ParseSpecial: true}); !slices.Equal(got, []int32{2, 5, 1, 6}) {
		t.Errorf("got %v", got)
	}
	if _, ok := tok.Files()["README.md"]; ok || len(tok.Files()) != 4 {
		t.Errorf("%d files", len(tok.Files()))
	}
	dir := t.TempDir()
	for name, data := range tok.Files() {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := loaded.EOS(); !ok || id != 5 {
		t.Errorf("loaded: EOS %d, %t", id, ok)
	}
	if _, err := Load(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("an absent directory: %v", err)
	}
}

// A directory without tokenizer.json is known by its model_type too, and its files keep that.
func TestLegacyByModelType(t *testing.T) {
	vocab := map[string]int32{}
	for b, r := range byteRune {
		vocab[string(r)] = int32(b)
	}
	vocab["12"] = 256
	data, err := json.Marshal(vocab)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string][]int32{"gpt2": {256}, "qwen3": {'1', '2'}} {
		tok := parse(t, map[string][]byte{"vocab.json": data, "merges.txt": []byte("#version: 0.2\n1 2\n"), "config.json": []byte(`{"model_type": "` + kind + `"}`)})
		if got := tok.Encode("12", Options{}); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", kind, got, want)
		}
		if got := parse(t, tok.Files()).Encode("12", Options{}); !slices.Equal(got, want) {
			t.Errorf("%s after Files: got %v, want %v", kind, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	ref := readReference(f)
	for _, c := range ref.Cases {
		small := map[string]json.RawMessage{"model": json.RawMessage(`{"type": "BPE", "byte_fallback": true, "unk_token": "a", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}`)}
		for k, v := range c.Change {
			small[k] = v
		}
		data, err := json.Marshal(small)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["u", 0], ["a", -1.5], ["ab", -2]]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := Parse(map[string][]byte{"tokenizer.json": data})
		if err != nil {
			return
		}
		ids := tok.Encode("ab <s> aba\n12 é", Options{AddSpecial: true, ParseSpecial: true})
		tok.Decode(ids, true)
		stream(tok, ids, false)
	})
}
