package tokenizer

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// stream decodes ids one at a time.
func stream(t *Tokenizer, ids []int32, skipSpecial bool) string {
	var b strings.Builder
	s := t.NewStream(skipSpecial)
	for _, id := range ids {
		b.WriteString(s.Next(id))
	}
	b.WriteString(s.Flush())
	return b.String()
}

func TestGPT2Vectors(t *testing.T) {
	tok := gpt2(t)
	for _, v := range vectors(t) {
		got := tok.Encode(v.Text, Options{})
		if !slices.Equal(got, v.GPT2) {
			t.Errorf("row %d: %.60q: got %v, want %v", v.I, v.Text, got, v.GPT2)
		}
		if back := tok.Decode(v.GPT2, false); back != v.Text {
			t.Errorf("row %d: decoded %q, want %q", v.I, back, v.Text)
		}
		if back := stream(tok, v.GPT2, false); back != v.Text {
			t.Errorf("row %d: streamed %q, want %q", v.I, back, v.Text)
		}
	}
}

func TestQwen2Vectors(t *testing.T) {
	tok := qwen2(t)
	for _, v := range vectors(t) {
		got := tok.Encode(v.Text, Options{})
		if !slices.Equal(got, v.Qwen2) {
			t.Errorf("row %d: %.60q: got %v, want %v", v.I, v.Text, got, v.Qwen2)
		}
		back := tok.Decode(v.Qwen2, false)
		if (back == v.Text) != v.DecodedEqual {
			t.Errorf("row %d: decoded %q from %q, equal should be %t", v.I, back, v.Text, v.DecodedEqual)
		}
		if streamed := stream(tok, v.Qwen2, false); streamed != back {
			t.Errorf("row %d: streamed %q, decoded %q", v.I, streamed, back)
		}
	}
}

func TestQwen2Special(t *testing.T) {
	tok := qwen2(t)
	const text = "<|im_start|>user\nhi<|im_end|>"
	want := []int32{151644, 872, 198, 6023, 151645}
	if got := tok.Encode(text, Options{ParseSpecial: true}); !slices.Equal(got, want) {
		t.Errorf("with special tokens: got %v, want %v", got, want)
	}
	plain := tok.Encode(text, Options{})
	if slices.Contains(plain, 151644) || tok.Decode(plain, false) != text {
		t.Errorf("as text: got %v", plain)
	}
	if got := tok.Decode(want, true); got != "user\nhi" {
		t.Errorf("decoded without special tokens: %q", got)
	}
	if eos, ok := tok.EOS(); !ok || eos != 151643 {
		t.Errorf("EOS %d, %t", eos, ok)
	}
	if _, ok := tok.BOS(); ok {
		t.Error("Qwen2 has no BOS")
	}
	if tok.VocabSize() != 151646 {
		t.Errorf("VocabSize %d, want 151646", tok.VocabSize())
	}
	if !strings.HasPrefix(tok.ChatTemplate(), "{% for message") {
		t.Errorf("chat template %.40q", tok.ChatTemplate())
	}
	again := parse(t, tok.Files())
	if got := again.Encode(text, Options{ParseSpecial: true}); !slices.Equal(got, want) {
		t.Errorf("after Files: got %v, want %v", got, want)
	}
}

func TestStoriesPrompts(t *testing.T) {
	tok := stories(t)
	type row struct {
		Prompt string
		IDs    []int32
	}
	for _, r := range lines[row](t, shared(t, "model_stories260K/reference_float64.jsonl")) {
		got := tok.Encode(r.Prompt, Options{AddSpecial: true})
		if !slices.Equal(got, r.IDs) {
			t.Errorf("%q: got %v, want %v", r.Prompt, got, r.IDs)
		}
		if back := tok.Decode(got, true); back != r.Prompt {
			t.Errorf("%q: decoded %q", r.Prompt, back)
		}
		if back := stream(tok, got, true); back != r.Prompt {
			t.Errorf("%q: streamed %q", r.Prompt, back)
		}
	}
	if err := tok.CheckModel(512); err != nil {
		t.Error(err)
	}
	if err := tok.CheckModel(500); err == nil || err.Error() != "tokenizer has 512 tokens but the model's vocabulary is 500" {
		t.Errorf("CheckModel(500): %v", err)
	}
}

func TestSmallFileLoads(t *testing.T) {
	tok := parse(t, map[string][]byte{
		"tokenizer.json":        shared(t, "tokenizers/hf_small/tokenizer.json"),
		"tokenizer_config.json": shared(t, "tokenizers/hf_small/tokenizer_config.json"),
	})
	if got := tok.Decode(tok.Encode("hello", Options{}), false); got != "hello" {
		t.Errorf("round trip: %q", got)
	}
}

// cl100k builds a tokenizer.json from a list of tokens by rank, as models in that format are
// converted: a token's merge is the last step of merging its bytes by the ranks before it.
func cl100k(t testing.TB) *Tokenizer {
	vocab := map[string]int32{}
	var tokens []string
	for i, line := range strings.Fields(string(shared(t, "tokenizers/tiktoken/cl100k_base.tiktoken.gz"))) {
		if i%2 == 1 {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		token := toByteChars(string(raw))
		vocab[token] = int32(len(tokens))
		tokens = append(tokens, token)
	}
	var merges [][2]string
	for rank, token := range tokens {
		parts := strings.Split(token, "")
		for len(parts) > 2 {
			best, at := int32(rank), -1
			for i := range len(parts) - 1 {
				if id, ok := vocab[parts[i]+parts[i+1]]; ok && id < best {
					best, at = id, i
				}
			}
			if at < 0 {
				break
			}
			parts = slices.Replace(parts, at, at+2, parts[at]+parts[at+1])
		}
		if len(parts) == 2 {
			merges = append(merges, [2]string{parts[0], parts[1]})
		}
	}
	data, err := json.Marshal(map[string]any{
		"model": map[string]any{"type": "BPE", "vocab": vocab, "merges": merges, "ignore_merges": true},
		"pre_tokenizer": map[string]any{"type": "Sequence", "pretokenizers": []any{
			map[string]any{"type": "Split", "pattern": map[string]string{"Regex": llama3Pattern}, "behavior": "Isolated"},
			map[string]any{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
		}},
		"decoder": map[string]string{"type": "ByteLevel"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, map[string][]byte{"tokenizer.json": data})
}

func TestCL100KVectors(t *testing.T) {
	tok := cl100k(t)
	for _, v := range vectors(t) {
		got := tok.Encode(v.Text, Options{})
		if !slices.Equal(got, v.CL100K) {
			t.Errorf("row %d: %.60q: got %v, want %v", v.I, v.Text, got, v.CL100K)
		}
		if back := tok.Decode(got, false); back != v.Text {
			t.Errorf("row %d: decoded %q, want %q", v.I, back, v.Text)
		}
	}
}
