package data

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// SwS: Self-aware Weakness-driven Problem Synthesis in Reinforcement Learning for LLM Reasoning, arXiv 2506.08989.
//
// A preliminary run shows what the policy fails to learn; new problems for the concepts of those failures join the training set.
//
//	weak(x)    mean of the last visits' solve rates < fail_below, and least-squares slope over all visits <= max_slope
//	ratio(c)   weak problems with concept c / problems with concept c
//	budget(c)  ∝ ratio(c), whole numbers by largest remainder
//	concepts   the first ∝ its frequency among weak problems, each further one ∝ exp(co-occurrence / 0.2)
//	answer     the most frequent of several, with at least `agree` votes
//	keep       solve rate of the policy in [0.125, 0.875]
//
// Deviations:
//   - The paper calls a problem weak whose solve rate never reaches 50% in any epoch and whose slope is negative. Here the last visits
//     decide, so that a problem that was solved once and forgotten counts, and a flat curve counts: one that is
//     always 0 is the clearest weakness of all.
//   - Budgets go to concepts, not to the paper's mathematical fields: a problem here names its concepts and has no field.
//   - Co-occurrence is the share of the weak problems with concept a that have b as well, averaged over the concepts already chosen;
//     the paper adds a cosine of embeddings, for which there is no embedding model here.
//   - Whether a written problem is well-formed is decided by the domain's own calculator where it has one, not by judge models.

const (
	// SwSTemperature divides the co-occurrence in the softmax over further concepts.
	SwSTemperature = 0.2
	// SwSLow and SwSHigh bound the solve rates of new problems that are kept.
	SwSLow, SwSHigh = 0.125, 0.875
	// SwSAgree is how many of eight answers must be the same.
	SwSAgree = 4
)

// Attempts is what a run's log says about one problem.
type Attempts struct {
	ID       string    `json:"id"`
	Concepts []string  `json:"concepts"`
	Rates    []float64 `json:"rates"` // solve rate of each visit, oldest first, in [0, 1]
}

// WeakRule decides which problems a policy fails to learn.
type WeakRule struct {
	Last      int     `yaml:"last" json:"last"`             // how many of the last visits are averaged; fewer where there are fewer
	FailBelow float64 `yaml:"fail_below" json:"fail_below"` // their mean must be below
	MaxSlope  float64 `yaml:"max_slope" json:"max_slope"`   // solve rate per visit; a steeper rise means that it is being learned
}

// DefaultWeakRule takes the paper's 50%, over the last three visits.
func DefaultWeakRule() WeakRule { return WeakRule{Last: 3, FailBelow: 0.5, MaxSlope: 0} }

// Weak applies the rule to the solve rates of one problem; one that was never visited is not weak.
func (r WeakRule) Weak(rates []float64) bool {
	if len(rates) == 0 {
		return false
	}
	last := rates[len(rates)-min(len(rates), max(1, r.Last)):]
	sum := 0.0
	for _, a := range last {
		sum += a
	}
	return sum/float64(len(last)) < r.FailBelow && Slope(rates) <= r.MaxSlope+1e-12
}

// Slope is the least-squares slope of y over 0, 1, 2, …; 0 for fewer than two values.
func Slope(y []float64) float64 {
	n := float64(len(y))
	if n < 2 {
		return 0
	}
	var sum, weighted float64
	for i, v := range y {
		sum += v
		weighted += float64(i) * v
	}
	mid := (n - 1) / 2
	return (weighted - mid*sum) / (n * (n*n - 1) / 12)
}

// Weakness is what SwS knows about a policy's failures.
type Weakness struct {
	IDs       []string           `json:"ids"`       // the weak problems, in the order of the log
	Ratio     map[string]float64 `json:"ratio"`     // concept -> failure ratio in [0, 1], for every concept of the log
	Frequency map[string]int     `json:"frequency"` // concept -> weak problems that have it, above 0
	// Together[a][b] counts the weak problems that have both concepts.
	Together map[string]map[string]int `json:"together"`
}

// FindWeakness applies the rule to a log. Rates outside [0, 1] are refused with the problem's name; no weakness at all is no error.
func FindWeakness(log []Attempts, rule WeakRule) (Weakness, error) {
	w := Weakness{Ratio: map[string]float64{}, Frequency: map[string]int{}, Together: map[string]map[string]int{}}
	total := map[string]int{}
	for _, p := range log {
		for k, a := range p.Rates {
			if !(a >= 0 && a <= 1) {
				return Weakness{}, fmt.Errorf("data: sws: problem %s, visit %d: the solve rate must lie in [0, 1], is %v", p.ID, k, a)
			}
		}
		if len(p.Rates) == 0 {
			continue
		}
		concepts := slices.Compact(slices.Sorted(slices.Values(p.Concepts)))
		for _, c := range concepts {
			total[c]++
		}
		if !rule.Weak(p.Rates) {
			continue
		}
		w.IDs = append(w.IDs, p.ID)
		for _, a := range concepts {
			w.Frequency[a]++
			if w.Together[a] == nil {
				w.Together[a] = map[string]int{}
			}
			for _, b := range concepts {
				if a != b {
					w.Together[a][b]++
				}
			}
		}
	}
	for c, n := range total {
		w.Ratio[c] = float64(w.Frequency[c]) / float64(n)
	}
	return w, nil
}

