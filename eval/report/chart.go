package report

import (
	"fmt"
	"math"
	"strings"
)

// The size of a chart and the room around its plot, in pixels.
const (
	chartWidth, chartHeight                            = 320, 150
	chartLeft, chartRightGap, chartTop, chartBottomGap = 52, 8, 8, 20
	chartRight, chartBottom                            = chartWidth - chartRightGap, chartHeight - chartBottomGap
	markHeight                                         = 6
)

// chart is one series as the numbers of an SVG.
type chart struct {
	Width, Height, Left, Right, Top, Bottom, PlotWidth, PlotHeight int
	Label                                                          string // what is shown and its last value
	Low, High                                                      string // ends of the vertical axis
	First, Last                                                    string // ends of the horizontal axis
	Points                                                         string
	Guide                                                          string // a line to hold the points against
	EndX, EndY                                                     string
	Marks                                                          string // ticks at the rounds that trained on demonstrations
}

// charts draws each series of a curve.
func charts(c *Curve) []chart {
	var out []chart
	for _, s := range c.Series {
		if len(s.Points) > 0 {
			out = append(out, draw(s, c.Interleaved))
		}
	}
	return out
}

func draw(s Series, interleaved []int) chart {
	first, last := s.Points[0], s.Points[len(s.Points)-1]
	out := line(s.Points, frame{fmt.Sprintf("round %.0f", first[0]), fmt.Sprintf("%.0f", last[0]), nil})
	x := scale(first[0], last[0])
	var marks []string
	for _, round := range interleaved {
		if r := float64(round); r >= first[0] && r <= last[0] {
			marks = append(marks, fmt.Sprintf("M%.1f %dv-%d", x(r), chartBottom, markHeight))
		}
	}
	out.Label = fmt.Sprintf("%s, at last %s", s.Name, short(last[1]))
	if len(marks) > 0 {
		out.Label += "; ticks: rounds with demonstrations"
	}
	out.Marks = strings.Join(marks, "")
	return out
}

// frame is what stands around a line: words at the ends of the horizontal axis, and the ends of the vertical one; nil: the line's.
type frame struct {
	first, last string
	ends        *[2]float64
}

// scale places the horizontal axis.
func scale(first, last float64) func(x float64) float64 {
	width := last - first
	if width == 0 {
		width = 1
	}
	return func(x float64) float64 { return chartLeft + (chartRight-chartLeft)*(x-first)/width }
}

// line draws points, which go from left to right, with a guide to hold them against where there is one.
func line(points [][2]float64, f frame, guide ...[2]float64) chart {
	first, last := points[0], points[len(points)-1]
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		lo, hi = min(lo, p[1]), max(hi, p[1])
	}
	if f.ends != nil {
		lo, hi = f.ends[0], f.ends[1]
	}
	if lo == hi { // a flat line stands in the middle
		lo, hi = lo-0.5, hi+0.5
	}
	x := scale(first[0], last[0])
	y := func(v float64) float64 { return chartBottom - (chartBottom-chartTop)*(v-lo)/(hi-lo) }
	place := func(points [][2]float64) string {
		texts := make([]string, len(points))
		for i, p := range points {
			texts[i] = fmt.Sprintf("%.1f,%.1f", x(p[0]), y(p[1]))
		}
		return strings.Join(texts, " ")
	}
	return chart{Width: chartWidth, Height: chartHeight, Left: chartLeft, Right: chartRight, Top: chartTop, Bottom: chartBottom,
		PlotWidth: chartRight - chartLeft, PlotHeight: chartBottom - chartTop, Low: short(lo), High: short(hi), First: f.first, Last: f.last,
		Points: place(points), Guide: place(guide), EndX: fmt.Sprintf("%.1f", x(last[0])), EndY: fmt.Sprintf("%.1f", y(last[1]))}
}

// short writes a number in at most about seven characters.
func short(v float64) string { return fmt.Sprintf("%.3g", v) }
