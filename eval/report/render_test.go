package report

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"temper/eval"
)

// hostile is a report whose every free text is the same.
func hostile(text string) *Document {
	return &Document{Run: text, Pipeline: "p", Seeds: []uint64{1},
		Models:  []Model{{Name: text, N: 1, PassAt: map[int]float64{1: 0.5}, CI95: map[int][2]float64{1: {0, 1}}}},
		SwS:     &SwS{Stage: "s", Before: text, After: "b", Evaluation: "e", Concepts: []Concept{{Concept: text, Failure: 0.5}}},
		Samples: []Sample{{ID: text, Prompt: text, Responses: []Response{{Model: text, Response: text, Judged: 1}}}},
		Stages:  []Stage{{ID: text, Kind: "rl", Summary: text, Curve: &Curve{Rounds: 1, Series: []Series{{Name: text, Points: [][2]float64{{0, 1}}}}}}},
	}
}

func TestHTMLEscapes(t *testing.T) {
	page, err := hostile(`<script>alert(1)</script>"><img src=x onerror=alert(1)>`).HTML()
	require.NoError(t, err)
	text := string(page)
	require.NotContains(t, text, "<script")
	require.NotContains(t, text, "<img")
	require.NotContains(t, text, "http://")
	require.NotContains(t, text, "https://", "the page loads nothing")
	require.Contains(t, text, "&lt;script&gt;")
}

// The page is well-formed XML but for the doctype and its void elements, whatever stands in it.
func TestHTMLIsWellFormed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		page, err := hostile(rapid.StringOf(rapid.RuneFrom([]rune("a<>&\"'`|\n #=/-"))).Draw(rt, "text")).HTML()
		if err != nil {
			rt.Fatal(err)
		}
		dec := xml.NewDecoder(strings.NewReader(string(page)))
		dec.Strict, dec.AutoClose, dec.Entity = false, []string{"meta"}, xml.HTMLEntity
		depth := 0
		for {
			token, err := dec.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				rt.Fatalf("%v in\n%s", err, page)
			}
			switch e := token.(type) {
			case xml.StartElement:
				depth++
				for _, a := range e.Attr {
					if strings.HasPrefix(strings.ToLower(a.Name.Local), "on") {
						rt.Fatalf("attribute %s", a.Name.Local)
					}
				}
			case xml.EndElement:
				depth--
			}
		}
		if depth != 0 {
			rt.Fatalf("%d elements are not closed", depth)
		}
	})
}

// Text of a model cannot leave its block: an own reader of fences finds each text whole, and the headings that the report has.
func TestMarkdownKeepsTextInItsPlace(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("a<`|\n#~ "))).Draw(rt, "text")
		md := hostile(text).Markdown()
		var blocks []string
		var headings int
		fence := ""
		for _, line := range strings.Split(md, "\n") {
			switch {
			case fence == "" && strings.TrimLeft(line, "`") == "text":
				fence = strings.TrimSuffix(line, "text")
				blocks = append(blocks, "")
			case fence != "" && line == fence:
				fence = ""
			case fence != "":
				blocks[len(blocks)-1] += line + "\n"
			case strings.HasPrefix(line, "#"):
				headings++
			}
		}
		want := strings.TrimRight(text, "\n") + "\n"
		if len(blocks) != 2 || blocks[0] != want || blocks[1] != want || headings != 5 {
			rt.Fatalf("%d headings, blocks %q in\n%s", headings, blocks, md)
		}
	})
}

func TestTextSteersNoTerminal(t *testing.T) {
	text := hostile("a\x1b[2Jb\x07\u202ec\rd").Text()
	require.NotContains(t, text, "\x1b")
	require.NotContains(t, text, "\u202e")
	require.NotContains(t, text, "\r")
	require.Contains(t, text, "a[2Jbcd")
}

func TestWrap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-zé]{1,12}`), 1, 60).Draw(rt, "words")
		got := wrap(strings.Join(words, " "), "  ")
		if strings.Join(strings.Fields(got), " ") != strings.Join(words, " ") {
			rt.Fatalf("words were lost: %q", got)
		}
		for _, line := range strings.Split(got, "\n") {
			if len([]rune(line)) > textWidth {
				rt.Fatalf("%q is too long", line)
			}
		}
	})
}

func TestWords(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1500: "-1,500"} {
		require.Equal(t, want, grouped(n))
	}
	for seconds, want := range map[float64]string{0: "-", 0.42: "0.4 s", 9.96: "10 s", 59.4: "59 s", 59.6: "1 min 00 s", 200: "3 min 20 s", 3599.7: "1 h 00 min", 3900: "1 h 05 min"} {
		require.Equal(t, want, duration(seconds))
	}
	require.Equal(t, "1 problem", plural(1, "problem"))
	require.Equal(t, "a against b in pass@1: +5.0 points, 95% interval [-1.0, +11.0], p < 0.001 (paired bootstrap over 1,200 problems).",
		difference("a", "b", &eval.Paired{N: 1200, Difference: 0.05, CI95: [2]float64{-0.01, 0.11}, P: 0.0005}))
	require.Contains(t, difference("a", "b", &eval.Paired{P: 0.25}), "p = 0.250")
}

func TestNatural(t *testing.T) {
	for _, c := range [][2]string{{"2", "10"}, {"10", "a"}, {"a", "b"}, {"02", "2"}} {
		require.Negative(t, natural(c[0], c[1]))
		require.Positive(t, natural(c[1], c[0]))
	}
}

func TestChartStaysInItsFrame(t *testing.T) {
	flat := draw(Series{Name: "reward", Points: [][2]float64{{3, 0.5}}}, []int{1, 3})
	require.Equal(t, "52.0,69.0", flat.Points)
	require.Equal(t, "M52.0 130v-6", flat.Marks, "round 1 is outside")
	two := draw(Series{Name: "reward", Points: [][2]float64{{0, -1}, {10, 1}}}, nil)
	require.Equal(t, "52.0,130.0 312.0,8.0", two.Points)
	require.Equal(t, "reward, at last 1", two.Label)
}
