package tasks

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	body := []byte(text)
	if strings.HasSuffix(name, ".gz") {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write(body)
		require.NoError(t, err)
		require.NoError(t, z.Close())
		body = b.Bytes()
	}
	require.NoError(t, os.WriteFile(path, body, 0o600))
	return path
}

func TestGSM8KRows(t *testing.T) {
	text := `{"question": "How many?", "answer": "She has 16 - 3 = <<16-3=13>>13 eggs.\nThat is $<<13*2=26>>26.\n#### 1,026"}` + "\n"
	for _, name := range []string{"t.jsonl", "t.jsonl.gz"} {
		ps, err := Source{File: write(t, name, "\n"+text), Format: "gsm8k"}.Load(t.Context())
		require.NoError(t, err)
		require.Len(t, ps, 1)
		p := ps[0]
		require.Equal(t, "t.jsonl:2", p.ID)
		require.Equal(t, "Question: How many?\nAnswer:", p.Prompt)
		require.Equal(t, "1026", p.Answer)
		require.Equal(t, " She has 16 - 3 = 13 eggs.\nThat is $26.\n#### 1026", p.Solution)
		require.Equal(t, "gsm8k", p.Meta["answer"])
		require.Equal(t, []string{"multiplication", "subtraction"}, p.Concepts)
		require.Equal(t, 2, p.Difficulty)
	}
	ps, err := Source{File: write(t, "t.jsonl", text), Format: "gsm8k", Template: "{{.question}}\n"}.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, "How many?\n", ps[0].Prompt)
	require.True(t, strings.HasPrefix(ps[0].Solution, "She"), "no space behind a prompt that ends in one")
}

func TestJSONRows(t *testing.T) {
	rows := `{"prompt":"1+1","answer":2,"solution":"it is 2","concepts":["b","a","b"],"difficulty":3,"id":"x"}` + "\r\n" +
		`{"prompt":"2+2","answer":4.50,"extra":{"q":"deep"}}` + "\n"
	path := write(t, "rows.jsonl", "\xef\xbb\xbf"+rows)
	ps, err := Source{File: path, AnswerForm: "exact"}.Load(t.Context())
	require.NoError(t, err)
	meta := map[string]string{"answer": "exact"}
	require.Equal(t, []Problem{
		{ID: "x", Prompt: "1+1", Answer: "2", Solution: "it is 2", Concepts: []string{"a", "b"}, Difficulty: 3, Source: path, Meta: meta},
		{ID: "rows.jsonl:2", Prompt: "2+2", Answer: "4.50", Source: path, Meta: meta},
	}, ps)

	ps, err = Source{File: path, Offset: 1, Fields: Fields{Prompt: "extra.q"}}.Load(t.Context())
	require.ErrorContains(t, err, `rows.jsonl:1: has no field "extra.q"`)
	require.Nil(t, ps)
	ps, err = Source{File: path, Template: "Q {{.prompt}} = {{.answer}}?", Limit: 1}.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, "Q 1+1 = 2?", ps[0].Prompt)
}

func TestListsBecomeMetaAsJSON(t *testing.T) {
	file := write(t, "ifeval.jsonl", `{"prompt": "Be brief.", "instruction_id_list": ["length_constraints:number_words"], "kwargs": [{"relation": "less than", "num_words": 300}], "n": 1.50}`)
	got, err := Source{File: file, Fields: Fields{Meta: map[string]string{"instruction_id_list": "instruction_id_list", "kwargs": "kwargs", "words": "kwargs.0.num_words", "n": "n"}}}.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"instruction_id_list": `["length_constraints:number_words"]`, "kwargs": `[{"num_words":300,"relation":"less than"}]`, "words": "300", "n": "1.50"}, got[0].Meta)
	_, err = Source{File: file, Fields: Fields{Meta: map[string]string{"x": "y"}}}.Load(t.Context())
	require.ErrorContains(t, err, `has no field "y"`)
}

