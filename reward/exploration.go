package reward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// The adaptive exploration reward of AEPO (InfiGUI-G1, arXiv 2508.05731; recipe/infigui-g1/reward_fn.py): a response gives N answers in the order of its
// trust in them; with the k-th the first that is right, the reward is 1/sqrt(N k), without a right one -1/N. A response without answers, or whose
// points lie on a line (three of them), gets -1.
//
// Deviations: the 1 that a good form adds in the paper is a part of its own (tags, format); more than maxAnswers answers are of wrong form; so are two
// equal answers, which are to a text what points on a line are to a picture.
var explorationKind = kind{name: "exploration", gives: "1/sqrt(N k) with the k-th of N answers the first that is right, -1/N without one, -1 for a wrong form", lo: -1, hi: 1,
	source: "AEPO (arXiv 2508.05731), adaptive exploration reward", gold: true, blank: func() Options { return new(ExplorationOptions) }}

// ExplorationOptions are the options of `exploration`.
type ExplorationOptions struct {
	Tag    string `option:"tag" about:"name of the elements that hold an answer each, answer by default"`
	Answer string `option:"answer" about:"form of an answer, as correct's; exact by default"`
	Points bool   `option:"points" about:"the answers are a JSON list [{\"point_2d\": [x, y]}, …] after the last </think>, and the gold answer is a box {\"x1\": …, \"y1\": …, \"x2\": …, \"y2\": …}"`
}

const maxAnswers = 64

func (o *ExplorationOptions) check(bad report) {
	optionalTag(bad, o.Tag)
	oneOf(bad, "answer", o.Answer, answerForms)
	if o.Points && (o.Tag != "" || o.Answer != "") {
		bad("points", "goes without tag and answer")
	}
}

func (o *ExplorationOptions) build() (judge, error) {
	first := o.firstAnswer
	if o.Points {
		first = firstPoint
	}
	return judge{value: func(_ context.Context, x Sample) (float64, error) {
		if strings.TrimSpace(x.Gold) == "" {
			return 0, errNoGold
		}
		n, k, err := first(x)
		switch {
		case err != nil:
			return 0, err
		case n == 0:
			return -1, nil
		case k == 0:
			return -1 / float64(n), nil
		}
		return 1 / math.Sqrt(float64(n*k)), nil
	}}, nil
}

// firstAnswer counts the answers of a response and finds the first right one, from 1; 0 answers stand for a wrong form.
func (o *ExplorationOptions) firstAnswer(x Sample) (n, k int, err error) {
	tag := or(o.Tag, "answer")
	judge := correct{form: or(o.Answer, "exact")}
	seen := map[string]bool{}
	for rest := x.Response; ; {
		_, after, ok := strings.Cut(rest, "<"+tag+">")
		if !ok {
			return n, k, nil
		}
		text, after, ok := strings.Cut(after, "</"+tag+">")
		text = strings.TrimSpace(text)
		if n++; !ok || n > maxAnswers || seen[text] {
			return 0, 0, nil
		}
		seen[text], rest = true, after
		if k > 0 {
			continue
		}
		_, right, err := judge.judge(Sample{Prompt: x.Prompt, Response: text, Gold: x.Gold, Meta: x.Meta, Finished: true})
		if err != nil && !errors.Is(err, errNoAnswer) {
			return 0, 0, err
		}
		if right {
			k = n
		}
	}
}

// firstPoint is firstAnswer for points and a box.
func firstPoint(x Sample) (n, k int, err error) {
	var box struct{ X1, Y1, X2, Y2 *float64 }
	if err := json.Unmarshal([]byte(x.Gold), &box); err != nil || box.X1 == nil || box.Y1 == nil || box.X2 == nil || box.Y2 == nil {
		return 0, 0, fmt.Errorf("the gold answer %q is no box with x1, y1, x2, y2", clip(x.Gold))
	}
	text, _ := judgedText(x.Response, "")
	_, list, found := strings.Cut(text, "[")
	if !found {
		return 0, 0, nil
	}
	var answers []struct {
		Point []float64 `json:"point_2d"`
	}
	if json.NewDecoder(strings.NewReader("["+list)).Decode(&answers) != nil || len(answers) > maxAnswers {
		return 0, 0, nil
	}
	for i, a := range answers {
		if len(a.Point) != 2 {
			return 0, 0, nil
		}
		if k == 0 && *box.X1 <= a.Point[0] && a.Point[0] <= *box.X2 && *box.Y1 <= a.Point[1] && a.Point[1] <= *box.Y2 {
			k = i + 1
		}
	}
	for i := range answers {
		for j := range i {
			for l := range j {
				if onALine(answers[i].Point, answers[j].Point, answers[l].Point) {
					return 0, 0, nil
				}
			}
		}
	}
	return len(answers), k, nil
}

// onALine compares cross products as Python's math.isclose does.
func onALine(p, q, r []float64) bool {
	a, b := (q[1]-p[1])*(r[0]-p[0]), (r[1]-p[1])*(q[0]-p[0])
	return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b))
}
