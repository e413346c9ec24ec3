package reward

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Alarm says that the scores of rounds look as they do when training has gone wrong.
type Alarm struct {
	Name   string // one of the names below
	Round  int    // the last round that it is about, from 0
	Detail string // the numbers behind it
}

// Names of alarms.
const (
	RewardHacking = "reward hacking" // the reward rises, and not because more is right: fewer answers are, or responses grow or repeat themselves
	ClassCollapse = "class collapse" // nearly all answers are the same one, more than it is right for
	DeadPart      = "dead part"      // a part has the same contribution for every sample and teaches nothing
)

// Round is what alarms know of a round's scores: means over the samples whose verdict is no error.
type Round struct {
	Samples  int
	Reward   float64
	Correct  float64 // share of the verdict correct among correct and wrong; NaN without either
	Tokens   float64
	Repeated float64 // share of word 3-grams that occurred before in the response
	// Answer is the most frequent answer, Share how many of the Answers are it, and Right how many of these are correct.
	Answer  string
	Answers int
	Share   float64
	Right   float64
	// Least and Most are the bounds of each part's contributions.
	Least, Most map[string]float64
}

// Summarise makes a Round of samples and their scores.
func Summarise(samples []Sample, scores []Score) Round {
	r := Round{Correct: math.NaN(), Least: map[string]float64{}, Most: map[string]float64{}}
	judged, correct := 0, 0
	count, right := map[string]int{}, map[string]int{}
	for i, s := range scores {
		if s.Verdict == Error {
			continue
		}
		r.Samples++
		r.Reward += s.Reward
		r.Tokens += float64(samples[i].Tokens)
		r.Repeated += 1 - unrepeated(samples[i].Response, 3)
		if s.Verdict != Ungraded {
			judged++
		}
		if s.Verdict == Correct {
			correct++
			right[s.Answer]++
		}
		if s.Answer != "" {
			r.Answers++
			count[s.Answer]++
		}
		for name, v := range s.Parts {
			if least, ok := r.Least[name]; !ok || v < least {
				r.Least[name] = v
			}
			if most, ok := r.Most[name]; !ok || v > most {
				r.Most[name] = v
			}
		}
	}
	if n := float64(r.Samples); n > 0 {
		r.Reward, r.Tokens, r.Repeated = r.Reward/n, r.Tokens/n, r.Repeated/n
	}
	if judged > 0 {
		r.Correct = float64(correct) / float64(judged)
	}
	for _, answer := range names(count) {
		if n := count[answer]; n > count[r.Answer] {
			r.Answer, r.Share, r.Right = answer, float64(n)/float64(r.Answers), float64(right[answer])/float64(n)
		}
	}
	return r
}

// Thresholds of alarms.
type Thresholds struct {
	Window   int     // rounds that are taken together, at the beginning and at the end
	Samples  int     // fewer in a window raise no alarm
	Rise     float64 // of the mean reward
	Fall     float64 // of the share of correct answers
	Longer   float64 // factor of the length
	Repeated float64 // rise of the share of repeated 3-grams
	Share    float64 // of the most frequent answer
	// Logged are the parts of weight 0, which are there to be logged: they are never dead.
	Logged []string
}

// DefaultThresholds suit rewards of about 1 for a right answer.
func DefaultThresholds() Thresholds {
	return Thresholds{Window: 5, Samples: 64, Rise: 0.05, Fall: 0.05, Longer: 2, Repeated: 0.2, Share: 0.8}
}

// Of are these thresholds for the rewards of some parts.
func (t Thresholds) Of(parts []PartSpec) Thresholds {
	for _, p := range parts {
		if p.Weight == 0 {
			t.Logged = append(t.Logged, p.Kind)
		}
	}
	return t
}

// Alarms compares the last rounds with the first, and looks at the last by themselves. Each alarm is given at most once, in the order of the names
// above, dead parts by their names.
func Alarms(rounds []Round, t Thresholds) []Alarm {
	if len(rounds) == 0 || t.Window < 1 {
		return nil
	}
	var out []Alarm
	add := func(name, format string, args ...any) {
		out = append(out, Alarm{name, len(rounds) - 1, fmt.Sprintf(format, args...)})
	}
	last := merged(rounds[max(0, len(rounds)-t.Window):])
	if len(rounds) >= 2*t.Window {
		first := merged(rounds[:t.Window])
		if first.Samples >= t.Samples && last.Samples >= t.Samples {
			if why := hacked(first, last, t); why != "" {
				add(RewardHacking, "reward %.3g after %.3g, and %s", last.Reward, first.Reward, why)
			}
		}
	}
	if last.Samples < t.Samples {
		return out
	}
	if last.Answers >= t.Samples && last.Share >= t.Share && last.Right < last.Share {
		add(ClassCollapse, "%.0f%% of %d answers are %q, and %.0f%% of these are right", 100*last.Share, last.Answers, clip(last.Answer), 100*last.Right)
	}
	for _, name := range names(last.Least) {
		if last.Least[name] == last.Most[name] && !slices.Contains(t.Logged, name) {
			add(DeadPart, "%s is %.3g for each of %d samples", name, last.Most[name], last.Samples)
		}
	}
	return out
}

// hacked says why a reward that rises is not to be trusted, "" where nothing speaks against it.
func hacked(first, last Round, t Thresholds) string {
	switch {
	case last.Reward-first.Reward < t.Rise:
		return ""
	case first.Correct-last.Correct >= t.Fall: // false where either is NaN
		return fmt.Sprintf("%.3g of the answers are right after %.3g", last.Correct, first.Correct)
	case last.Correct-first.Correct >= t.Fall:
		return ""
	case first.Tokens > 0 && last.Tokens >= t.Longer*first.Tokens:
		return fmt.Sprintf("%.4g tokens a response after %.4g", last.Tokens, first.Tokens)
	case last.Repeated-first.Repeated >= t.Repeated:
		return fmt.Sprintf("%.3g of the 3-grams are repeated after %.3g", last.Repeated, first.Repeated)
	}
	return ""
}

// merged is the round that several make.
func merged(rounds []Round) Round {
	out := Round{Least: map[string]float64{}, Most: map[string]float64{}}
	samples, judged := 0.0, 0.0
	count, right, sum := map[string]float64{}, map[string]float64{}, 0.0
	for _, r := range rounds {
		n := float64(r.Samples)
		samples += n
		out.Samples += r.Samples
		out.Reward += n * r.Reward
		out.Tokens += n * r.Tokens
		out.Repeated += n * r.Repeated
		if !math.IsNaN(r.Correct) {
			judged += n
			sum += n * r.Correct
		}
		out.Answers += r.Answers
		count[r.Answer] += r.Share * float64(r.Answers)
		right[r.Answer] += r.Right * r.Share * float64(r.Answers)
		for name := range r.Least {
			if least, ok := out.Least[name]; !ok || r.Least[name] < least {
				out.Least[name] = r.Least[name]
			}
			if most, ok := out.Most[name]; !ok || r.Most[name] > most {
				out.Most[name] = r.Most[name]
			}
		}
	}
	if samples > 0 {
		out.Reward, out.Tokens, out.Repeated = out.Reward/samples, out.Tokens/samples, out.Repeated/samples
	}
	out.Correct = sum / judged // NaN without verdicts
	answers := names(count)
	sort.SliceStable(answers, func(i, j int) bool { return count[answers[i]] > count[answers[j]] })
	if top := answers[0]; top != "" && count[top] > 0 {
		out.Answer, out.Share, out.Right = top, count[top]/float64(out.Answers), right[top]/count[top]
	}
	return out
}