// Budget shares total among the concepts in proportion to their failure ratios: whole parts first, the rest by largest remainder, of
// equal ones the first by name. The parts add up to total unless no concept fails; then the map is empty.
func (w Weakness) Budget(total int) map[string]int {
	var sum float64
	names := make([]string, 0, len(w.Ratio))
	for _, c := range slices.Sorted(maps.Keys(w.Ratio)) {
		if w.Ratio[c] > 0 {
			names = append(names, c)
			sum += w.Ratio[c]
		}
	}
	out := map[string]int{}
	if len(names) == 0 || total <= 0 {
		return out
	}
	rest, remainder := total, map[string]float64{}
	for _, c := range names {
		share := float64(total) * w.Ratio[c] / sum
		whole := math.Floor(share + 1e-9)
		out[c], remainder[c] = int(whole), share-whole
		rest -= int(whole)
	}
	sort.SliceStable(names, func(i, j int) bool { return remainder[names[i]] > remainder[names[j]] })
	for i := 0; rest > 0; i, rest = i+1, rest-1 {
		out[names[i%len(names)]]++
	}
	for _, c := range names {
		if out[c] == 0 {
			delete(out, c)
		}
	}
	return out
}

// Sample draws n different concepts: the first in proportion to its frequency among the weak problems, the others as SampleWith.
// It gives fewer where there are fewer, and none where nothing is weak.
func (w Weakness) Sample(rng *rand.Rand, n int) []string {
	names := slices.Sorted(maps.Keys(w.Frequency))
	if len(names) == 0 || n < 1 {
		return nil
	}
	weights := make([]float64, len(names))
	for i, c := range names {
		weights[i] = float64(w.Frequency[c])
	}
	return w.SampleWith(rng, names[draw(rng, weights)], n)
}

// SampleWith draws n different concepts of which the first is given, each further one by a softmax over its mean co-occurrence
// with those already chosen.
func (w Weakness) SampleWith(rng *rand.Rand, first string, n int) []string {
	chosen := []string{first}
	names := slices.Sorted(maps.Keys(w.Frequency))
	for len(chosen) < n {
		names = slices.DeleteFunc(names, func(c string) bool { return c == chosen[len(chosen)-1] })
		if len(names) == 0 {
			break
		}
		weights := make([]float64, len(names))
		for i, c := range names {
			for _, a := range chosen {
				if f := w.Frequency[a]; f > 0 {
					weights[i] += float64(w.Together[a][c]) / float64(f) / float64(len(chosen))
				}
			}
			weights[i] = math.Exp(weights[i] / SwSTemperature) // co-occurrence is at most 1, so at most e^5
		}
		chosen = append(chosen, names[draw(rng, weights)])
	}
	return chosen
}

// Plan lists the concepts of each of total new problems: the budget decides the first, SampleWith the others (perProblem in all).
// It depends on the weakness, the numbers and the seed alone.
func (w Weakness) Plan(total, perProblem int, seed uint64) ([][]string, error) {
	if total < 1 || perProblem < 1 {
		return nil, fmt.Errorf("data: sws: plan: budget and concepts must be at least 1, are %d and %d", total, perProblem)
	}
	budget := w.Budget(total)
	if len(budget) == 0 {
		return nil, ErrNoWeakness
	}
	rng := rand.New(rand.NewPCG(seed, 0x5375))
	out := make([][]string, 0, total)
	for _, c := range slices.Sorted(maps.Keys(budget)) {
		for range budget[c] {
			out = append(out, w.SampleWith(rng, c, perProblem))
		}
	}
	return out, nil
}

// UniformPlan is the control of Plan: the concepts of each of total new problems, drawn without regard to any weakness.
func UniformPlan(concepts []string, total, perProblem int, seed uint64) ([][]string, error) {
	names := slices.Compact(slices.Sorted(slices.Values(concepts)))
	if total < 1 || perProblem < 1 || len(names) == 0 {
		return nil, fmt.Errorf("data: plan: budget, concepts a problem and known concepts must be at least 1, are %d, %d and %d", total, perProblem, len(names))
	}
	rng := rand.New(rand.NewPCG(seed, 0x5375))
	out := make([][]string, total)
	for i := range out {
		for _, j := range rng.Perm(len(names))[:min(perProblem, len(names))] {
			out[i] = append(out[i], names[j])
		}
	}
	return out, nil
}

// ErrNoWeakness says that a run failed nothing that could be synthesised from.
var ErrNoWeakness = errors.New("data: sws: the log shows no weak problem with a concept")

// draw gives an index with probability in proportion to its weight; the weights must be positive.
func draw(rng *rand.Rand, weights []float64) int {
	sum := 0.0
	for _, x := range weights {
		sum += x
	}
	at := rng.Float64() * sum
	for i, x := range weights {
		if at -= x; at < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// Agree gives the most frequent answer if at least `least` of the answers are it and no other is as frequent. Empty answers have no vote.
func Agree(answers []string, least int) (string, bool) {
	votes := map[string]int{}
	best, tied := "", false
	for _, a := range answers {
		if a != "" {
			votes[a]++
		}
	}
	for _, a := range slices.Sorted(maps.Keys(votes)) {
		switch {
		case votes[a] > votes[best]:
			best, tied = a, false
		case votes[a] == votes[best]:
			tied = true
		}
	}
	if best == "" || tied || votes[best] < least {
		return "", false
	}
	return best, true
}

// KeepRates gives the indices of the solve rates within [low, high], ascending: neither mastered nor out of reach.
func KeepRates(rates []float64, low, high float64) []int {
	var out []int
	for i, r := range rates {
		if r >= low && r <= high {
			out = append(out, i)
		}
	}
	return out
}
