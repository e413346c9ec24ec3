package report

import (
	"fmt"
	"strings"

	"temper/eval"
)

// Markdown is the report for people, the main table first. What models and data wrote stands in code blocks and cells, which it
// cannot leave.
func (d *Document) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Report of %s\n\n%s\n", eval.MarkdownInline(d.Run), eval.MarkdownInline(d.head()))
	for _, s := range d.sections() {
		if len(s.Curves) > 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n", eval.MarkdownInline(s.Title))
		if len(s.Lines) > 0 {
			fmt.Fprintf(&b, "\n%s\n", eval.MarkdownInline(strings.Join(s.Lines, " ")))
		}
		if len(s.Rows) > 0 {
			fmt.Fprintf(&b, "\n%s", eval.MarkdownRows(s.Rows, s.Words...))
		}
		for _, sample := range s.Samples {
			fmt.Fprintf(&b, "\nProblem %s\n\n%s", code(sample.ID), fenced(sample.Prompt))
			for _, r := range sample.Responses {
				fmt.Fprintf(&b, "\n%s (%s)\n\n%s", code(r.Model), r.worth(), fenced(r.Response))
			}
		}
	}
	return b.String()
}

// code is text in a line of code.
func code(text string) string {
	marks := strings.Repeat("`", longestRun(text)+1)
	pad := ""
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") || strings.TrimSpace(text) == "" {
		pad = " "
	}
	return marks + pad + strings.NewReplacer("\n", " ", "\r", " ").Replace(text) + pad + marks
}

// fenced is text in a block of code, whose fence is longer than any in the text.
func fenced(text string) string {
	fence := strings.Repeat("`", max(3, longestRun(text)+1))
	text = strings.TrimRight(strings.ReplaceAll(text, "\r", "\n"), "\n")
	return fence + "text\n" + text + "\n" + fence + "\n"
}

// longestRun is the length of the longest run of backticks.
func longestRun(text string) int {
	longest, run := 0, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