func TestFileErrorsNameFileAndLine(t *testing.T) {
	good := `{"prompt":"p"}` + "\n"
	for name, c := range map[string]struct {
		text   string
		source Source
		want   string
	}{
		"not JSON":      {good + "{", Source{}, "f.jsonl:2: not a JSON object"},
		"a list":        {good + "[1]", Source{}, "f.jsonl:2: not a JSON object"},
		"null":          {"null", Source{}, "f.jsonl:1: not a JSON object"},
		"two values":    {good + "{} {}", Source{}, "f.jsonl:2: more than one JSON value"},
		"no prompt":     {`{"question":"q"}`, Source{}, `f.jsonl:1: has no field "prompt"`},
		"empty prompt":  {`{"prompt":" "}`, Source{}, "f.jsonl:1: the prompt is empty"},
		"prompt object": {`{"prompt":{}}`, Source{}, `f.jsonl:1: field "prompt": is neither`},
		"same id":       {`{"prompt":"a","id":"i"}` + "\n" + `{"prompt":"b","id":"i"}`, Source{}, `f.jsonl:2: the id "i" was given in line 1`},
		"difficulty":    {`{"prompt":"a","d":"x"}`, Source{Fields: Fields{Difficulty: "d"}}, `f.jsonl:1: field "d": "x" is not a whole`},
		"concepts":      {`{"prompt":"a","concepts":[1]}`, Source{}, `f.jsonl:1: field "concepts": must hold texts`},
		"template":      {good, Source{Template: "{{.question}}"}, "f.jsonl:1: template"},
		"gsm8k answer":  {`{"question":"q","answer":"18"}`, Source{Format: "gsm8k"}, `f.jsonl:1: field "answer": has no final answer`},
		"empty":         {"\n\n", Source{}, "f.jsonl: has no problems"},
		"offset":        {good, Source{Offset: 1}, "offset: 1 leaves nothing of 1"},
	} {
		t.Run(name, func(t *testing.T) {
			c.source.File = write(t, "f.jsonl", c.text)
			_, err := c.source.Load(t.Context())
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := Source{File: "/does/not/exist.jsonl"}.Load(t.Context())
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "/does/not/exist.jsonl")

	whole, err := os.ReadFile(write(t, "f.jsonl.gz", strings.Repeat(good, 1000)))
	require.NoError(t, err)
	_, err = Source{File: write(t, "cut.jsonl", string(whole[:len(whole)/2]))}.Load(t.Context())
	require.ErrorContains(t, err, "unexpected EOF", "a cut gzip file must not pass as a short one")
}

func TestShuffleOffsetLimit(t *testing.T) {
	var b strings.Builder
	for _, letter := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX" {
		b.WriteString(`{"prompt":"` + string(letter) + `"}` + "\n")
	}
	path := write(t, "n.jsonl", b.String())
	load := func(s Source) string {
		s.File = path
		ps, err := s.Load(t.Context())
		require.NoError(t, err)
		var out string
		for _, p := range ps {
			out += p.Prompt
		}
		return out
	}
	all := load(Source{})
	require.Equal(t, all[3:7], load(Source{Offset: 3, Limit: 4}))
	require.Equal(t, all[48:], load(Source{Offset: 48, Limit: 100}))
	seed := uint64(3)
	shuffled := load(Source{ShuffleSeed: &seed})
	require.NotEqual(t, all, shuffled)
	require.Len(t, shuffled, len(all))
	require.Equal(t, shuffled[:10]+shuffled[10:25], load(Source{ShuffleSeed: &seed, Limit: 10})+load(Source{ShuffleSeed: &seed, Offset: 10, Limit: 15}))

	at, err := Source{File: path, Limit: 3}.Stream(t.Context())
	require.NoError(t, err)
	p, err := at(7)
	require.NoError(t, err)
	require.Equal(t, "b", p.Prompt)
}

// The official files read whole, with the row counts that the paper (arXiv 2110.14168) gives.
func TestOfficialGSM8K(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "data", "gsm8k")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the public data is not beside the repository:", err)
	}
	sets, _, err := LoadSets(t.Context(), map[string]Source{
		"test":  {File: filepath.Join(dir, "test.jsonl"), Format: "gsm8k"},
		"train": {File: filepath.Join(dir, "train.jsonl.gz"), Format: "gsm8k", Exclude: []string{"test"}},
	})
	require.NoError(t, err)
	require.Len(t, sets["test"], 1319)
	require.Len(t, sets["train"], 7473)
	require.Equal(t, "18", sets["test"][0].Answer)
	for _, set := range sets {
		for _, p := range set {
			require.Regexp(t, `^-?[0-9.]+$`, p.Answer, p.ID)
			require.NotContains(t, p.Solution, "<<", p.ID)
			require.True(t, strings.HasSuffix(p.Solution, "\n#### "+p.Answer), p.ID)
		}
	}
}

// FuzzFile holds: no panic, and what loads is problems with prompts and different ids.
func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"prompt":"a","concepts":["x"]}` + "\n"))
	f.Add([]byte(`{"question":"q","answer":"1 <<1=1>>#### 1"}`))
	f.Add([]byte{0x1f, 0x8b, 8, 0, 0})
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, body []byte) {
		path := filepath.Join(dir, "fuzz.jsonl")
		require.NoError(t, os.WriteFile(path, body, 0o600))
		for _, s := range []Source{{File: path}, {File: path, Format: "gsm8k"}} {
			ps, err := s.Load(t.Context())
			if err != nil {
				require.ErrorContains(t, err, path)
				continue
			}
			seen := map[string]bool{}
			for _, p := range ps {
				require.NotEmpty(t, p.Prompt)
				require.False(t, seen[p.ID])
				seen[p.ID] = true
			}
		}
	})
}
