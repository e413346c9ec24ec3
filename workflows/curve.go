package workflows

import (
	"fmt"
	"math"
	"strings"
)

// curve is a series of values that is shown as a line of blocks, thinned to what fits.
type curve struct {
	name   string
	values []float64
}

func (c *curve) add(v float64) { c.values = append(c.values, v) }

// curveWidth is the number of blocks of a curve: a line of the Temporal UI with the numbers beside it.
const curveWidth = 36

// markdown is the curve as "name first ▁▂▃ last".
func (c *curve) markdown() string {
	if len(c.values) == 0 {
		return ""
	}
	return fmt.Sprintf("`%-10s` %s %s %s\n\n", c.name, number(c.values[0]), sparkline(c.values), number(c.values[len(c.values)-1]))
}

// sparkline draws values as blocks of eight heights between their least and their greatest; each block is the mean of its share.
func sparkline(values []float64) string {
	blocks := []rune("▁▂▃▄▅▆▇█")
	n := min(curveWidth, len(values))
	means := make([]float64, n)
	low, high := math.Inf(1), math.Inf(-1)
	for i := range means {
		from, to := i*len(values)/n, (i+1)*len(values)/n
		for _, v := range values[from:to] {
			means[i] += v / float64(to-from)
		}
		low, high = math.Min(low, means[i]), math.Max(high, means[i])
	}
	var b strings.Builder
	for _, v := range means {
		level := 0
		if high > low {
			level = int((v - low) / (high - low) * float64(len(blocks)-1))
		}
		b.WriteRune(blocks[level])
	}
	return b.String()
}

func number(v float64) string { return fmt.Sprintf("%.4g", v) }
