package reward

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func editOf(path, search, replace string) string {
	return "```python\n### " + path + "\n<<<<<<< SEARCH\n" + search + "\n=======\n" + replace + "\n>>>>>>> REPLACE\n```"
}

func solved(blocks ...string) string {
	return "<think>\nso\n</think>\n<solution>\n" + strings.Join(blocks, "\n") + "\n</solution>"
}

// Values of calculate_search_replace_reward of facebookresearch/swe-rl (src/swerl/core/reward.py, Python 3.11) for these texts.
func TestPatchOfEdits(t *testing.T) {
	files, err := json.Marshal(map[string]string{"a.py": "def area(w, h):\n    return w + h\n\n\ndef edge(w):\n    return 4 * w\n", "b.py": "LIMIT = 3\n"})
	require.NoError(t, err)
	gold, err := json.Marshal(map[string]string{"a.py": "def area(w, h):\n    return w * h\n\n\ndef edge(w):\n    return 4 * w\n", "b.py": "LIMIT = 5\n"})
	require.NoError(t, err)
	x := Sample{Gold: string(gold), Meta: map[string]string{"files": string(files)}}
	a, b := editOf("a.py", "    return w + h", "    return w * h"), editOf("b.py", "LIMIT = 3", "LIMIT = 5")
	for name, c := range map[string]struct {
		response string
		want     float64
	}{
		"all": {solved(a, b), 1}, "one of two": {solved(a), 0.5}, "near": {solved(editOf("a.py", "    return w + h", "    return h * w"), b), 0.9883720930232558},
		"another file too": {solved(a, b, editOf("c.py", "", "x = 1")), 0.6666666666666666}, "more lines": {solved(editOf("b.py", "LIMIT = 3", "LIMIT = 4\nMORE = 1")), 0.41025641025641024},
		"no blocks": {solved("LIMIT = 5"), -1}, "no solution": {"<think>x</think>" + a, -1}, "no thought": {strings.Replace(solved(a), "so", "", 1), -1},
		"nothing changes": {solved(editOf("b.py", "LIMIT = 3", "LIMIT = 3")), -1}, "not found": {solved(editOf("b.py", "LIMIT = 4", "LIMIT = 5")), -1},
		"indentation": {solved(editOf("a.py", "return w + h", "return w * h")), -1}, "empty": {"", -1}, "two solutions": {solved(a) + solved(b), -1},
		"grows without bound": {solved(editOf("c.py", "", strings.Repeat("\n", 1<<11)), editOf("c.py", "", strings.Repeat("x", 1<<12))), -1},
	} {
		x.Response = c.response
		require.InDelta(t, c.want, value(t, PartSpec{Kind: "patch"}, x), 1e-12, name)
	}
	for says, bad := range map[string]Sample{"no JSON object of texts": {Gold: "{}", Response: solved(a)}, "the gold answer is no JSON": {Meta: x.Meta, Response: solved(a)}} {
		got := scorer(t, []PartSpec{{Kind: "patch", Weight: 1}}).Score(t.Context(), bad)
		require.Equal(t, Error, got.Verdict)
		require.Contains(t, got.Detail, says)
	}
}

// Values of calculate_reward_unidiff of the same program, with unidiff 1.0.1's reading of the patches.
func TestPatchOfDiffs(t *testing.T) {
	one := "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@ def f():\n a\n-b\n+c\n"
	git := "diff --git a/x.py b/x.py\nindex 1..2 100644\n--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,3 @@\n a\n-b\n+cd\n+e\n"
	two := one + "--- a/y.py\t2020\n+++ b/z.py\n@@ -3 +3 @@\n-1\n+2\n\\ No newline at end of file\n"
	for _, c := range []struct {
		gold, response string
		want           float64
	}{
		{one, one, 1}, {one, git, 0.7540983606557377}, {one, two, 0.5}, {two, git, 0.3770491803278688}, {one, "```diff\n" + one + "```", 1},
		{one, "", -1}, {one, "hello", -1}, {one, "@@ -1 +1 @@\n-a\n+b\n", -1}, {one, "--- a/x\n+++ b/x\n@@ -1,5 +1 @@\n-a\n", -1}, {one, "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n-b\n", -1},
		{one, "+++ b/x\n", -1}, {one, "--- a/x\n+++ b/x\n@@ -1 +1 @@\nwhat\n", -1},
	} {
		x := Sample{Gold: c.gold, Response: c.response}
		require.InDelta(t, c.want, value(t, PartSpec{Kind: "patch", Options: &PatchOptions{Form: "diff", Bare: true}}, x), 1e-12, c.response)
	}
	got := scorer(t, []PartSpec{{Kind: "patch", Weight: 1, Options: &PatchOptions{Form: "diff", Bare: true}}}).Score(t.Context(), Sample{Gold: "fix it", Response: one})
	require.Contains(t, got.Detail, "the gold answer is no unified diff")
}

func TestPatchOfLongTexts(t *testing.T) {
	start := time.Now()
	for _, response := range []string{strings.Repeat("```\n### ", 1<<17), strings.Repeat("<<<<<<< SEARCH\n", 1<<16), editOf("a", "", strings.Repeat("ab\xff\n", 1<<18)), strings.Repeat("x\n", 1<<19)} {
		x := Sample{Gold: `{"a": "b\nc"}`, Meta: map[string]string{"files": `{"a": "b"}`}, Response: response}
		got := value(t, PartSpec{Kind: "patch", Options: &PatchOptions{Bare: true}}, x)
		require.True(t, got >= -1 && got <= 1)
	}
	require.Less(t, time.Since(start), time.Minute)
}

func FuzzFileDiffs(f *testing.F) {
	f.Add("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ f\n a\n-b\n+c\n")
	f.Add("diff --git a/x b/y\n--- a/x\n+++ /dev/null\n@@ -999999999 +0,0 @@\n-\n\\ No newline")
	f.Fuzz(func(t *testing.T, text string) {
		diffs, err := fileDiffs(text)
		if err != nil {
			require.Empty(t, diffs)
			return
		}
		got, err := meanRatio(context.Background(), diffs, diffs)
		require.NoError(t, err)
		require.InDelta(t, 1, got, 1e-12)
	})
}
