package procedural

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
)

// Between draws a whole number from lo to hi, both included.
func Between(rng *rand.Rand, lo, hi int) int { return lo + rng.IntN(hi-lo+1) }

// Pick draws one of the values.
func Pick[T any](rng *rand.Rand, values []T) T { return values[rng.IntN(len(values))] }

// Some draws n different of the values, in an order that rng decides.
func Some[T any](rng *rand.Rand, values []T, n int) []T {
	out := slices.Clone(values)
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:n]
}

// Persons are names, all of which start with different letters.
var Persons = []string{"Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jill", "Kai", "Lena", "Max", "Nora", "Otto", "Pia", "Quin", "Rosa", "Sam", "Tess",
	"Uma", "Vera", "Will", "Xena", "Yara", "Zoe"}

// Join writes values with a separator.
func Join[T any](values []T, separator string) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, separator)
}

// Letters are the first n capital letters.
func Letters(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = string(rune('A' + i))
	}
	return out
}

// Lines numbers lines from 1.
func Lines(lines []string) string {
	var b strings.Builder
	for i, l := range lines {
		fmt.Fprintf(&b, "\n%d. %s", i+1, l)
	}
	return b.String()[min(1, b.Len()):]
}

// Distinct sorts values and leaves repetitions out.
func Distinct(values []string) []string { return slices.Compact(slices.Sorted(slices.Values(values))) }

// Number writes a number as a whole number, a decimal where that is exact within six places, or a fraction in lowest terms.
func Number(r *big.Rat) string {
	if r.IsInt() {
		return r.RatString()
	}
	for places := range 7 {
		text := r.FloatString(places)
		if back, _ := new(big.Rat).SetString(text); back.Cmp(r) == 0 {
			return text
		}
	}
	return r.RatString()
}
