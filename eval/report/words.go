package report

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"temper/eval"
)

// percent writes a share: "12.5%".
func percent(share float64) string { return fmt.Sprintf("%.1f%%", 100*share) }

// maybePercent writes "-" for a share that is not known.
func maybePercent(share *float64) string {
	if share == nil {
		return "-"
	}
	return percent(*share)
}

// grouped writes a whole number with commas: "12,800".
func grouped(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

// plural writes a number with its noun: "1 problem", "2,000 problems".
func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(n) + " " + noun
}

// difference is a sentence on a paired comparison of pass@1.
func difference(a, b string, p *eval.Paired) string {
	chance := fmt.Sprintf("p = %.3f", p.P)
	if p.P < 0.001 {
		chance = "p < 0.001"
	}
	return fmt.Sprintf("%s against %s in pass@1: %+.1f points, 95%% interval [%+.1f, %+.1f], %s (paired bootstrap over %s).",
		a, b, 100*p.Difference, 100*p.CI95[0], 100*p.CI95[1], chance, plural(p.N, "problem"))
}

// duration writes seconds for people: "0.4 s", "12 s", "3 min 20 s", "1 h 05 min".
func duration(seconds float64) string {
	switch {
	case seconds <= 0 || math.IsNaN(seconds) || seconds > math.MaxInt32:
		return "-"
	case seconds < 9.95:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 59.5:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds < 3599.5:
		d := time.Duration(math.Round(seconds)) * time.Second
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	minutes := int(math.Round(seconds / 60))
	return fmt.Sprintf("%d h %02d min", minutes/60, minutes%60)
}

// natural orders whole numbers by value, before words.
func natural(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	switch {
	case errX == nil && errY == nil:
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return cmp.Compare(a, b)
}

// worth says what a model's samples of one problem were worth.
func (r Response) worth() string {
	if r.Judged > 0 {
		return fmt.Sprintf("%d of %d correct", r.Correct, r.Judged)
	}
	return fmt.Sprintf("mean reward %.3f", r.Reward)
}
