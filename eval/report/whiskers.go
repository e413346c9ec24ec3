package report

import (
	"fmt"
	"math"
	"strings"
)

// whiskers are the models of an evaluation below each other, each a point in its interval, as the numbers of an SVG.
type whiskers struct {
	Width, Height, Left, Right, Top, Bottom, PlotWidth, PlotHeight int
	Label, Low, High                                               string // what is shown, and the ends of the axis
	Rows                                                           []whisker
}

type whisker struct {
	Name                string
	Y, Middle, From, To string
}

// The room for names and for a row, in pixels.
const (
	whiskersLeft, whiskersWidth, whiskersRow = 170, 560, 22
	longestName                              = 24
)

// compared draws the models' pass@k of the smallest k or, where nothing is right or wrong, their rewards. One model alone needs no drawing.
func compared(models []Model) *whiskers {
	type interval struct {
		name   string
		middle float64
		bounds [2]float64
	}
	k := smallestK(models)
	var all []interval
	for _, m := range models {
		switch v, ok := m.PassAt[k]; {
		case ok:
			all = append(all, interval{m.Name, v, m.CI95[k]})
		case m.Reward != nil && k == 0:
			all = append(all, interval{m.Name, m.Reward.Mean, m.Reward.CI95})
		}
	}
	if len(all) < 2 {
		return nil
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, i := range all {
		lo, hi = min(lo, i.bounds[0], i.middle), max(hi, i.bounds[1], i.middle)
	}
	label, text := "mean reward, with 95% intervals", short
	if k > 0 {
		label, text = fmt.Sprintf("pass@%d, with 95%% intervals", k), func(v float64) string { return fmt.Sprintf("%.1f%%", 100*v) }
	}
	if lo == hi {
		lo, hi = lo-0.5, hi+0.5
	}
	w := &whiskers{Width: whiskersWidth, Left: whiskersLeft, Right: whiskersWidth - chartRightGap, Top: chartTop, Label: label, Low: text(lo), High: text(hi)}
	w.Bottom = w.Top + whiskersRow*len(all)
	w.Height, w.PlotWidth, w.PlotHeight = w.Bottom+chartBottomGap, w.Right-w.Left, w.Bottom-w.Top
	x := func(v float64) string {
		return fmt.Sprintf("%.1f", float64(w.Left)+float64(w.PlotWidth)*(v-lo)/(hi-lo))
	}
	for n, i := range all {
		name := i.name
		if r := []rune(name); len(r) > longestName {
			name = strings.TrimSpace(string(r[:longestName-1])) + "…"
		}
		w.Rows = append(w.Rows, whisker{name, fmt.Sprintf("%.1f", float64(w.Top)+whiskersRow*(float64(n)+0.5)), x(i.middle), x(i.bounds[0]), x(i.bounds[1])})
	}
	return w
}

// spread draws the problems' rewards from the least to the greatest.
func spread(m Model) (chart, bool) {
	if m.Reward == nil || len(m.Reward.Deciles) < 2 || len(m.PassAt) > 0 {
		return chart{}, false
	}
	var points [][2]float64
	for i, v := range m.Reward.Deciles {
		points = append(points, [2]float64{float64(i), v})
	}
	c := line(points, frame{"worst problem", "best", nil})
	c.Label = fmt.Sprintf("rewards of the problems, %s, median %s", m.Name, short(m.Reward.Deciles[len(m.Reward.Deciles)/2]))
	return c, true
}
