package eval

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"temper/tasks"
)

// Result is one model's measurement on one task set. Shares lie in [0, 1].
type Result struct {
	Model   string `json:"model"`
	Params  int64  `json:"params,omitempty"`
	N       int    `json:"n"`       // problems
	Samples int    `json:"samples"` // judged samples in all; those whose judge failed are in none of the numbers
	// PassAt, CI95 (95% bootstrap over problems) and Maj (majority vote) by k.
	PassAt map[int]float64    `json:"pass_at,omitempty"` // empty where nothing was judged right or wrong
	CI95   map[int][2]float64 `json:"ci95,omitempty"`
	Maj    map[int]float64    `json:"maj,omitempty"`
	// BestOf and Likeliest are best-of-k by k: the sample of k that the reward's other parts rank first, and the likeliest one.
	BestOf    map[int]float64 `json:"best_of,omitempty"`
	Likeliest map[int]float64 `json:"likeliest,omitempty"`
	// Wilson is the 95% score interval of pass@1 where each problem has one greedy sample.
	Wilson        *[2]float64            `json:"wilson,omitempty"`
	Calibration   map[string]Calibration `json:"calibration,omitempty"`   // by the kind of confidence
	Skills        []Skill                `json:"skills,omitempty"`        // the tree, where concepts are paths
	Contamination *Contamination         `json:"contamination,omitempty"` // set by the caller; nil: no training is known of
	// Skipped counts, by k, the problems with fewer than k judged samples, which that k leaves out.
	Skipped      map[int]int     `json:"skipped,omitempty"`
	ByConcept    map[string]Cell `json:"by_concept,omitempty"`    // a problem counts in each of its concepts
	ByDifficulty map[string]Cell `json:"by_difficulty,omitempty"` // keys are whole numbers
	Reward       *RewardStat     `json:"reward,omitempty"`        // set by the caller, with SummariseRewards
	MeanTokens   float64         `json:"mean_tokens,omitempty"`   // tokens of a response; set by the caller
	Finished     float64         `json:"finished,omitempty"`      // share of responses that ended by themselves; set by the caller
}

// Cell is the measurement of a part of the problems.
type Cell struct {
	N      int             `json:"n"`
	PassAt map[int]float64 `json:"pass_at"`
}

// Summarise measures samples: correct[i][j] says whether sample j of problem i is right, answers[i][j] what it answered (answers may
// be nil: no votes then; the majority is right if the judge found any sample with that answer right). Samples that could not be judged are
// left out of both by the caller. An error names the problem whose row does not fit, or the k that no problem has samples for.
func Summarise(problems []tasks.Problem, correct [][]bool, answers [][]string, ks []int, seed uint64) (Result, error) {
	if len(problems) == 0 || len(correct) != len(problems) || answers != nil && len(answers) != len(problems) {
		return Result{}, fmt.Errorf("eval: %d problems with results for %d and answers for %d", len(problems), len(correct), len(answers))
	}
	ks = slices.Compact(slices.Sorted(slices.Values(ks)))
	if len(ks) == 0 || ks[0] < 1 {
		return Result{}, fmt.Errorf("eval: k: needs numbers of at least 1, has %v", ks)
	}
	out := Result{N: len(problems), PassAt: map[int]float64{}, CI95: map[int][2]float64{}}
	for i, row := range correct {
		if answers != nil && len(answers[i]) != len(row) {
			return Result{}, fmt.Errorf("eval: problem %s: %d results and %d answers", problems[i].ID, len(row), len(answers[i]))
		}
		out.Samples += len(row)
	}
	for _, k := range ks {
		values := drop(PerProblem(correct, k))
		if len(values) == 0 {
			return Result{}, fmt.Errorf("eval: k: %d: no problem has that many judged samples", k)
		}
		out.PassAt[k], out.CI95[k] = mean(values), Bootstrap(values, seed)
		if left := len(problems) - len(values); left > 0 {
			if out.Skipped == nil {
				out.Skipped = map[int]int{}
			}
			out.Skipped[k] = left
		}
		if maj := drop(majority(correct, answers, k)); len(maj) > 0 {
			if out.Maj == nil {
				out.Maj = map[int]float64{}
			}
			out.Maj[k] = mean(maj)
		}
	}
	out.ByConcept = cells(problems, correct, ks, func(p tasks.Problem) []string {
		return slices.Compact(slices.Sorted(slices.Values(p.Concepts)))
	})
	out.ByDifficulty = cells(problems, correct, ks, func(p tasks.Problem) []string {
		if p.Difficulty == 0 {
			return nil
		}
		return []string{strconv.Itoa(p.Difficulty)}
	})
	return out, nil
}

// PerProblem is pass@k of each problem, NaN for those with fewer than k samples: what PairedBootstrap compares.
func PerProblem(correct [][]bool, k int) []float64 {
	out := make([]float64, len(correct))
	for i, row := range correct {
		c := 0
		for _, right := range row {
			if right {
				c++
			}
		}
		out[i] = PassAtK(len(row), c, k)
	}
	return out
}

// majority is maj@k of each problem, NaN where it is undefined.
func majority(correct [][]bool, answers [][]string, k int) []float64 {
	if answers == nil {
		return nil
	}
	out := make([]float64, len(answers))
	for i, row := range answers {
		right := map[string]bool{}
		for j, a := range row {
			right[a] = right[a] || correct[i][j]
		}
		out[i] = MajAtK(row, k, func(a string) bool { return right[a] })
	}
	return out
}

// cells measures the problems by group; groups without enough samples for any k are left out.
func cells(problems []tasks.Problem, correct [][]bool, ks []int, groups func(tasks.Problem) []string) map[string]Cell {
	rows := map[string][][]bool{}
	for i, p := range problems {
		for _, g := range groups(p) {
			rows[g] = append(rows[g], correct[i])
		}
	}
	out := map[string]Cell{}
	for g, part := range rows {
		cell := Cell{N: len(part), PassAt: map[int]float64{}}
		for _, k := range ks {
			if values := drop(PerProblem(part, k)); len(values) > 0 {
				cell.PassAt[k] = mean(values)
			}
		}
		if len(cell.PassAt) > 0 {
			out[g] = cell
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// drop leaves the undefined values out.
func drop(values []float64) []float64 {
	return slices.DeleteFunc(values, math.IsNaN)
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
