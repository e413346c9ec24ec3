package tasks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTablesOfUsers: the files as people have them, with the fields named in the source.
func TestTablesOfUsers(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "test.csv"), []byte("text,category\n\"Where is my card?\",card_arrival\nI lost it,lost_card\n"), 0o600))
	ps, err := Source{File: dir, Fields: Fields{Answer: "category"}, Template: "Which class is this? {{.text}}", AnswerForm: "exact"}.Load(t.Context())
	require.NoError(t, err)
	require.Len(t, ps, 2)
	require.Equal(t, "Which class is this? I lost it", ps[1].Prompt)
	require.Equal(t, "lost_card", ps[1].Answer)
	require.Equal(t, "test.csv:3", ps[1].ID)

	lines := filepath.Join(dir, "rows.jsonl")
	require.NoError(t, os.WriteFile(lines, []byte(`{"prompt": [{"role": "user", "content": "2+2?"}], "reward_model": {"ground_truth": "4"}, "lang": "python"}`+"\n"), 0o600))
	source := Source{File: lines, Fields: Fields{Prompt: "prompt.0.content", Answer: "reward_model.ground_truth", Meta: map[string]string{"language": "lang"}}, AnswerForm: "exact"}
	ps, err = source.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, "2+2?", ps[0].Prompt)
	require.Equal(t, "4", ps[0].Answer)
	require.Equal(t, map[string]string{"language": "python", "answer": "exact"}, ps[0].Meta)
	source.Fields.Meta["tests"] = "test"
	_, err = source.Load(t.Context())
	require.ErrorContains(t, err, `rows.jsonl:1: has no field "test"`)
	require.ErrorContains(t, Source{Procedural: "chain", Split: "train"}.Validate(), "split: does not apply")
}

// TestRealTables reads data sets in the form that others publish them.
func TestRealTables(t *testing.T) {
	for _, c := range []struct {
		source Source
		count  int
		prompt string
	}{
		{Source{File: "math/math_test.parquet", Fields: Fields{Prompt: "prompt.0.content", Difficulty: ""}}, 5000, "How many vertical asymptotes does the graph of $y=\\frac{2}{x^2+x-6}$ have?"},
		{Source{File: "knights_knaves/kk_3ppl_test.parquet", Fields: Fields{Prompt: "quiz", Answer: "solution_text"}}, 100, ""},
		{Source{File: "cls_banking77/test.csv", Fields: Fields{Prompt: "text", Answer: "category"}}, 3080, "How do I locate my card?"},
		{Source{File: "cls_agnews/ag_news_test.csv.gz", Limit: 10, Columns: []string{"label", "title", "text"}, Fields: Fields{Prompt: "title", Answer: "label"}}, 10, "Fears for T N pension after talks"},
	} {
		c.source.File = filepath.Join("..", "..", "shared", "data", c.source.File)
		if _, err := os.Stat(c.source.File); err != nil {
			t.Skip("shared data is not there: ", err)
		}
		ps, err := c.source.Load(t.Context())
		require.NoError(t, err)
		require.Len(t, ps, c.count)
		if c.prompt != "" {
			require.Equal(t, c.prompt, ps[0].Prompt)
		}
	}
}
