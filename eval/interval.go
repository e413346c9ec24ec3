package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// Z95 is the normal quantile of a two-sided 95% interval.
	Z95 = 1.959963984540054
	// Resamples is the number of bootstrap resamples.
	Resamples = 2000
)

// Wilson is the score interval (E. B. Wilson, 1927) for a share of n independent trials, for example greedy answers to n problems.
// It does not hold for several samples of each problem (see the package documentation). Without trials it is [0, 1].
func Wilson(successes, n int, z float64) [2]float64 {
	if n <= 0 {
		return [2]float64{0, 1}
	}
	p, m := float64(successes)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return [2]float64{math.Max(0, mid-half), math.Min(1, mid+half)}
}

// Bootstrap is the 95% percentile interval of the mean of values, one for each problem, over Resamples resamples of the problems. It
// depends on values and seed alone. The values must be finite; without values it is [0, 1].
func Bootstrap(values []float64, seed uint64) [2]float64 {
	if len(values) == 0 {
		return [2]float64{0, 1}
	}
	means := resampledMeans(values, seed)
	slices.Sort(means)
	return [2]float64{quantile(means, 0.025), quantile(means, 0.975)}
}

func resampledMeans(values []float64, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 0xb007))
	means := make([]float64, Resamples)
	for r := range means {
		sum := 0.0
		for range values {
			sum += values[rng.IntN(len(values))]
		}
		means[r] = sum / float64(len(values))
	}
	return means
}

// quantile interpolates linearly between the sorted values.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Paired compares two models on the same problems.
type Paired struct {
	N          int        `json:"n"`          // problems
	Difference float64    `json:"difference"` // mean of a − b
	CI95       [2]float64 `json:"ci95"`       // percentile bootstrap over problems
	P          float64    `json:"p"`          // two-sided, against "no difference in the mean"; at least 1/2001
}

// PairedBootstrap compares a[i] with b[i], the two models' values (for example pass@1) on problem i. P is the share of resamples of the
// differences, shifted to mean zero, whose mean is at least as far from zero as the one observed.
func PairedBootstrap(a, b []float64, seed uint64) (Paired, error) {
	if len(a) != len(b) || len(a) == 0 {
		return Paired{}, fmt.Errorf("eval: paired comparison: needs the same problems on both sides, has %d and %d", len(a), len(b))
	}
	diff, sum := make([]float64, len(a)), 0.0
	for i := range a {
		diff[i] = a[i] - b[i]
		if math.IsNaN(diff[i]) || math.IsInf(diff[i], 0) {
			return Paired{}, fmt.Errorf("eval: paired comparison: problem %d: values %v and %v are not both finite", i, a[i], b[i])
		}
		sum += diff[i]
	}
	out := Paired{N: len(a), Difference: sum / float64(len(a))}
	means := resampledMeans(diff, seed)
	extreme := 1
	for _, m := range means {
		// The shifted resample's mean is m − Difference; the tolerance keeps equal values equal after rounding.
		if math.Abs(m-out.Difference) >= math.Abs(out.Difference)-1e-12 {
			extreme++
		}
	}
	out.P = float64(extreme) / float64(Resamples+1)
	slices.Sort(means)
	out.CI95 = [2]float64{quantile(means, 0.025), quantile(means, 0.975)}
	return out, nil
}
