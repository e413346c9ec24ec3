package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"temper/eval"
)

// measures are the sections that say more of an evaluation than its table.
func measures(title string, models []Model) []section {
	var out []section
	for _, s := range []section{choices(title, models), against(title, models), calibrations(title, models), skills(title, models), correlations(title, models)} {
		if len(s.Rows) > 1 || len(s.Charts) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// choices says what is won by choosing among k samples, with the curve of pass@k.
func choices(title string, models []Model) section {
	k := largestK(models)
	if k < 2 {
		return section{}
	}
	s := section{Title: fmt.Sprintf("%s: one answer out of %d samples", title, k), Lines: []string{
		"pass: any of them is right; maj: the most frequent answer is; best: that which the reward's other parts rank first is; likeliest: that of the lowest perplexity is. In percent."}}
	s.Rows = [][]string{{"model", "pass@1", fmt.Sprintf("pass@%d", k), fmt.Sprintf("maj@%d", k), fmt.Sprintf("best of %d", k), fmt.Sprintf("likeliest of %d", k)}}
	for _, m := range models {
		if _, ok := m.PassAt[k]; !ok {
			continue
		}
		row := []string{m.Name}
		for _, by := range []struct {
			values map[int]float64
			k      int
		}{{m.PassAt, 1}, {m.PassAt, k}, {m.Maj, k}, {m.BestOf, k}, {m.Likeliest, k}} {
			row = append(row, inPercent(by.values, by.k))
		}
		s.Rows = append(s.Rows, row)
		if c, ok := passCurve(m); ok {
			s.Charts = append(s.Charts, c)
		}
	}
	s.Rows = withoutEmpty(s.Rows)
	return s
}

// withoutEmpty leaves out the columns that have no value.
func withoutEmpty(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for j := range rows[0] {
		empty := true
		for _, row := range rows[1:] {
			empty = empty && row[j] == "-"
		}
		for i := range rows {
			if !empty {
				out[i] = append(out[i], rows[i][j])
			}
		}
	}
	return out
}

func inPercent(values map[int]float64, k int) string {
	if v, ok := values[k]; ok {
		return fmt.Sprintf("%.1f", 100*v)
	}
	return "-"
}

// passCurve draws pass@k over k, which grows by factors.
func passCurve(m Model) (chart, bool) {
	ks := slices.Sorted(maps.Keys(m.PassAt))
	if len(ks) < 2 {
		return chart{}, false
	}
	var points [][2]float64
	for _, k := range ks {
		points = append(points, [2]float64{math.Log2(float64(k)), m.PassAt[k]})
	}
	last := ks[len(ks)-1]
	c := line(points, frame{fmt.Sprintf("k = %d", ks[0]), fmt.Sprint(last), &[2]float64{0, 1}})
	c.Label = fmt.Sprintf("pass@k of %s, at %d %s", m.Name, last, short(m.PassAt[last]))
	return c, true
}

// against says how the models differ from the first, and what they solve beyond it.
func against(title string, models []Model) section {
	if len(models) == 0 {
		return section{}
	}
	s := section{Title: title + ": against " + models[0].Name, Lines: []string{"The difference on the same problems, with its 95% interval by bootstrap over them, and p against no difference."},
		Rows: [][]string{{"model", "of", "problems", "difference", "interval", "p", "beyond"}}, Words: []int{1, 6}}
	for _, m := range models {
		a := m.Against
		if a == nil {
			continue
		}
		what, beyond := "reward", "-"
		if a.K > 0 {
			what = fmt.Sprintf("pass@%d", a.K)
		}
		if b := a.Boundary; b != nil {
			beyond = fmt.Sprintf("%d of %d unsolved in %d (expansion rate %s)", b.Expanded, b.N, b.K, percent(b.Rate))
		}
		s.Rows = append(s.Rows, []string{m.Name, what, fmt.Sprint(a.Paired.N), fmt.Sprintf("%+.3f", a.Paired.Difference),
			fmt.Sprintf("[%+.3f, %+.3f]", a.Paired.CI95[0], a.Paired.CI95[1]), fmt.Sprintf("%.3g", a.Paired.P), beyond})
	}
	return s
}

// calibrations says how far confidences are from what happens, with reliability diagrams.
func calibrations(title string, models []Model) section {
	s := section{Title: title + ": calibration", Lines: []string{
		"Confidences held against what is right. stated: what a response says of itself; votes: the share of a problem's samples with the same answer; likelihood: the geometric mean of the response's token probabilities. Brier and ECE: lower is better."},
		Rows: [][]string{{"model", "confidence", "samples", "Brier", "ECE"}}, Words: []int{1}}
	for _, m := range models {
		for _, kind := range slices.Sorted(maps.Keys(m.Calibration)) {
			c := m.Calibration[kind]
			s.Rows = append(s.Rows, []string{m.Name, kind, fmt.Sprint(c.N), fmt.Sprintf("%.3f", c.Brier), fmt.Sprintf("%.3f", c.ECE)})
			if len(c.Bins) > 1 {
				s.Charts = append(s.Charts, reliability(m.Name, kind, c))
			}
		}
	}
	return s
}

func reliability(model, kind string, c eval.Calibration) chart {
	var points [][2]float64
	for _, b := range c.Bins {
		points = append(points, [2]float64{b.Confidence, b.Accuracy})
	}
	first, last := points[0][0], points[len(points)-1][0]
	out := line(points, frame{"confidence " + short(first), short(last), &[2]float64{0, 1}}, [2]float64{first, first}, [2]float64{last, last})
	out.Label = fmt.Sprintf("share right by confidence (%s) of %s; dashed: as confident as right", kind, model)
	return out
}

// skills is the tree with a column for each model.
func skills(title string, models []Model) section {
	s := section{Title: title + ": skills", Lines: []string{"pass@1 in percent, rolled up: a skill's score is the mean over the problems of all below it."}}
	header, scores, counts := []string{"skill", "problems"}, map[string][]string{}, map[string]int{}
	var order []eval.Skill
	for i, m := range models {
		header = append(header, m.Name)
		for _, x := range m.Skills {
			if scores[x.Path] == nil {
				scores[x.Path] = slices.Repeat([]string{"-"}, len(models))
				order = append(order, x)
			}
			scores[x.Path][i], counts[x.Path] = fmt.Sprintf("%.1f", 100*x.Score), x.N
		}
	}
	s.Rows = [][]string{header}
	for _, x := range order {
		name := "all"
		if x.Path != "" {
			name = strings.Repeat("· ", x.Depth()-1) + x.Path[strings.LastIndexByte(x.Path, '/')+1:]
		}
		s.Rows = append(s.Rows, append([]string{name, fmt.Sprint(counts[x.Path])}, scores[x.Path]...))
	}
	return s
}

// mostCorrelations is how many pairs of skills are shown, the closest first.
const mostCorrelations = 20

func correlations(title string, models []Model) section {
	var trees [][]eval.Skill
	for _, m := range models {
		trees = append(trees, m.Skills)
	}
	found := eval.Correlations(trees)
	slices.SortStableFunc(found, func(a, b eval.Correlation) int { return cmp.Compare(math.Abs(b.R), math.Abs(a.R)) })
	s := section{Title: title + ": skills that go together", Lines: []string{fmt.Sprintf("Pearson's r of two skills' scores over the %d models.", len(models))},
		Rows: [][]string{{"skill", "and", "r"}}, Words: []int{1}}
	for _, c := range found[:min(len(found), mostCorrelations)] {
		s.Rows = append(s.Rows, []string{c.A, c.B, fmt.Sprintf("%+.2f", c.R)})
	}
	return s
}
