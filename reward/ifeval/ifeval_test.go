package ifeval

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func parse(t *testing.T, id, kwargs string) Instruction {
	t.Helper()
	ids, err := json.Marshal([]string{id})
	require.NoError(t, err)
	list, err := Parse(string(ids), "["+kwargs+"]")
	require.NoError(t, err, id)
	return list[0]
}

// examples of every kind: what follows it strictly, what only loosely, and what does not.
var examples = []struct {
	id, kwargs          string
	follows, loose, not []string
}{
	{"change_case:capital_word_frequency", `{"capital_relation": "at least", "capital_frequency": 3}`, []string{"STOP, it is HOT. A"}, nil, []string{"STOP it is HOT", "stop"}},
	{"change_case:capital_word_frequency", `{"capital_relation": "less than", "capital_frequency": 3}`, []string{"I DO", "Ab aB"}, []string{"A B C\nd"}, []string{"DON'T I"}},
	{"change_case:english_capital", `{}`, []string{"THE CAT IS ON THE MAT."}, []string{"Sure:\nTHE CAT IS ON THE MAT."}, []string{"THE CAT IS ON THE mat.", "DIE KATZE IST AUF DER MATTE UND DAS IST NICHT GUT."}},
	{"change_case:english_lowercase", `{}`, []string{"the cat is on the mat."}, []string{"Sure:\nthe cat is on the mat."}, []string{"The cat is on the mat."}},
	{"combination:repeat_prompt", `{"prompt_to_repeat": "Say hello. "}`, []string{" say hello.\n\nHello"}, []string{"Yes.\nSay hello. Hello", "**Say hello.** Hello"}, []string{"Hello"}},
	{"combination:two_responses", `{}`, []string{"a ****** b", "******a******b"}, nil, []string{"a", "a******a", "a******b******c", "a************b"}},
	{"detectable_content:number_placeholders", `{"num_placeholders": 2}`, []string{"[a] and [b]"}, nil, []string{"[a] and [b", "[a\n] [c]"}},
	{"detectable_content:postscript", `{"postscript_marker": "P.S."}`, []string{"Bye.\np. s. more"}, nil, []string{"Bye. PS"}},
	{"detectable_content:postscript", `{"postscript_marker": "P.P.S"}`, []string{"P.P.S and"}, nil, []string{"P.S. and"}},
	{"detectable_format:constrained_response", `{}`, []string{"My answer is maybe."}, []string{"My answer is *no*."}, []string{"My answer is perhaps."}},
	{"detectable_format:json_format", `{}`, []string{`{"a": [1]}`, "```json\n[]\n```", "7"}, []string{"Here:\n{}"}, []string{"{a: 1}", "x"}},
	{"detectable_format:multiple_sections", `{"section_spliter": "Day", "num_sections": 2}`, []string{"Day 1\na\nDay2 b"}, nil, []string{"Day 1", "day 1 day 2"}},
	{"detectable_format:number_bullet_lists", `{"num_bullets": 2}`, []string{"* a\n* b", " - a\n* b\n**c**"}, []string{"* a\n* b\n* c"}, []string{"* a", "a - b"}},
	{"detectable_format:number_highlighted_sections", `{"num_highlights": 2}`, []string{"*a* and **b**", "*a* *b*"}, nil, []string{"*a*", "** **"}},
	{"detectable_format:title", `{}`, []string{"<<A poem>>\nx"}, nil, []string{"<A poem>", "<< >>", "<<A\npoem>>"}},
	{"keywords:existence", `{"keywords": ["Cat", "mat"]}`, []string{"cats on a MAT"}, []string{"c*a*t m*a*t"}, []string{"cats"}},
	{"keywords:forbidden_words", `{"forbidden_words": ["cat", "was"]}`, []string{"concatenate wasp"}, []string{"The cat:\nnothing"}, []string{"a Cat.", "it WAS"}},
	{"keywords:frequency", `{"keyword": "cat", "relation": "at least", "frequency": 2}`, []string{"Cat, concatenate"}, nil, []string{"cat"}},
	{"keywords:frequency", `{"keyword": "cat", "relation": "less than", "frequency": 2}`, []string{"cat"}, []string{"cat\ncat"}, []string{"cat cat"}},
	{"keywords:letter_frequency", `{"letter": "Z", "let_relation": "at least", "let_frequency": 2}`, []string{"zebra jazz"}, nil, []string{"zoo"}},
	{"keywords:letter_frequency", `{"letter": "#", "let_relation": "less than", "let_frequency": 2}`, []string{"# a"}, []string{"## a\nb"}, []string{"## a"}},
	{"language:response_language", `{"language": "de"}`, []string{"Die Katze ist auf der Matte."}, nil, []string{"The cat is on the mat."}},
	{"length_constraints:nth_paragraph_first_word", `{"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Then"}`, []string{"a\n\n\"then, b"}, nil, []string{"a\n\nb", "a\n\nthen\n\nc\nd", "then"}},
	{"length_constraints:number_paragraphs", `{"num_paragraphs": 2}`, []string{"a\n***\nb", "*** a *** b"}, nil, []string{"a", "a ****** b"}},
	{"length_constraints:number_sentences", `{"num_sentences": 3, "relation": "at least"}`, []string{"Go! Dr. Smith is here. Is he?"}, nil, []string{"Dr. Smith is 3.5 years old. So?"}},
	{"length_constraints:number_sentences", `{"num_sentences": 2, "relation": "less than"}`, []string{"One"}, []string{"One.\nTwo."}, []string{"One. Two."}},
	{"length_constraints:number_words", `{"num_words": 3, "relation": "at least"}`, []string{"a b-c"}, nil, []string{"a, b!"}},
	{"length_constraints:number_words", `{"num_words": 3, "relation": "less than"}`, []string{"a, b!"}, []string{"a b\nc"}, []string{"a b c"}},
	{"punctuation:no_comma", `{}`, []string{"a; b"}, []string{"a, b\nc"}, []string{"a, b"}},
	{"startend:end_checker", `{"end_phrase": "Any questions?"}`, []string{"So. any questions?\"\n"}, []string{"So. **Any questions?**"}, []string{"Any questions? No"}},
	{"startend:quotation", `{}`, []string{` "a b" `}, []string{"Sure:\n\"a\""}, []string{`"`, `"a`, "'a'"}},
}

