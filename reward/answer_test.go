package reward

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestExtract(t *testing.T) {
	for _, c := range []struct{ form, text, want string }{
		{"hash", "23a45=68;68b12=56#56", "56"},
		{"hash", "#1 then #2 ", "2"},
		{"gsm8k", "so 4\n#### 1,234.", "1234"},
		{"gsm8k", "#### $18.00", "18"},
		{"gsm8k", "#### -0.50", "-1/2"},
		{"gsm8k", "#### 18\n#### 19", "18"},
		{"gsm8k", "#### 18 dollars", "18"},
		{"gsm8k", "####18", "18"},
		{"boxed", `a \boxed{1} b \boxed{\frac{3}{6}}.`, "1/2"},
		{"boxed", `\boxed{-\dfrac{1}{2}}`, "-1/2"},
		{"boxed", `\boxed{0.5}`, "1/2"},
		{"boxed", `\boxed{50\%}`, "50"},
		{"boxed", `\boxed{\text{east}}`, "east"},
		{"boxed", `\boxed{(1, 2)}`, "(1,2)"},
		{"boxed", `\boxed{1,2}`, "1,2"},
		{"boxed", `\boxed{12,345}`, "12345"},
		{"boxed", `\boxed{\{1\}} \boxed{2`, `\{1\}`},
		{"boxed", `\boxed{\frac{1}{0}}`, `\frac{1}{0}`},
		{"exact", "  yes \n", "yes"},
	} {
		got, err := Extract(c.form, c.text)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got, c.text)
	}
}

func TestMathIsJudgedByValue(t *testing.T) {
	s, err := New([]PartSpec{{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "math"}}})
	require.NoError(t, err)
	for _, c := range []struct {
		gold, response string
		want           Verdict
	}{
		{`\frac{1}{2}`, `so it is \boxed{0.5}.`, Correct},
		{`2x+2`, `\boxed{2(x+1)}`, Correct},
		{`2x+2`, `\boxed{2x+1}`, Wrong},
		{"12", "There are 12 apples.", Correct},
		{"12", "", Wrong},
		{`\frac{1}{`, `\boxed{1}`, Error},
	} {
		got := s.Score(t.Context(), Sample{Gold: c.gold, Response: c.response, Finished: true})
		require.Equal(t, c.want, got.Verdict, "%q for %q: %+v", c.response, c.gold, got)
	}
}

func TestExtractFindsNothing(t *testing.T) {
	for _, c := range []struct{ form, text string }{
		{"hash", "56"}, {"hash", "56#"}, {"gsm8k", "18"}, {"gsm8k", "#### none"}, {"gsm8k", "### 18"},
		{"gsm8k", "#### 1.2.3"}, {"gsm8k", "#### ."}, {"boxed", "18"}, {"boxed", `\boxed{18`}, {"boxed", `\boxed{}`}, {"exact", " "},
		{"gsm8k", "#### " + strings.Repeat("9", 500)},
	} {
		got, err := Extract(c.form, c.text)
		require.ErrorIs(t, err, errNoAnswer, "%s: %q gave %q", c.form, c.text, got)
	}
}

// The official GSM8K release has 5,276 answers of models with OpenAI's own judgement. Ours must agree, but for answers that are
// the same number written otherwise, which OpenAI's comparison of strings calls wrong.
func TestAgreesWithOfficialGSM8KJudgement(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "shared", "data", "answer_equivalence", "gsm8k_model_answers.jsonl.gz"))
	if err != nil {
		t.Skip("the public data is not beside the repository:", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	s := scorer(t, []PartSpec{{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "gsm8k"}}})
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<22)
	rows, sameNumber := 0, 0
	for lines.Scan() {
		var row struct {
			Gold, Pred string
			Equal      bool
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &row))
		got := s.Score(t.Context(), Sample{Response: "#### " + row.Pred, Gold: row.Gold})
		rows++
		require.NotEqual(t, Error, got.Verdict, got.Detail)
		if (got.Verdict == Correct) != row.Equal {
			gold, _ := parseNumber(row.Gold)
			pred, ok := parseNumber(row.Pred)
			require.True(t, ok && gold == pred && !row.Equal, "gold %q pred %q: %s", row.Gold, row.Pred, got.Verdict)
			sameNumber++
		}
	}
	require.NoError(t, lines.Err())
	require.Equal(t, 5276, rows)
	require.Less(t, sameNumber, 53, "more than one in a hundred differ")
	t.Logf("%d rows, %d the same number in another form", rows, sameNumber)
}

// FuzzExtract holds: no panic, and a found answer is its own normal form.
func FuzzExtract(f *testing.F) {
	for _, s := range []string{"#56", "#### 1,2.", `\boxed{\frac12}`, `\boxed{\text{a}}`, "a\\boxed{{}", `\fbox{3}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, form := range []string{"hash", "gsm8k", "boxed", "exact"} {
			got, err := Extract(form, text)
			if err != nil {
				require.ErrorIs(t, err, errNoAnswer)
				continue
			}
			require.NotEmpty(t, got)
			if form == "hash" || form == "exact" {
				again, err := normalise(form, got)
				require.NoError(t, err)
				require.Equal(t, got, again)
			}
		}
	})
}

// Variations of MATH answers, with what is true by construction or else by math-verify: ours calls none equal that is not.
// It misses many that are (it does no algebra); "28%" for 28 is accepted, as judges of MATH commonly do.
func TestBoxedHasNoFalsePositives(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "shared", "data", "answer_equivalence", "math_gold_variations.jsonl.gz"))
	if err != nil {
		t.Skip("the public data is not beside the repository:", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	s := scorer(t, []PartSpec{{Kind: "correct", Weight: 1, Options: &CorrectOptions{Answer: "boxed"}}})
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<22)
	found := 0
	for lines.Scan() {
		var row struct {
			Gold, Pred, Kind string
			ByConstruction   *bool `json:"by_construction"`
			MathVerify       bool  `json:"math_verify"`
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &row))
		equal := row.MathVerify
		if row.ByConstruction != nil {
			equal = *row.ByConstruction
		}
		got := s.Score(t.Context(), Sample{Response: `\boxed{` + row.Pred + `}`, Gold: row.Gold})
		if got.Verdict == Correct {
			found++
			require.True(t, equal || row.Kind == "int_percent", "%s: %q is not %q", row.Kind, row.Pred, row.Gold)
		}
	}
	require.NoError(t, lines.Err())
	require.Greater(t, found, 1000)
}

// boxedByTrying is lastBoxed in its simplest form: each beginning is tried, the last first.
func boxedByTrying(s string) (string, bool) {
	for end := len(s); end > 0; {
		i := max(strings.LastIndex(s[:end], `\boxed{`), strings.LastIndex(s[:end], `\fbox{`))
		if i < 0 {
			return "", false
		}
		open, depth := i+strings.IndexByte(s[i:], '{'), 0
		for j := open; j < len(s); j++ {
			switch s[j] {
			case '\\':
				j++
			case '{':
				depth++
			case '}':
				if depth--; depth == 0 {
					return s[open+1 : j], true
				}
			}
		}
		end = i
	}
	return "", false
}

func TestLastBoxedIsTheLastThatIsComplete(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{`\boxed{`, `\fbox{`, "{", "}", "}", `\`, `\{`, `\}`, "a", "boxed"})).Draw(rt, "text"), "")
		got, found := lastBoxed(text)
		want, ok := boxedByTrying(text)
		if got != want || found != ok {
			rt.Fatalf("%q: %q %v, want %q %v", text, got, found, want, ok)
		}
	})
}
