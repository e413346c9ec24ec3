package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"temper/eval"
)

// section is a part of the report as people see it. Markdown, Text and HTML render the same sections, in this order: lines, rows,
// samples, curves.
type section struct {
	Title   string
	Lines   []string   // sentences
	Rows    [][]string // a table, the header first
	Words   []int      // columns of the table, besides the first, that hold words
	Samples []Sample
	Curves  []Stage // stages with a curve; shown by HTML alone
	Charts  []chart // shown by HTML alone

	Whiskers *whiskers // the same
}

// head is the line under the title.
func (d *Document) head() string {
	seeds := make([]string, len(d.Seeds))
	for i, s := range d.Seeds {
		seeds[i] = fmt.Sprint(s)
	}
	return fmt.Sprintf("Pipeline %s, seed %s.", d.Pipeline, strings.Join(seeds, ", "))
}

func (d *Document) sections() []section {
	var out []section
	title := "Models"
	if slices.ContainsFunc(d.Stages, func(st Stage) bool { return len(st.Models) > 0 }) { // one of several evaluations
		title = "Evaluation " + d.Evaluation
	}
	if len(d.Models) > 0 {
		out = append(out, modelSection(title, d.Models))
	}
	if d.ReLIFT != nil {
		out = append(out, d.ReLIFT.section())
	}
	if d.LIMR != nil {
		out = append(out, d.LIMR.section())
	}
	if d.SwS != nil {
		out = append(out, d.SwS.section())
	}
	if alarms := alarmRows(d.Stages); len(alarms) > 1 {
		out = append(out, section{Title: "Alarms", Lines: []string{"What the rewards of the last rounds look like when training has gone wrong."}, Rows: alarms, Words: []int{1, 3}})
	}
	if d.Transfer != nil {
		out = append(out, d.Transfer.section())
	}
	out = appendBreakdowns(append(out, measures(title, d.Models)...), title, d.Models)
	for _, st := range d.Stages {
		if len(st.Models) > 0 {
			title := "Evaluation " + st.ID
			out = append(append(out, modelSection(title, st.Models)), measures(title, st.Models)...)
			out = appendBreakdowns(out, title, st.Models)
		}
	}
	if len(d.Samples) > 0 {
		out = append(out, section{Title: "Samples", Samples: d.Samples,
			Lines: []string{"The first problems of the task set, with the first response of each model."}})
	}
	curves := slices.DeleteFunc(slices.Clone(d.Stages), func(st Stage) bool { return st.Curve == nil })
	if len(curves) > 0 {
		out = append(out, section{Title: "Learning curves", Curves: curves})
	}
	return append(out, stageSection(d.Stages))
}

// alarmRows are the alarms of all stages, below a header.
func alarmRows(stages []Stage) [][]string {
	rows := [][]string{{"stage", "alarm", "round", "why"}}
	for _, st := range stages {
		for _, a := range st.Alarms {
			rows = append(rows, []string{st.ID, a.Name, fmt.Sprint(a.Round + 1), a.Detail})
		}
	}
	return rows
}

// modelSection is the table of an evaluation.
func modelSection(title string, models []Model) section {
	main := section{Title: title, Rows: eval.Rows(results(models))}
	if slices.ContainsFunc(models, func(m Model) bool { return len(m.PassAt) > 0 }) {
		main.Lines = append(main.Lines, "pass@k in percent, with 95% intervals by bootstrap over the problems.")
	}
	main.Whiskers = compared(models)
	for _, m := range models {
		if c, ok := spread(m); ok {
			main.Charts = append(main.Charts, c)
		}
		for _, k := range slices.Sorted(maps.Keys(m.Skipped)) {
			main.Lines = append(main.Lines, fmt.Sprintf("pass@%d of %s leaves out %s with fewer judged samples.", k, m.Name, plural(m.Skipped[k], "problem")))
		}
	}
	main.Lines = append(main.Lines, contaminations(models)...)
	return main
}

