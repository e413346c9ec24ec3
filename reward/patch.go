package reward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"temper/reward/overlap"
)

// The reward of SWE-RL (arXiv 2502.18449, section 2; facebookresearch/swe-rl, core/reward.py): each file's change as a unified diff against what it
// was, the similarity of the predicted and the true one as difflib's ratio of characters, the mean over all files that either changes; -1 for a
// response whose form is wrong.
//
// Deviations: an edit that makes a file larger than patchFile, and in form diff a response that is no unified diff, are of wrong form.
var patchKind = kind{name: "patch", gives: "mean over files of difflib's ratio between the predicted and the true change; -1 for a wrong form", lo: -1, hi: 1,
	source: "SWE-RL (arXiv 2502.18449), equation 1", gold: true, blank: func() Options { return new(PatchOptions) }}

// PatchOptions are the options of `patch`.
type PatchOptions struct {
	Form string `option:"form" about:"edits (default): search and replace blocks; Meta[\"files\"] is a JSON object of the files' texts by path, the gold answer one of their texts after the true change. diff: a unified diff, compared with the gold answer's"`
	Bare bool   `option:"bare" about:"the whole response is the solution; else it is what <solution> holds, after a <think> element that is not empty"`
}

// patchFile bounds a file after the edits, in bytes.
const patchFile = 4 << 20

func (o *PatchOptions) check(bad report) { oneOf(bad, "form", o.Form, []string{"diff", "edits"}) }

func (o *PatchOptions) build() (judge, error) {
	similarity := editSimilarity
	if o.Form == "diff" {
		similarity = diffSimilarity
	}
	return judge{value: func(ctx context.Context, x Sample) (float64, error) {
		solution, ok := x.Response, true
		if !o.Bare {
			solution, ok = patchSolution(x.Response)
		}
		if !ok {
			return -1, nil
		}
		value, err := similarity(ctx, x, solution)
		if errors.Is(err, errPatchForm) {
			return -1, nil
		}
		return value, err
	}}, nil
}

// errPatchForm says that a response's form is wrong.
var errPatchForm = errors.New("no patch")

func patchSolution(response string) (string, bool) {
	for _, tag := range []string{"<think>", "</think>", "<solution>", "</solution>"} {
		if strings.Count(response, tag) != 1 {
			return "", false
		}
	}
	_, thought, _ := strings.Cut(response, "<think>")
	thought, _, _ = strings.Cut(thought, "</think>")
	_, solution, _ := strings.Cut(response, "<solution>")
	solution, _, _ = strings.Cut(solution, "</solution>")
	return strings.TrimSpace(solution), strings.TrimSpace(thought) != ""
}

var editBlock = regexp.MustCompile("```.*?\n### (.*)\n<<<<<<< SEARCH\n([\\s\\S]*?)\n=======\n([\\s\\S]*?)\n>>>>>>> REPLACE\n```")

func editSimilarity(ctx context.Context, x Sample, solution string) (float64, error) {
	var before, after map[string]string
	if err := json.Unmarshal([]byte(x.Meta["files"]), &before); err != nil {
		return 0, fmt.Errorf("the sample's meta data \"files\" is no JSON object of texts: %w", err)
	}
	if err := json.Unmarshal([]byte(x.Gold), &after); err != nil {
		return 0, fmt.Errorf("the gold answer is no JSON object of texts: %w", err)
	}
	got, err := edited(before, solution)
	if err != nil {
		return 0, err
	}
	want, err := changes(ctx, before, after)
	if err != nil {
		return 0, err
	}
	have, err := changes(ctx, before, got)
	if err != nil {
		return 0, err
	}
	return meanRatio(ctx, have, want)
}

// edited applies the blocks of a solution to the files that they name.
func edited(before map[string]string, solution string) (map[string]string, error) {
	blocks := editBlock.FindAllStringSubmatch(solution, -1)
	if len(blocks) == 0 {
		return nil, errPatchForm
	}
	out := map[string]string{}
	for _, b := range blocks {
		path, search, replace := b[1], "\n"+b[2], "\n"+b[3] // with the line feed the indentation has to be right
		text, ok := out[path]
		if !ok {
			text = "\n" + before[path]
		}
		found := strings.Count(text, search)
		if search == replace || found == 0 || len(text)+found*(len(replace)-len(search)) > patchFile {
			return nil, errPatchForm
		}
		out[path] = strings.ReplaceAll(text, search, replace)
	}
	for path, text := range out {
		out[path] = text[1:]
	}
	return out, nil
}

// changes are the diffs of the files that are not as they were.
func changes(ctx context.Context, before, after map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for path, text := range after {
		diff, err := overlap.UnifiedDiff(ctx, before[path], text)
		if err != nil {
			return nil, err
		}
		if diff != "" {
			out[path] = diff
		}
	}
	return out, nil
}

// meanRatio is the mean similarity over the files that are in either; one that is in one alone has 0.
func meanRatio(ctx context.Context, have, want map[string]string) (float64, error) {
	files := map[string]bool{}
	for path := range have {
		files[path] = true
	}
	for path := range want {
		files[path] = true
	}
	if len(files) == 0 {
		return 1, nil
	}
	sum := 0.0
	for _, path := range names(files) {
		if have[path] == "" || want[path] == "" {
			continue
		}
		ratio, err := overlap.Ratio(ctx, have[path], want[path])
		if err != nil {
			return 0, err
		}
		sum += ratio
	}
	return sum / float64(len(files)), nil
}

func diffSimilarity(ctx context.Context, x Sample, solution string) (float64, error) {
	want, err := fileDiffs(x.Gold)
	if err != nil || len(want) == 0 {
		return 0, errors.New("the gold answer is no unified diff")
	}
	have, err := fileDiffs(unfenced(solution))
	if err != nil || len(have) == 0 {
		return 0, errPatchForm
	}
	return meanRatio(ctx, have, want)
}

// unfenced is what a Markdown fence around the whole text holds.
func unfenced(text string) string {
	body := strings.TrimSpace(text)
	if first, rest, ok := strings.Cut(body, "\n"); ok && strings.HasPrefix(first, "```") && strings.HasSuffix(rest, "```") {
		return strings.TrimSuffix(rest, "```")
	}
	return text
}
