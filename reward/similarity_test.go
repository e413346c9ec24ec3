package reward

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Values of rouge-score 0.1.2 and sacrebleu 2.6.0 for these texts; package overlap has more.
func TestOverlapWithTheGoldAnswer(t *testing.T) {
	x := Sample{Gold: "the cat sat on the mat.", Response: "<think>the cat sat on the mat.</think> the cat is on a mat. <a>the cat</a>"}
	for _, c := range []struct {
		kind string
		o    Options
		want float64
	}{
		{"rouge", nil, 0.5}, {"rouge", &RougeOptions{Variant: "rouge1"}, 0.625}, {"rouge", &RougeOptions{Variant: "rouge2", Tag: "a"}, 1.0 / 3}, {"rouge", &RougeOptions{Tag: "b"}, 0},
		{"bleu", &BLEUOptions{Tag: "a"}, 0.08208499862389884}, {"chrf", &ChrFOptions{Tag: "a"}, 0.2563978622616093}, {"chrf", &ChrFOptions{Tag: "a", WordOrder: 2}, 0.25920477910158174},
	} {
		require.InDelta(t, c.want, value(t, PartSpec{Kind: c.kind, Options: c.o}, x), 1e-9, "%s %+v", c.kind, c.o)
	}
	for _, kind := range []string{"rouge", "bleu", "chrf", "next_segment", "exploration"} {
		require.InDelta(t, 1, value(t, PartSpec{Kind: kind}, Sample{Gold: "four words are here", Response: map[bool]string{true: "<answer>four words are here</answer>", false: "four words are here"}[kind == "exploration"]}), 1e-12, kind)
		got := scorer(t, []PartSpec{{Kind: kind, Weight: 1}}).Score(t.Context(), Sample{Response: "a"})
		require.Equal(t, Error, got.Verdict)
		require.Contains(t, got.Detail, "no gold answer")
	}
	require.ErrorContains(t, PartSpec{Kind: "rouge", Options: &RougeOptions{Variant: "rouge3"}}.Validate(), `variant: unknown "rouge3"`)
	require.ErrorContains(t, PartSpec{Kind: "chrf", Options: &ChrFOptions{WordOrder: 5, Tag: "<"}}.Validate(), "word_order: must be from 0 to 4")
}

func TestNextSegment(t *testing.T) {
	gold := "The river rises in the hills. It then flows to the sea, slowly."
	for _, c := range []struct {
		o        NextSegmentOptions
		response string
		want     float64
	}{
		{NextSegmentOptions{}, gold, 1}, {NextSegmentOptions{}, "the river rises in the hills", 1}, {NextSegmentOptions{}, "the river runs in the hills", 5.0 / 6},
		{NextSegmentOptions{}, "the", 0.2}, {NextSegmentOptions{MinWords: 1}, "the", 1}, {NextSegmentOptions{}, "", 0}, {NextSegmentOptions{}, gold + " Or so.", 13.0 / 15},
		{NextSegmentOptions{AtLeast: 0.8}, "the river runs in the hills", 1}, {NextSegmentOptions{AtLeast: 0.9}, "the river runs in the hills", 0},
		{NextSegmentOptions{}, "It then flows to the sea", 1.0 / 6}, {NextSegmentOptions{Tag: "next"}, "hm <next>The river rises in the hills</next>", 1},
	} {
		require.InDelta(t, c.want, value(t, PartSpec{Kind: "next_segment", Options: &c.o}, Sample{Gold: gold, Response: c.response}), 1e-12, "%+v %s", c.o, c.response)
	}
	require.ErrorContains(t, PartSpec{Kind: "next_segment", Options: &NextSegmentOptions{AtLeast: 2, MinWords: -1}}.Validate(), "at_least: must be from 0 to 1")
}

func TestExploration(t *testing.T) {
	for _, c := range []struct {
		response string
		want     float64
	}{
		{"<answer>5</answer>", 1}, {"<answer>4</answer>", -1}, {"<answer>4</answer><answer>5</answer>", 0.5}, {"<answer>5</answer> or <answer>4</answer>", 0.7071067811865475},
		{"<answer>1</answer><answer>2</answer>", -0.5}, {"<answer>5</answer><answer>5</answer>", -1}, {"5", -1}, {"<answer>5", -1}, {"", -1}, {strings.Repeat("<answer>5</answer>", 1<<15), -1},
		{"<answer>5", -1}, {"<answer>x</answer><answer>$5.0</answer>", 0.5},
	} {
		spec := PartSpec{Kind: "exploration", Options: &ExplorationOptions{Answer: "boxed"}}
		x := Sample{Gold: "5", Response: strings.NewReplacer("<answer>", `<answer>\boxed{`, "</answer>", "}</answer>").Replace(c.response)}
		require.InDelta(t, c.want, value(t, spec, x), 1e-12, c.response)
	}
	require.InDelta(t, 1, value(t, PartSpec{Kind: "exploration", Options: &ExplorationOptions{Tag: "a"}}, Sample{Gold: "x y", Response: "<a> x y </a>"}), 0)
}

// Values of calculate_point_reward(...)["accuracy"] of InfiXAI/InfiGUI-G1 (recipe/infigui-g1/reward_fn.py) for these texts.
func TestExplorationOfPoints(t *testing.T) {
	spec := PartSpec{Kind: "exploration", Options: &ExplorationOptions{Points: true}}
	for response, want := range map[string]float64{
		`[{"point_2d": [1, 2]}]`: 1, `[{"point_2d": [11, 2]}]`: -1, `[{"point_2d": [11, 2]}, {"point_2d": [3, 2]}]`: 0.5, `[{"point_2d": [5, 1]}, {"point_2d": [5, 7]}]`: 0.7071067811865475,
		`x [{"point_2d": [11, 2]}, {"point_2d": [3, 20]}, {"point_2d": [4, 5.5]}] y`: 0.3333333333333333, `[{"point_2d": [11, 2]}, {"point_2d": [3, 20]}, {"point_2d": [4, 50.5]}]`: -0.3333333333333333,
		`[{"point_2d": [1, 1]}, {"point_2d": [2, 2]}, {"point_2d": [3, 3]}]`: -1, `[]`: -1, `none`: -1, `[{"point": [1,2]}]`: -1, `[{"point_2d": [1,2,3]}]`: -1, `[[[[`: -1,
	} {
		x := Sample{Gold: `{"x1": 0, "y1": 0, "x2": 10, "y2": 10}`, Response: "<think>[</think>" + response}
		require.InDelta(t, want, value(t, spec, x), 1e-12, response)
	}
	got := scorer(t, []PartSpec{{Kind: "exploration", Weight: 1, Options: spec.Options}}).Score(t.Context(), Sample{Gold: `{"x1": 0}`, Response: "[]"})
	require.Contains(t, got.Detail, "is no box")
	require.ErrorContains(t, PartSpec{Kind: "exploration", Options: &ExplorationOptions{Points: true, Tag: "a"}}.Validate(), "points: goes without")
}
