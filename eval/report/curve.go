package report

import "math"

// Curve is how an rl stage learned, in at most maxPoints points a series.
type Curve struct {
	Rounds      int      `json:"rounds"`
	Series      []Series `json:"series"`
	Interleaved []int    `json:"interleaved,omitempty"` // rounds that trained on demonstrations
}

// Series is one quantity over the rounds.
type Series struct {
	Name   string       `json:"name"`
	Points [][2]float64 `json:"points"` // [round, value]; each the mean of a span of rounds where there are more rounds than points
}

// maxPoints keeps the reports of long runs small.
const maxPoints = 200

// curve thins a log out. Quantities that were not measured (all 0) are left out, and values that are not finite too.
func curve(log Log) *Curve {
	if len(log.Rounds) == 0 {
		return nil
	}
	out := &Curve{Rounds: len(log.Rounds), Series: []Series{}}
	for _, q := range []struct {
		name  string
		value func(LogRound) float64
	}{
		{"reward", func(r LogRound) float64 { return r.Reward }},
		{"solved", func(r LogRound) float64 { return r.Solved }},
		{"entropy", func(r LogRound) float64 { return r.Entropy }},
		{"gradient norm", func(r LogRound) float64 { return r.Norm }},
		{"sampler gap", func(r LogRound) float64 { return r.Gap }},
	} {
		if points := thin(log.Rounds, q.value); points != nil {
			out.Series = append(out.Series, Series{Name: q.name, Points: points})
		}
	}
	for _, r := range log.Rounds {
		if r.Interleave > 0 {
			out.Interleaved = append(out.Interleaved, r.Round)
		}
	}
	return out
}

// thin averages spans of rounds of equal length; nil where every value is 0.
func thin(rounds []LogRound, value func(LogRound) float64) [][2]float64 {
	span := (len(rounds) + maxPoints - 1) / maxPoints
	var points [][2]float64
	measured := false
	for from := 0; from < len(rounds); from += span {
		round, sum, n := 0.0, 0.0, 0.0
		for _, r := range rounds[from:min(from+span, len(rounds))] {
			if v := value(r); !math.IsNaN(v) && !math.IsInf(v, 0) {
				round, sum, n = round+float64(r.Round), sum+v, n+1
				measured = measured || v != 0
			}
		}
		if n > 0 {
			points = append(points, [2]float64{round / n, sum / n})
		}
	}
	if !measured {
		return nil
	}
	return points
}
