package eval

import (
	"fmt"
	"math"
)

// Bins is how many bins of equal width a reliability diagram has.
const Bins = 10

// Calibration says how far stated confidences are from what happens.
type Calibration struct {
	N     int     `json:"n"`     // judged samples with a confidence
	Brier float64 `json:"brier"` // mean of (confidence − correct)², G. W. Brier, 1950
	ECE   float64 `json:"ece"`   // expected calibration error over Bins bins, Guo et al., arXiv 1706.04599
	Bins  []Bin   `json:"bins"`  // of the reliability diagram; those without samples are left out
}

// Bin is the samples whose confidence lies in (Low, High], with 0 in the first.
type Bin struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	N          int     `json:"n"`
	Confidence float64 `json:"confidence"` // mean
	Accuracy   float64 `json:"accuracy"`   // share correct
}

// Calibrate measures confidences in [0, 1] of samples that were judged.
func Calibrate(confidence []float64, correct []bool) (Calibration, error) {
	if len(confidence) == 0 || len(confidence) != len(correct) {
		return Calibration{}, fmt.Errorf("eval: calibration: %d confidences for %d samples", len(confidence), len(correct))
	}
	out := Calibration{N: len(confidence)}
	bins := make([]Bin, Bins)
	for i, p := range confidence {
		if !(p >= 0 && p <= 1) {
			return Calibration{}, fmt.Errorf("eval: calibration: sample %d: the confidence must lie in [0, 1], is %v", i, p)
		}
		right := 0.0
		if correct[i] {
			right = 1
		}
		out.Brier += (p - right) * (p - right)
		b := &bins[max(0, int(math.Ceil(p*Bins))-1)]
		b.N++
		b.Confidence += p
		b.Accuracy += right
	}
	n := float64(out.N)
	out.Brier /= n
	for i, b := range bins {
		if b.N == 0 {
			continue
		}
		b.Low, b.High = float64(i)/Bins, float64(i+1)/Bins
		b.Confidence /= float64(b.N)
		b.Accuracy /= float64(b.N)
		out.ECE += float64(b.N) / n * math.Abs(b.Accuracy-b.Confidence)
		out.Bins = append(out.Bins, b)
	}
	return out, nil
}
