package configs

import (
	"sort"
	"strings"
)

// Nearest returns the known name closest to name, and whether it is close enough to be what was meant: at most a third of the
// letters differ (one always may), or one begins with the other. Ties go to the first in alphabetical order.
func Nearest(name string, known []string) (string, bool) {
	sorted := append([]string(nil), known...)
	sort.Strings(sorted)
	best, bestDistance := "", 1<<30
	a := strings.ToLower(name)
	for _, k := range sorted {
		b := strings.ToLower(k)
		d := distance(a, b)
		if len(a) >= 3 && len(b) >= 3 && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)) {
			d = min(d, 1)
		}
		if d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best, best != "" && bestDistance <= max(1, (len([]rune(name))+1)/3)
}

// Suggest ends an error about an unknown name: "; did you mean X?", or the list of what is known, or nothing when nothing is.
// prefix is put before the names, as in "s3." for settings inside s3.
func Suggest(name, prefix string, known []string) string {
	if best, ok := Nearest(name, known); ok {
		return "; did you mean " + prefix + best + "?"
	}
	if len(known) == 0 {
		return ""
	}
	sorted := append([]string(nil), known...)
	sort.Strings(sorted)
	return "; known: " + strings.Join(sorted, ", ")
}

// distance counts the edits between two words: insertions, deletions, replacements and swaps of neighbours (optimal string
// alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	older, old, now := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range old {
		old[j] = j
	}
	for i := 1; i <= len(x); i++ {
		now[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			now[j] = min(old[j]+1, now[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				now[j] = min(now[j], older[j-2]+1)
			}
		}
		older, old, now = old, now, older
	}
	return old[len(y)]
}
