package tokenizer

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The long s, which the reference's engine folds to s and regexp2 does not, is spelled out.
const foldedS = `'ſ|`

var families = []struct {
	name, pattern string
	oracle        string
}{
	{"gpt2", gpt2Pattern, gpt2Pattern},
	{"qwen2", qwen2Pattern, foldedS + qwen2Pattern},
	{"llama3", llama3Pattern, foldedS + llama3Pattern},
}

// checkScanners holds the scanners equal to regexp2 on one text.
func checkScanners(t interface{ Fatalf(string, ...any) }, oracles []finder, text string) {
	for i, f := range families {
		got, want := scan(text, scanners[f.pattern]), oracles[i](text)
		if !slices.Equal(got, want) {
			t.Fatalf("%s: %q: got %v, want %v", f.name, text, got, want)
		}
	}
}

func oracles(t testing.TB) []finder {
	t.Helper()
	var out []finder
	for _, f := range families {
		find, err := slowFinder(f.oracle)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, find)
	}
	return out
}

// scanRunes are the characters that the patterns tell apart, and some of each other kind.
var scanRunes = []rune("'stremvldSTREMVLDſK aZé你ß0129²Ⅷ٣ \t\r\n\v\f\u0085\u00a0\u2028\u3000\u200b.,!-_()<>😀\u0301\x00\x1c")

func TestScanners(t *testing.T) {
	find := oracles(t)
	for _, text := range []string{"", "'", "'S 'ſ 'LLama we'll", "a  b\n\n c \n", "  \r\n\t x", "12345 ²³ x1y2", "\u00a0\u00a0a", " '\n\n'", "..\n \n.."} {
		checkScanners(t, find, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		checkScanners(t, find, string(rapid.SliceOfN(rapid.SampledFrom(scanRunes), 0, 30).Draw(t, "text")))
	})
}

func FuzzScanners(f *testing.F) {
	find := oracles(f)
	f.Add("I'll have 12,345.67 \n\n of  them")
	f.Fuzz(func(t *testing.T, text string) {
		checkScanners(t, find, string([]rune(text))) // valid UTF-8, as Encode makes it
	})
}

func TestTranslateWord(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          [][2]int
	}{
		{`\w+`, "a_1²ⓐ-e\u0301 ٣", [][2]int{{0, 8}, {9, 12}, {13, 15}}},
		{`\W`, "a-ⓐ", [][2]int{{1, 2}}},
		{`[\w-]+`, "a-ⓐ b", [][2]int{{0, 5}, {6, 7}}},
		{`[^\w]`, "a- ", [][2]int{{1, 2}, {2, 3}}},
		{`\\w`, `a\w`, [][2]int{{1, 3}}},
		{`^a`, "a\na", [][2]int{{0, 1}, {2, 3}}},
		{`x*`, "axxb", [][2]int{{1, 3}}},
	} {
		find, err := slowFinder(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		if got := find(test.text); !slices.Equal(got, test.want) {
			t.Errorf("%s in %q: got %v, want %v", test.pattern, test.text, got, test.want)
		}
	}
	for _, pattern := range []string{`[\W]`, `(`, `a++`} {
		if _, err := slowFinder(pattern); err == nil {
			t.Errorf("%s: no error", pattern)
		}
	}
}
