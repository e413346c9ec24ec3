package tasks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/reward"
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

// TestFormsOfAnswers: rewards know every form that rows can have, and find the answer by it.
func TestFormsOfAnswers(t *testing.T) {
	scorer, err := reward.New([]reward.PartSpec{{Kind: "correct", Weight: 1}})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "rows.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(`{"prompt": "1/2 of 84?", "answer": "42"}`), 0o600))
	for form, response := range map[string]string{"boxed": `so \boxed{42}`, "exact": "42", "gsm8k": "#### 42", "hash": "it is #42", "math": "The answer is $\\frac{84}{2}$."} {
		require.Contains(t, answerForms, form)
		ps, err := Source{File: file, AnswerForm: form}.Load(t.Context())
		require.NoError(t, err)
		for response, want := range map[string]reward.Verdict{response: reward.Correct, "nothing": reward.Wrong} {
			got := scorer.Score(t.Context(), reward.Sample{Response: response, Gold: ps[0].Answer, Meta: ps[0].Meta})
			require.Equal(t, want, got.Verdict, "%s: %s", form, got.Detail)
		}
	}
	require.Len(t, answerForms, 5)
}

func TestAFieldThatHoldsOthersNamesThem(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rows.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(`{"q": "?", "gold": {"target": 2, "solution": "1+1"}}`), 0o600))
	_, err := Source{File: file, Fields: Fields{Prompt: "q", Answer: "gold"}}.Load(t.Context())
	require.ErrorContains(t, err, `field "gold": is neither text nor a number; below it are solution, target`)
	ps, err := Source{File: file, Fields: Fields{Prompt: "q", Answer: "gold.target"}}.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, "2", ps[0].Answer)
}
