package reward

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTags(t *testing.T) {
	const good = " <think>a</think>\n<answer>b</answer> "
	for _, c := range []struct {
		o    TagsOptions
		text string
		want float64
	}{
		{TagsOptions{}, good, 1}, {TagsOptions{}, "", 0}, {TagsOptions{}, "x" + good, 0}, {TagsOptions{}, good + "x", 0},
		{TagsOptions{}, "<answer>b</answer><think>a</think>", 0}, {TagsOptions{}, "<think>a<answer>b</answer></think>", 0},
		{TagsOptions{}, "<think>a</think><answer>b</answer><answer>c</answer>", 0}, {TagsOptions{}, "</think>a<think><answer>b</answer>", 0},
		{TagsOptions{Around: true}, "x <think>a</think> y <answer>b</answer> z", 1}, {TagsOptions{Around: true}, "<think>a</think> b", 0},
		{TagsOptions{Graded: true}, "<think>a</think><answer>", 0.75}, {TagsOptions{Graded: true}, "<think><think></think>", 0.25},
		{TagsOptions{Names: []string{"a"}}, "<a></a>", 1},
	} {
		require.InDelta(t, c.want, value(t, PartSpec{Kind: "tags", Options: &c.o}, Sample{Response: c.text}), 1e-12, "%+v %s", c.o, c.text)
	}
	for says, o := range map[string]TagsOptions{
		`"a b" is no name`: {Names: []string{"a b"}}, `"a" is given twice`: {Names: []string{"a", "a"}}, "what graded allows": {Graded: true, Around: true},
	} {
		require.ErrorContains(t, PartSpec{Kind: "tags", Options: &o}.Validate(), says)
	}
}

func TestJudgedText(t *testing.T) {
	for _, c := range []struct {
		tag, response, want string
		found               bool
	}{
		{"", "a", "a", true}, {"", "a</think>b</think> c", " c", true}, {"x", "<x>1</x><x>2</x>", "2", true}, {"x", "<x>1", "", false}, {"x", "1", "", false},
	} {
		got, found := judgedText(c.response, c.tag)
		require.Equal(t, c.found, found, c.response)
		if found {
			require.Equal(t, c.want, got)
		}
	}
}

// DAPO, equation 13, with L_max 20 and L_cache 4.
func TestOverlong(t *testing.T) {
	spec := PartSpec{Kind: "length", Options: &LengthOptions{Shape: "overlong", Buffer: 4}}
	for tokens, want := range map[int]float64{0: 0, 16: 0, 17: -0.25, 18: -0.5, 20: -1, 30: -1} {
		require.InDelta(t, want, value(t, spec, Sample{Tokens: tokens, MaxTokens: 20}), 1e-12, "%d tokens", tokens)
	}
	got := scorer(t, []PartSpec{spec}).Score(t.Context(), Sample{Tokens: 1, MaxTokens: 3})
	require.Equal(t, Error, got.Verdict)
	require.Contains(t, got.Detail, "buffer 4 is above")
	for says, o := range map[string]LengthOptions{
		"goes with shape overlong": {Target: 3, Buffer: 1}, "must be above 0 for shape overlong": {Shape: "overlong"}, "buffer: is above max": {Shape: "overlong", Buffer: 3, Max: 2},
	} {
		require.ErrorContains(t, PartSpec{Kind: "length", Options: &o}.Validate(), says)
	}
}

