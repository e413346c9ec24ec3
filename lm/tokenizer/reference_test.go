package tokenizer

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// reference is testdata/reference.json, which testdata/reference.py writes with the reference
// implementation.
type reference struct {
	Texts []string
	Bases map[string]map[string]json.RawMessage
	Cases []struct {
		Name   string
		Base   string
		Change map[string]json.RawMessage // of the parts of the base
		Model  map[string]json.RawMessage // of the fields of the base's model
		Rows   [][5]json.RawMessage       // ids, ids with AddSpecial (0: same), without ParseSpecial (0: same), text, text of the inner ids
	}
}

// file is the tokenizer.json of a case.
func (r reference) file(t testing.TB, base string, change, model map[string]json.RawMessage) []byte {
	t.Helper()
	full := map[string]json.RawMessage{}
	for k, v := range r.Bases[base] {
		full[k] = v
	}
	for k, v := range change {
		full[k] = v
	}
	m := map[string]json.RawMessage{}
	unmarshal(t, full["model"], &m)
	for k, v := range model {
		m[k] = v
	}
	var err error
	if full["model"], err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func unmarshal(t testing.TB, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

func readReference(t testing.TB) reference {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref reference
	unmarshal(t, data, &ref)
	if len(ref.Cases) == 0 || len(ref.Texts) == 0 {
		t.Fatal("testdata/reference.json has no cases")
	}
	return ref
}

func TestReference(t *testing.T) {
	ref := readReference(t)
	for _, c := range ref.Cases {
		t.Run(c.Name, func(t *testing.T) {
			tok := parse(t, map[string][]byte{"tokenizer.json": ref.file(t, c.Base, c.Change, c.Model)})
			for i, text := range ref.Texts {
				var want [3][]int32
				unmarshal(t, c.Rows[i][0], &want[0])
				for k := 1; k < 3; k++ {
					if want[k] = want[0]; string(c.Rows[i][k]) != "0" {
						want[k] = nil
						unmarshal(t, c.Rows[i][k], &want[k])
					}
				}
				for k, opts := range []Options{{ParseSpecial: true}, {AddSpecial: true, ParseSpecial: true}, {}} {
					if got := tok.Encode(text, opts); !slices.Equal(got, want[k]) {
						t.Errorf("%q with %+v: got %v, want %v", text, opts, got, want[k])
					}
				}
				inner := want[0]
				if len(inner) > 2 {
					inner = inner[1 : len(inner)-1]
				} else {
					inner = nil
				}
				for k, d := range []struct {
					ids  []int32
					skip bool
				}{{want[0], false}, {inner, true}} {
					var want string
					unmarshal(t, c.Rows[i][3+k], &want)
					got := tok.Decode(d.ids, d.skip)
					if got != want {
						t.Errorf("%v decoded to %q, want %q", d.ids, got, want)
					}
					if s := stream(tok, d.ids, d.skip); s != want && !strings.ContainsRune(want, utf8.RuneError) {
						t.Errorf("%v streamed to %q, want %q", d.ids, s, want)
					}
				}
			}
		})
	}
}

// Every prefix of what a stream returns is text, whatever the ids.
func FuzzStream(f *testing.F) {
	ref := readReference(f)
	var toks []*Tokenizer
	for _, base := range []string{"bytes", "fallback", "unigram"} {
		toks = append(toks, parse(f, map[string][]byte{"tokenizer.json": ref.file(f, base, nil, nil)}))
	}
	f.Add([]byte("\x00\x05\x03\x80\x90\xff\xc3\xa9"))
	f.Add([]byte("\x01\xe7\xc0\xa3\x20\x41"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		tok := toks[int(data[0])%len(toks)]
		var ids []int32
		for i, b := range data[1:] {
			ids = append(ids, (int32(b)+int32(i%3)*200)%int32(tok.VocabSize()+3))
		}
		s := tok.NewStream(true)
		var out strings.Builder
		for _, id := range append(slices.Clone(ids), -1) {
			var text string
			if text = s.Next(id); id == -1 {
				text += s.Flush()
			}
			if !utf8.ValidString(text) {
				t.Fatalf("ids %v: returned %q", ids, text)
			}
			out.WriteString(text)
		}
		want := tok.Decode(ids, true)
		if got := out.String(); got != want && (tok.byteLevels || !strings.ContainsRune(want+got, utf8.RuneError)) {
			t.Fatalf("ids %v: streamed %q, decoded %q", ids, got, want)
		}
	})
}