func TestEveryKind(t *testing.T) {
	var seen []string
	for _, e := range examples {
		in := parse(t, e.id, e.kwargs)
		seen = append(seen, e.id)
		for _, s := range e.follows {
			require.True(t, in.Follows(s), "%s %s: %q", e.id, e.kwargs, s)
			require.True(t, in.FollowsLoosely(s), "%s: %q", e.id, s)
		}
		for _, s := range e.loose {
			require.False(t, in.Follows(s), "%s: %q", e.id, s)
			require.True(t, in.FollowsLoosely(s), "%s: %q", e.id, s)
		}
		for _, s := range append(e.not, "", " \n") {
			require.False(t, in.Follows(s), "%s: %q", e.id, s)
			require.False(t, in.FollowsLoosely(s), "%s: %q", e.id, s)
		}
	}
	slices.Sort(seen)
	require.Equal(t, Kinds(), slices.Compact(seen))
	require.Len(t, Kinds(), 25)
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	for says, c := range map[string][2]string{
		"instruction_id_list is no JSON list":             {"x", "[]"},
		"instruction_id_list is empty":                    {"[]", "[]"},
		"kwargs is no JSON list":                          {`["punctuation:no_comma"]`, "{}"},
		"has 1 ids, kwargs has 2":                         {`["punctuation:no_comma"]`, "[{}, {}]"},
		"no_coma: unknown; known: change_case":            {`["punctuation:no_coma"]`, "[{}]"},
		"num_words: must be given":                        {`["length_constraints:number_words"]`, `[{"relation": "at least"}]`},
		"num_words: must not be negative":                 {`["length_constraints:number_words"]`, `[{"relation": "at least", "num_words": -1}]`},
		`relation: unknown "at most"`:                     {`["length_constraints:number_words"]`, `[{"relation": "at most", "num_words": 1}]`},
		"letter: must be one character":                   {`["keywords:letter_frequency"]`, `[{"letter": "ab", "let_relation": "at least", "let_frequency": 1}]`},
		"keywords: must be given":                         {`["keywords:existence"]`, `[{"keywords": null}]`},
		"end_phrase: must not be empty":                   {`["startend:end_checker"]`, `[{"end_phrase": " "}]`},
		"language: xx is not one":                         {`["language:response_language"]`, `[{"language": "xx"}]`},
		"nth_paragraph: must be from 1 to num_paragraphs": {`["length_constraints:nth_paragraph_first_word"]`, `[{"num_paragraphs": 1, "nth_paragraph": 2, "first_word": "a"}]`},
		"cannot unmarshal":                                {`["length_constraints:number_words"]`, `[{"num_words": "many"}]`},
	} {
		_, err := Parse(c[0], c[1])
		require.ErrorContains(t, err, says)
	}
}