func TestBrier(t *testing.T) {
	s := scorer(t, []PartSpec{{Kind: "brier", Weight: 1}, {Kind: "correct", Weight: 0, Options: &CorrectOptions{Answer: "gsm8k"}}})
	for text, want := range map[string]float64{
		"#### 5 <confidence>0.8</confidence>": 0.96, "#### 4 <confidence>0.8</confidence>": 0.36, "#### 5": 0, "#### 4": 0,
		"#### 5 <confidence>100%</confidence>": 1, "#### 4 <confidence>0</confidence>": 1, "<confidence>0.5</confidence>": 0.75, "#### 4 <confidence>7</confidence>": 0,
	} {
		got := s.Score(t.Context(), Sample{Response: text, Gold: "5"})
		require.InDelta(t, want, got.Reward, 1e-12, text)
		require.InDelta(t, want, got.Parts["brier"], 1e-12, text)
	}
	require.Equal(t, Error, s.Score(t.Context(), Sample{Response: "#### 5"}).Verdict, "without a gold answer there is no verdict to be calibrated by")
	_, err := New([]PartSpec{{Kind: "distinct"}, {Kind: "brier", Weight: 1}})
	require.ErrorContains(t, err, "part 2: reward: brier: needs a part beside it that decides")
	var of *PartError
	require.ErrorAs(t, err, &of)
	require.Equal(t, 1, of.Index)
}

func TestCost(t *testing.T) {
	x := Sample{Response: "a b c", Tokens: 10, Meta: map[string]string{"calls": " 3 ", "bad": "many", "nan": "NaN"}}
	for _, c := range []struct {
		o    CostOptions
		want float64
	}{
		{CostOptions{Tokens: 0.5}, 5}, {CostOptions{Words: 2, Meta: map[string]float64{"calls": -1}}, 3}, {CostOptions{Tokens: 1, Limit: 4}, 6}, {CostOptions{Tokens: 1, Limit: 40}, 0},
	} {
		require.InDelta(t, c.want, value(t, PartSpec{Kind: "cost", Options: &c.o}, x), 1e-12, "%+v", c.o)
	}
	for _, name := range []string{"bad", "nan", "absent"} {
		s := scorer(t, []PartSpec{{Kind: "cost", Weight: 1, Options: &CostOptions{Meta: map[string]float64{name: 1}}}})
		require.Contains(t, s.Score(t.Context(), x).Detail, "no number")
	}
	require.ErrorContains(t, PartSpec{Kind: "cost"}.Validate(), "nothing costs anything")
	require.ErrorContains(t, PartSpec{Kind: "cost", Options: &CostOptions{Tokens: 1, Limit: -1}}.Validate(), "limit: must be finite and not negative")
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct {
		scripts          []string
		prompt, response string
		want             float64
	}{
		{[]string{"Latin"}, "", "abc дом", 0.5}, {[]string{"Latin", "Cyrillic"}, "", "abc дом", 1}, {[]string{"Han"}, "", "答案 is $\\frac{1}{2}$", 0.5},
		{nil, "How many?", "Forty-two, é", 1}, {nil, "How many?", "сорок", 0}, {nil, "Сколько?", "сорок два", 1}, {nil, "How?", "42 = 6·7", 1}, {nil, "How?", " \n", 0},
		{nil, "これはペンですか、漢字漢字漢字漢字", "はい漢字", 1}, {nil, "这是什么", "これ是", 1.0 / 3}, {nil, "이것은", "물 水", 1}, {nil, "What is \\alpha 水?", "water", 1},
	} {
		got := value(t, PartSpec{Kind: "language", Options: &LanguageOptions{Scripts: c.scripts}}, Sample{Prompt: c.prompt, Response: c.response})
		require.InDelta(t, c.want, got, 1e-12, "%+v", c)
	}
	s := scorer(t, []PartSpec{{Kind: "language", Weight: 1}})
	require.Contains(t, s.Score(t.Context(), Sample{Prompt: "1+1=", Response: "two"}).Detail, "no letters")
	require.ErrorContains(t, PartSpec{Kind: "language", Options: &LanguageOptions{Scripts: []string{"English"}}}.Validate(), `unknown "English"`)
	start := time.Now()
	long := strings.Repeat("ab дом \xff\\", 1<<17)
	require.InDelta(t, 0, value(t, PartSpec{Kind: "language"}, Sample{Prompt: long, Response: "水"}), 1e-12)
	require.Less(t, time.Since(start), 10*time.Second)
}
