package tokenizer

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// spmReference is testdata/sentencepiece.json, which testdata/sentencepiece.py writes with the
// reference implementation.
type spmReference struct {
	Texts  []string
	Models []struct {
		Name  string
		Model string
		IDs   [][]int32
		Texts []string // of the ids
	}
	Shared []struct {
		Path    string
		IDs     [][]int32
		Botchan string
	}
}

func readSPMReference(t testing.TB) (ref spmReference) {
	t.Helper()
	data, err := os.ReadFile("testdata/sentencepiece.json")
	if err != nil {
		t.Fatal(err)
	}
	unmarshal(t, data, &ref)
	if len(ref.Models) == 0 || len(ref.Shared) == 0 {
		t.Fatal("testdata/sentencepiece.json has no models")
	}
	return ref
}

func spmModel(t testing.TB, text string) *Tokenizer {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, map[string][]byte{"tokenizer.model": data})
}

func TestSentencePiece(t *testing.T) {
	ref := readSPMReference(t)
	for _, m := range ref.Models {
		t.Run(m.Name, func(t *testing.T) {
			tok := spmModel(t, m.Model)
			for i, text := range ref.Texts {
				got := tok.Encode(text, Options{})
				if !slices.Equal(got, m.IDs[i]) {
					t.Errorf("%q: got %v, want %v", text, got, m.IDs[i])
				}
				// The reference writes an unknown piece as " ⁇ ", Hugging Face and we as its name.
				back := tok.Decode(got, false)
				if id, _ := tok.model.unknown(); !slices.Contains(got, id) && back != m.Texts[i] {
					t.Errorf("%q: decoded %q, want %q", text, back, m.Texts[i])
				}
				if s := stream(tok, got, false); s != back {
					t.Errorf("%q: streamed %q, decoded %q", text, s, back)
				}
			}
		})
	}
}

func TestSharedSentencePiece(t *testing.T) {
	ref := readSPMReference(t)
	book := strings.Split(strings.ReplaceAll(string(shared(t, "tokenizers/sentencepiece/botchan.txt")), "\r\n", "\n"), "\n")
	for _, m := range ref.Shared {
		tok := parse(t, map[string][]byte{"tokenizer.model": shared(t, "tokenizers/"+m.Path)})
		for i, text := range ref.Texts {
			if got := tok.Encode(text, Options{}); !slices.Equal(got, m.IDs[i]) {
				t.Errorf("%s: %q: got %v, want %v", m.Path, text, got, m.IDs[i])
			}
		}
		var all strings.Builder
		for i, line := range book {
			if i > 0 {
				all.WriteString("\n")
			}
			all.WriteString(strings.Trim(fmt.Sprint(tok.Encode(line, Options{})), "[]"))
		}
		if got := sha256.Sum256([]byte(all.String())); hex.EncodeToString(got[:]) != m.Botchan {
			t.Errorf("%s: the ids of botchan.txt differ", m.Path)
		}
	}
}

func llama2(t testing.TB) *Tokenizer {
	return parse(t, map[string][]byte{"tokenizer.model": shared(t, "tokenizers/llama2/tokenizer.model")})
}

func TestLlama2Vectors(t *testing.T) {
	tok := llama2(t)
	for _, v := range vectors(t) {
		got := tok.Encode(v.Text, Options{})
		if !slices.Equal(got, v.Llama2) {
			t.Errorf("row %d: %.60q: got %v, want %v", v.I, v.Text, got, v.Llama2)
		}
		if back := tok.Decode(got, false); back != v.Text {
			t.Errorf("row %d: decoded %q, want %q", v.I, back, v.Text)
		}
		if s := stream(tok, got, false); s != v.Text {
			t.Errorf("row %d: streamed %q, want %q", v.I, s, v.Text)
		}
	}
}

// Characters that byte fallback spells come out whole, one stretch each, and none before its last byte.
func TestStreamKeepsFallbackCharactersWhole(t *testing.T) {
	tok := spmModel(t, readSPMReference(t).Models[0].Model)
	const text = "ab 😀é𝔘 你 z😀"
	ids := tok.Encode(text, Options{})
	bytesIn := 0
	for _, id := range ids {
		if p, _ := tok.Piece(id); strings.HasPrefix(p, "<0x") {
			bytesIn++
		}
	}
	if bytesIn < 12 {
		t.Fatalf("%d byte tokens: the test needs some", bytesIn)
	}
	s := tok.NewStream(false)
	var out strings.Builder
	for i, id := range ids {
		part := s.Next(id)
		if !utf8.ValidString(part) || strings.ContainsRune(part, utf8.RuneError) {
			t.Fatalf("token %d gives %q", i, part)
		}
		out.WriteString(part)
		if !strings.HasPrefix(text, out.String()) {
			t.Fatalf("after token %d: %q", i, out.String())
		}
	}
	if out.WriteString(s.Flush()); out.String() != text {
		t.Errorf("streamed %q, want %q", out.String(), text)
	}
}

