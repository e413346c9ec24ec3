package eval

import (
	"fmt"
	"math"
	"strings"

	"temper/tasks"
)

// Sample is one judged sample of a problem.
type Sample struct {
	Correct bool
	Answer  string  // normalised for voting; empty: none
	Rank    float64 // what a selector without the gold answer goes by: the reward's other parts; NaN: there are none
	LogProb float64 // mean log-probability of a token of the response, in nats; NaN: not known
	Stated  float64 // confidence that the response states, in [0, 1]; NaN: none
}

// Measure is Summarise with what can be said of the samples beyond right and wrong: best-of-k by rank and by likelihood, calibration of the
// confidences that are stated, of the votes and of the likelihood, and the skill tree where concepts are paths.
func Measure(problems []tasks.Problem, samples [][]Sample, ks []int, seed uint64) (Result, error) {
	correct, answers := make([][]bool, len(samples)), make([][]string, len(samples))
	for i, group := range samples {
		for _, s := range group {
			correct[i], answers[i] = append(correct[i], s.Correct), append(answers[i], s.Answer)
		}
	}
	out, err := Summarise(problems, correct, answers, ks, seed)
	if err != nil {
		return out, err
	}
	out.BestOf = best(samples, ks, func(s Sample) float64 { return s.Rank })
	out.Likeliest = best(samples, ks, func(s Sample) float64 { return s.LogProb })
	if out.Calibration, err = calibrations(samples); err != nil {
		return out, err
	}
	for _, p := range problems {
		for _, c := range p.Concepts {
			if strings.Contains(c, "/") {
				out.Skills = Skills(problems, PerProblem(correct, 1))
				return out, nil
			}
		}
	}
	return out, nil
}

// best is the mean BestOfK over the problems by k; nil where no problem has ranks.
func best(samples [][]Sample, ks []int, rank func(Sample) float64) map[int]float64 {
	var out map[int]float64
	for _, k := range ks {
		var values []float64
		for _, group := range samples {
			ranks, correct := make([]float64, len(group)), make([]bool, len(group))
			for j, s := range group {
				ranks[j], correct[j] = rank(s), s.Correct
			}
			values = append(values, BestOfK(ranks, correct, k))
		}
		if values = drop(values); len(values) > 0 {
			if out == nil {
				out = map[int]float64{}
			}
			out[k] = mean(values)
		}
	}
	return out
}

// The confidences that a calibration may be of.
const (
	Stated     = "stated"     // what responses say of themselves
	Votes      = "votes"      // the share of the problem's samples with the same answer
	Likelihood = "likelihood" // the geometric mean of the response's token probabilities
)

// calibrations measures each kind of confidence over the samples that have it.
func calibrations(samples [][]Sample) (map[string]Calibration, error) {
	confidence, correct := map[string][]float64{}, map[string][]bool{}
	add := func(kind string, p float64, right bool) {
		if !math.IsNaN(p) {
			confidence[kind], correct[kind] = append(confidence[kind], p), append(correct[kind], right)
		}
	}
	for _, group := range samples {
		votes := map[string]int{}
		for _, s := range group {
			votes[s.Answer]++
		}
		for _, s := range group {
			add(Stated, s.Stated, s.Correct)
			add(Likelihood, math.Exp(math.Min(0, s.LogProb)), s.Correct)
			if len(group) > 1 && s.Answer != "" {
				add(Votes, float64(votes[s.Answer])/float64(len(group)), s.Correct)
			}
		}
	}
	var out map[string]Calibration
	for kind := range confidence {
		c, err := Calibrate(confidence[kind], correct[kind])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		if out == nil {
			out = map[string]Calibration{}
		}
		out[kind] = c
	}
	return out, nil
}
