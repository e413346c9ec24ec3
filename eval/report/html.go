package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
)

//go:embed page.tmpl
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"worth":  Response.worth,
	"charts": charts,
	"header": func(row int) bool { return row == 0 },
	"align": func(s section, column int) string {
		if column == 0 || slices.Contains(s.Words, column) {
			return "words"
		}
		return "number"
	},
}).Parse(pageText))

// HTML is the report as one page that loads nothing: no scripts, styles inside, learning curves as inline SVG.
func (d *Document) HTML() ([]byte, error) {
	var b bytes.Buffer
	err := page.Execute(&b, struct {
		Run, Head string
		Sections  []section
	}{d.Run, d.head(), d.sections()})
	if err != nil {
		return nil, fmt.Errorf("write report of %s as HTML: %w", d.Run, err)
	}
	return b.Bytes(), nil
}