func TestSentencePieceSpecial(t *testing.T) {
	tok := llama2(t)
	for _, test := range []struct {
		text string
		opts Options
		want []int32
	}{
		{"Hello", Options{AddSpecial: true}, []int32{1, 15043}},
		{"", Options{AddSpecial: true}, []int32{1}},
		{"<s>", Options{}, []int32{529, 29879, 29958}},
		{"<s>Hello</s>", Options{ParseSpecial: true}, []int32{1, 10994, 2}},
		{"Hello</s>Hello", Options{ParseSpecial: true}, []int32{15043, 2, 10994}},
	} {
		if got := tok.Encode(test.text, test.opts); !slices.Equal(got, test.want) {
			t.Errorf("%q with %+v: got %v, want %v", test.text, test.opts, got, test.want)
		}
	}
	if got := tok.Decode([]int32{1, 15043, 2}, true); got != "Hello" {
		t.Errorf("decoded %q", got)
	}
	if bos, _ := tok.BOS(); bos != 1 || tok.VocabSize() != 32000 {
		t.Errorf("BOS %d, size %d", bos, tok.VocabSize())
	}
	again := parse(t, tok.Files())
	if got := again.Encode("Hello", Options{AddSpecial: true}); !slices.Equal(got, []int32{1, 15043}) {
		t.Errorf("after Files: %v", got)
	}
	legacy := parse(t, map[string][]byte{"tokenizer.model": shared(t, "tokenizers/llama2/tokenizer.model"),
		"tokenizer_config.json": []byte(`{"legacy": true, "add_bos_token": false, "add_eos_token": true}`)})
	if got := legacy.Encode("</s>Hello", Options{AddSpecial: true, ParseSpecial: true}); !slices.Equal(got, []int32{2, 15043, 2}) {
		t.Errorf("legacy: %v", got)
	}
}

func TestSentencePieceErrors(t *testing.T) {
	field := func(n byte, body string) string { return string([]byte{n<<3 | 2, byte(len(body))}) + body }
	piece := func(text string, kind byte) string { return field(1, field(1, text)+"\x18"+string(kind)) }
	unk := piece("<unk>", 2)
	for _, test := range []struct{ data, want string }{
		{"", "none, so this is no SentencePiece model"},
		{"\xff\xff", "unexpected EOF"},
		{field(1, "\x0a"), "pieces[0]: field 1: unexpected EOF"},
		{piece("a", 1), "none is of type unknown"},
		{unk + unk, `pieces[1]: "<unk>" is empty or the same as pieces[0]`},
		{unk + piece("u", 2), "second unknown"},
		{unk + piece("a", 9), `pieces[1]: "a" has the type 9`},
		{unk + piece("a", 6), `pieces[1]: "a" is not a byte`},
		{unk + field(2, "\x18\x03"), "trainer_spec.model_type 3 is not supported"},
		{unk + field(2, "\xc0\x01\x01"), "trainer_spec.treat_whitespace_as_suffix"},
		{unk + field(2, "\x98\x02\x01"), "0 bytes of 256"},
		{unk + field(3, field(2, "\x07\x00\x00\x00")), "normalizer_spec.precompiled_charsmap: the trie's size"},
		{unk + field(5, field(2, "x")), "denormalizer_spec"},
	} {
		_, err := Parse(map[string][]byte{"tokenizer.model": []byte(test.data)})
		if err == nil || !strings.Contains(err.Error(), "tokenizer.model: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %s", test.data, err, test.want)
		}
	}
}

// No file makes the parser or what it builds panic.
func FuzzSentencePiece(f *testing.F) {
	for _, m := range readSPMReference(f).Models {
		data, err := base64.StdEncoding.DecodeString(m.Model)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[max(0, len(data)-1200):], "a <mark> 你")
		f.Add(data, "there  was\tﬁ")
	}
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		tok, err := Parse(map[string][]byte{"tokenizer.model": data})
		if err == nil {
			tok.Decode(tok.Encode(text, Options{AddSpecial: true, ParseSpecial: true}), true)
		}
	})
}

// Two real files in the format: ids as tiktoken gives them.
func TestTiktokenFile(t *testing.T) {
	tok := parse(t, map[string][]byte{"tokenizer.model": shared(t, "tokenizers/tiktoken/cl100k_base.tiktoken.gz")})
	for _, v := range vectors(t) {
		if got := tok.Encode(v.Text, Options{}); !slices.Equal(got, v.CL100K) {
			t.Errorf("row %d: %.60q: got %v, want %v", v.I, v.Text, got, v.CL100K)
		}
	}
	tok = parse(t, map[string][]byte{"tokenizer.model": shared(t, "tokenizers/llama3/tokenizer.model.gz")})
	want := []int32{128000, 128006, 882, 128007, 271, 9906, 128009}
	got := tok.Encode("<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>", Options{AddSpecial: true, ParseSpecial: true})
	if !slices.Equal(got, want) || tok.VocabSize() != 128256 {
		t.Errorf("got %v of %d, want %v", got, tok.VocabSize(), want)
	}
	if back := tok.Decode(got, true); back != "user\n\nHello" {
		t.Errorf("decoded %q", back)
	}
}

func TestTiktokenErrors(t *testing.T) {
	var all bytes.Buffer
	for i := range 256 {
		fmt.Fprintf(&all, "%s %d\n", base64.StdEncoding.EncodeToString([]byte{byte(i)}), i)
	}
	for _, test := range []struct{ data, want string }{
		{"IQ== 0\nIQ== 1\n", "line 2: the token has the rank 0 already"},
		{"IQ== 0\n\nIg==\n", "line 3: \"Ig==\" is not a token and its rank"},
		{"IQ== 0\n$ 1\n", "line 2: \"$\" is not base64"},
		{"IQ== 0\nIg== x\n", "line 2: rank \"x\" is not a number"},
		{"IQ== 0\n", "the byte 0x00 has no token"},
	} {
		_, err := Parse(map[string][]byte{"tokenizer.model": []byte(test.data)})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %s", test.data, err, test.want)
		}
	}
	tok := parse(t, map[string][]byte{"tokenizer.model": all.Bytes(),
		"tokenizer_config.json": []byte(`{"bos_token": "<b>", "added_tokens_decoder": {"256": {"content": "<b>", "special": true}}}`)})
	if got := tok.Encode("a<b>", Options{AddSpecial: true, ParseSpecial: true}); !slices.Equal(got, []int32{256, 97, 256}) {
		t.Errorf("got %v", got)
	}
}