// contaminations says which models were trained on problems that they are asked, models with the same in one sentence.
func contaminations(models []Model) []string {
	var order []string
	by := map[string][]string{}
	for _, m := range models {
		c := m.Contamination
		if c == nil || c.Problems == 0 {
			continue
		}
		what := fmt.Sprintf("of %s, %s stand word for word and %s in part (%d words in a row)", plural(m.N, "problem"), grouped(c.Whole), grouped(c.Problems-c.Whole), c.Words)
		if by[what] == nil {
			order = append(order, what)
		}
		by[what] = append(by[what], m.Name)
	}
	var lines []string
	for _, what := range order {
		lines = append(lines, fmt.Sprintf("Contamination: %s in what was trained on by %s.", what, strings.Join(by[what], ", ")))
	}
	return lines
}

// appendBreakdowns adds what an evaluation says of parts of its problems.
func appendBreakdowns(out []section, title string, models []Model) []section {
	k := smallestK(models)
	out = appendBreakdown(out, title+fmt.Sprintf(": pass@%d by difficulty", k), models, func(m Model) map[string]string { return cells(m.ByDifficulty, k) })
	out = appendBreakdown(out, title+fmt.Sprintf(": pass@%d by concept", k), models, func(m Model) map[string]string { return cells(m.ByConcept, k) })
	return appendBreakdown(out, title+": reward by part", models, func(m Model) map[string]string {
		parts := map[string]string{}
		if m.Reward != nil {
			for name, v := range m.Reward.Parts {
				parts[name] = fmt.Sprintf("%.3f", v)
			}
		}
		return parts
	})
}

// maxColumns is how many parts a breakdown shows; more would not fit a page.
const maxColumns = 16

// appendBreakdown adds a table with one column a part, unless there is one part only, or too many.
func appendBreakdown(out []section, title string, models []Model, parts func(Model) map[string]string) []section {
	seen := map[string]bool{}
	for _, m := range models {
		for name := range parts(m) {
			seen[name] = true
		}
	}
	names := slices.SortedFunc(maps.Keys(seen), natural)
	if len(names) < 2 || len(names) > maxColumns {
		return out
	}
	rows := [][]string{append([]string{"model"}, names...)}
	for _, m := range models {
		line, values := []string{m.Name}, parts(m)
		for _, name := range names {
			v, ok := values[name]
			if !ok {
				v = "-"
			}
			line = append(line, v)
		}
		rows = append(rows, line)
	}
	return append(out, section{Title: title, Rows: rows})
}

func cells(parts map[string]eval.Cell, k int) map[string]string {
	out := map[string]string{}
	for name, cell := range parts {
		if v, ok := cell.PassAt[k]; ok {
			out[name] = fmt.Sprintf("%.1f", 100*v)
		}
	}
	return out
}

func smallestK(models []Model) int {
	ks := map[int]bool{}
	for _, m := range models {
		for k := range m.PassAt {
			ks[k] = true
		}
	}
	if len(ks) == 0 {
		return 0
	}
	return slices.Min(slices.Collect(maps.Keys(ks)))
}

func (r *ReLIFT) section() section {
	s := section{Title: "ReLIFT: demonstrations for what cannot be sampled"}
	s.Lines = append(s.Lines, fmt.Sprintf("%s drew %s and trained on the demonstrations of %s of them (%s).",
		r.Stage, plural(r.Questions, "question"), grouped(r.Demonstrations), percent(r.DemonstrationShare)))
	if r.UnsolvedBefore == 0 {
		s.Lines = append(s.Lines, fmt.Sprintf("Of the %s of evaluation %s, %s leaves none unsolved, so there is nothing to compare.", plural(r.N, "problem"), r.Evaluation, r.Base))
	} else {
		s.Lines = append(s.Lines, fmt.Sprintf("Of the %s of evaluation %s, %s solved %s in none of its samples.", plural(r.N, "problem"), r.Evaluation, r.Base, grouped(r.UnsolvedBefore)))
	}
	columns := []string{"", r.Stage}
	rollouts := []string{"rollouts", grouped(r.Rollouts)}
	now := []string{fmt.Sprintf("solved now, of what %s could not", r.Base), maybePercent(r.SolvedNow)}
	pass := []string{"pass@1 on " + r.Evaluation, percent(r.PassAt1)}
	if r.Control != "" {
		columns, now, pass = append(columns, r.Control), append(now, maybePercent(r.ControlSolvedNow)), append(pass, maybePercent(r.ControlPassAt1))
		spent := "-"
		if r.ControlRollouts != nil {
			spent = grouped(*r.ControlRollouts)
		}
		rollouts = append(rollouts, spent)
	}
	s.Rows = [][]string{columns, rollouts, now, pass}
	if r.Paired != nil {
		s.Lines = append(s.Lines, difference(r.Stage, r.Control, r.Paired))
	}
	return s
}