func TestSentences(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, " ": 0, "a": 1, "One. Two.": 2, "One.Two": 1, "Mr. Smith is in the U.S. today. Yes.": 2, "It is 3.5 m. The end.": 2, "What?! No...": 2, "Wait... then go.": 1,
		"He said \"Stop.\" Then he left.": 2, "See J. Smith (p. 3). Or not!": 2, "1. One\n2. Two": 3, "e.g. this": 1, "So (really.) Yes": 2, "etc. The next": 2,
	} {
		require.Equal(t, want, Sentences(text), text)
	}
}

func TestLanguage(t *testing.T) {
	body, err := os.ReadFile("testdata/languages.json") // one sentence in each of IFEval's languages; langdetect 1.0.9 finds them all too
	require.NoError(t, err)
	var texts map[string]string
	require.NoError(t, json.Unmarshal(body, &texts))
	require.Len(t, texts, 30)
	for want, text := range texts {
		require.Equal(t, want, Language(text), text)
		require.True(t, known(want))
	}
	for _, none := range []string{"", "12 + 3 = 15!", "\xff\xfe"} {
		require.Empty(t, Language(none))
	}
}

// The published prompts are not part of the repository; TEMPER_SHARED_DATA names their folder.
func TestPublishedPrompts(t *testing.T) {
	dir := os.Getenv("TEMPER_SHARED_DATA")
	if dir == "" {
		dir = "/work/shared/data"
	}
	f, err := os.Open(filepath.Join(dir, "ifeval", "ifeval_input_data.jsonl"))
	if err != nil {
		t.Skip("the data is not here: ", err)
	}
	defer f.Close()
	prompts, seen := 0, map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); prompts++ {
		var row struct {
			Prompt string
			IDs    json.RawMessage `json:"instruction_id_list"`
			Kwargs json.RawMessage `json:"kwargs"`
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &row))
		list, err := Parse(string(row.IDs), string(row.Kwargs))
		require.NoError(t, err, row.Prompt)
		for _, in := range list {
			seen[in.ID] = true
			require.False(t, in.Follows(""))
		}
	}
	require.Equal(t, 541, prompts)
	require.Len(t, seen, 25)
}

func TestLongResponses(t *testing.T) {
	start := time.Now()
	for _, long := range []string{
		strings.Repeat("A. b ", 1<<18), strings.Repeat("*", 1<<20), strings.Repeat("<<", 1<<19), strings.Repeat("[", 1<<20), strings.Repeat("\n ", 1<<19), strings.Repeat("\xff", 1<<20),
		strings.Repeat("... ", 1<<18), strings.Repeat("* \n", 1<<18), strings.Repeat(" ", 1<<20) + "x", strings.Repeat("cat", 1<<18), strings.Repeat(".)", 1<<19), strings.Repeat("[1", 1<<16),
	} {
		for _, e := range examples {
			parse(t, e.id, e.kwargs).Follows(long)
		}
	}
	t.Log(time.Since(start))
	require.Less(t, time.Since(start), 3*time.Minute)
}

func FuzzFollows(f *testing.F) {
	for _, e := range examples {
		f.Add(e.id, e.kwargs, e.follows[0])
	}
	f.Fuzz(func(t *testing.T, id, kwargs, response string) {
		ids, err := json.Marshal([]string{id})
		require.NoError(t, err)
		list, err := Parse(string(ids), "["+kwargs+"]")
		if err != nil {
			return
		}
		for _, in := range list {
			if in.Follows(response) {
				require.True(t, in.FollowsLoosely(response))
			}
		}
	})
}
