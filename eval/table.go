package eval

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Table renders results as aligned plain text, one model a line.
func Table(results []Result) string { return Align(Rows(results)) }

// Markdown renders results as a Markdown table.
func Markdown(results []Result) string { return MarkdownRows(Rows(results)) }

// Align renders rows, the header first, as plain text: the first column and those of words (by index) to the left, the others to the
// right.
func Align(rows [][]string, words ...int) string {
	if len(rows) == 0 {
		return ""
	}
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			if i > 0 {
				line.WriteString("  ")
			}
			if i == 0 || slices.Contains(words, i) {
				line.WriteString(c + pad)
			} else {
				line.WriteString(pad + c)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

var (
	inCell    = strings.NewReplacer("|", `\|`)
	breaks    = strings.NewReplacer("\n", " ", "\r", " ")
	markupTag = regexp.MustCompile(`<([A-Za-z/!?])`)
)

// MarkdownInline keeps text on its line and free of HTML, which Markdown would pass on.
func MarkdownInline(text string) string {
	return markupTag.ReplaceAllString(breaks.Replace(text), "&lt;$1")
}

// MarkdownRows renders rows, the header first, as a Markdown table, aligned as Align does.
func MarkdownRows(rows [][]string, words ...int) string {
	var b strings.Builder
	for i, row := range rows {
		cells := make([]string, len(row))
		for j := range row {
			cells[j] = inCell.Replace(MarkdownInline(row[j]))
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
		if i == 0 {
			for j := range row {
				if j == 0 || slices.Contains(words, j) {
					b.WriteString("|:---")
				} else {
					b.WriteString("|---:")
				}
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}

// Rows gives the header and one row a result; the columns are every k that any result has, votes for k above 1, and the reward where
// any result has one.
func Rows(results []Result) [][]string {
	pass, maj, rewards := map[int]bool{}, map[int]bool{}, false
	for _, r := range results {
		rewards = rewards || r.Reward != nil
		for k := range r.PassAt {
			pass[k] = true
		}
		for k := range r.Maj {
			maj[k] = k > 1
		}
	}
	ks := slices.Sorted(maps.Keys(pass))
	votes := slices.DeleteFunc(slices.Sorted(maps.Keys(maj)), func(k int) bool { return !maj[k] })
	header := []string{"model", "params", "n"}
	for _, k := range ks {
		header = append(header, fmt.Sprintf("pass@%d", k))
	}
	for _, k := range votes {
		header = append(header, fmt.Sprintf("maj@%d", k))
	}
	if rewards {
		header = append(header, "reward")
	}
	rows := [][]string{header}
	for _, r := range results {
		row := []string{r.Model, Count(r.Params), fmt.Sprint(r.N)}
		for _, k := range ks {
			row = append(row, share(r.PassAt, r.CI95, k))
		}
		for _, k := range votes {
			row = append(row, share(r.Maj, nil, k))
		}
		if rewards {
			row = append(row, r.Reward.String())
		}
		rows = append(rows, row)
	}
	return rows
}

// share writes a share with its interval in percent: "63.1 [60.0–66.2]".
func share(values map[int]float64, intervals map[int][2]float64, k int) string {
	v, ok := values[k]
	if !ok {
		return "-"
	}
	out := fmt.Sprintf("%.1f", 100*v)
	if ci, ok := intervals[k]; ok {
		out += fmt.Sprintf(" [%.1f–%.1f]", 100*ci[0], 100*ci[1])
	}
	return out
}

// Count writes a number of parameters shortly: 812, 263k, 3.4M, 1.7B; "-" where it is not known.
func Count(n int64) string {
	switch {
	case n <= 0:
		return "-"
	case n < 1000:
		return fmt.Sprint(n)
	case n < 999_500:
		return fmt.Sprintf("%.0fk", float64(n)/1e3)
	case n < 999_950_000:
		return fmt.Sprintf("%.1fM", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1fB", float64(n)/1e9)
}