func (l *LIMR) section() section {
	s := section{Title: "LIMR: less data, better chosen"}
	s.Lines = append(s.Lines, fmt.Sprintf("%s kept %s of %s with an alignment of at least %g.", l.Stage, grouped(l.Kept), plural(l.Of, "problem"), l.MinScore))
	if l.MislabelledShare != nil && l.MislabelledShareKept != nil {
		s.Lines = append(s.Lines, fmt.Sprintf("%s of all problems have a wrong answer, and %s of those kept.", percent(*l.MislabelledShare), percent(*l.MislabelledShareKept)))
	}
	s.Rows = [][]string{{"model", "trained on", "n", "pass@1"}}
	s.Words = []int{1}
	add := func(score *Score, what string) {
		if score != nil {
			s.Rows = append(s.Rows, []string{score.Model, what, grouped(score.N),
				fmt.Sprintf("%.1f [%.1f–%.1f]", 100*score.PassAt1, 100*score.CI95[0], 100*score.CI95[1])})
		}
	}
	add(l.Score, fmt.Sprintf("%s, %s", l.Stage, plural(l.Kept, "problem")))
	control := "-"
	if l.ControlKept != nil {
		control = fmt.Sprintf("%s, %s", l.Control, plural(*l.ControlKept, "problem"))
	}
	add(l.ControlScore, control)
	if l.Paired != nil && l.Score != nil && l.ControlScore != nil {
		s.Lines = append(s.Lines, difference(l.Score.Model, l.ControlScore.Model, l.Paired))
	}
	return s
}

func (w *SwS) section() section {
	s := section{Title: "SwS: problems for the weak concepts"}
	s.Lines = append(s.Lines, fmt.Sprintf("%s wrote %s; for %s of them enough answers agreed, and %s were kept.",
		w.Stage, plural(w.Written, "problem"), grouped(w.Agreed), grouped(w.Kept)))
	if len(w.Concepts) == 0 {
		s.Lines = append(s.Lines, "Training failed at no concept often enough to call it weak.")
		return s
	}
	s.Rows = [][]string{{"weak concept", "failure", "n", w.Before, w.After}}
	for _, c := range w.Concepts {
		s.Rows = append(s.Rows, []string{c.Concept, percent(c.Failure), grouped(c.N), maybePercent(c.Before), maybePercent(c.After)})
	}
	if w.Weak != nil {
		s.Rows = append(s.Rows, []string{"all together", "", grouped(w.Weak.N), percent(w.Weak.Before), percent(w.Weak.After)})
		s.Lines = append(s.Lines, difference(w.After, w.Before, w.Weak.Paired))
		if w.Weak.Against != nil {
			s.Lines = append(s.Lines, fmt.Sprintf("%s, trained alike on problems that aim at no weakness, has %s on these problems.", w.Control, percent(*w.Weak.Control)),
				difference(w.After, w.Control, w.Weak.Against))
		}
	} else {
		s.Lines = append(s.Lines, fmt.Sprintf("%s has no problem with a weak concept.", w.Evaluation))
	}
	return s
}

func stageSection(stages []Stage) section {
	s := section{Title: "Stages", Words: []int{1, 3}, Rows: [][]string{{"stage", "kind", "time", "result"}}}
	for _, st := range stages {
		took := duration(st.Seconds)
		if st.Skipped {
			took = "reused"
		}
		s.Rows = append(s.Rows, []string{st.ID, st.Kind, took, st.Summary})
	}
	return s
}
