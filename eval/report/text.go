package report

import (
	"fmt"
	"strings"
	"unicode"

	"temper/eval"
)

// textWidth is the width of a terminal in characters; sentences are wrapped at it, tables are not.
const textWidth = 100

// Text is the report for terminals. Characters that steer a terminal are taken out of what models and data wrote.
func (d *Document) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Report of %s\n%s\n", visible(d.Run), visible(d.head()))
	for _, s := range d.sections() {
		if len(s.Curves) > 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", visible(s.Title))
		for _, line := range s.Lines {
			b.WriteString(wrap(visible(line), "  "))
		}
		if len(s.Rows) > 0 {
			rows := make([][]string, len(s.Rows))
			for i, row := range s.Rows {
				for _, cell := range row {
					rows[i] = append(rows[i], strings.ReplaceAll(visible(cell), "\n", " "))
				}
			}
			b.WriteString(indent(eval.Align(rows, s.Words...), "  "))
		}
		for _, sample := range s.Samples {
			fmt.Fprintf(&b, "\n  Problem %s\n%s", visible(sample.ID), indent(visible(sample.Prompt), "    "))
			for _, r := range sample.Responses {
				fmt.Fprintf(&b, "  %s (%s)\n%s", visible(r.Model), r.worth(), indent(visible(r.Response), "    "))
			}
		}
	}
	return b.String()
}

// visible drops control characters but the line break.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, text)
}

// indent puts a prefix before every line and ends the last one.
func indent(text, prefix string) string {
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		b.WriteString(strings.TrimRight(prefix+line, " ") + "\n")
	}
	return b.String()
}

// wrap breaks a sentence between words.
func wrap(text, prefix string) string {
	var b strings.Builder
	line := prefix
	for _, word := range strings.Fields(text) {
		switch {
		case line == prefix:
			line += word
		case len([]rune(line))+1+len([]rune(word)) > textWidth:
			b.WriteString(line + "\n")
			line = prefix + word
		default:
			line += " " + word
		}
	}
	b.WriteString(line + "\n")
	return b.String()
}
