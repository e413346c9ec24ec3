package pipelines

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"temper/configs"
)

// Gate stands after a stage: the run goes on once a number of the stage is good enough, a person has approved, or both, in this order.
// It decides nothing that the stage gives, so it is in no stage's key.
type Gate struct {
	Metric  string        `yaml:"metric"`   // one of the stage's numbers; of an evaluation MODEL.pass@K or MODEL.reward
	AtLeast *float64      `yaml:"at_least"` // bounds of metric, at least one of them
	AtMost  *float64      `yaml:"at_most"`
	Approve bool          `yaml:"approve"` // ask a person
	Within  time.Duration `yaml:"within"`  // how long the person may take; 0: as long as it takes
}

// gateJSON is the wire form: a duration as people write it.
type gateJSON struct {
	Metric  string   `json:"metric,omitempty"`
	AtLeast *float64 `json:"at_least,omitempty"`
	AtMost  *float64 `json:"at_most,omitempty"`
	Approve bool     `json:"approve,omitempty"`
	Within  string   `json:"within,omitempty"`
}

// MarshalJSON writes within as "24h0m0s".
func (g Gate) MarshalJSON() ([]byte, error) {
	wire := gateJSON{g.Metric, g.AtLeast, g.AtMost, g.Approve, ""}
	if g.Within != 0 {
		wire.Within = g.Within.String()
	}
	return json.Marshal(wire)
}

// UnmarshalJSON reads what MarshalJSON wrote and refuses unknown settings.
func (g *Gate) UnmarshalJSON(data []byte) error {
	var wire gateJSON
	if err := decodeJSON(data, &wire); err != nil {
		return fmt.Errorf("gate: %w", err)
	}
	*g = Gate{Metric: wire.Metric, AtLeast: wire.AtLeast, AtMost: wire.AtMost, Approve: wire.Approve}
	if wire.Within != "" {
		within, err := time.ParseDuration(wire.Within)
		if err != nil {
			return fmt.Errorf("gate.within: %w", err)
		}
		g.Within = within
	}
	return nil
}

// String says what the gate asks for, in one line.
func (g *Gate) String() string {
	var parts []string
	if g.AtLeast != nil {
		parts = append(parts, fmt.Sprintf("%s at least %g", g.Metric, *g.AtLeast))
	}
	if g.AtMost != nil {
		parts = append(parts, fmt.Sprintf("%s at most %g", g.Metric, *g.AtMost))
	}
	if g.Approve {
		text := "a person approves"
		if g.Within > 0 {
			text += " within " + g.Within.String()
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// Broken says why a value of the gate's metric does not pass; "" when it does.
func (g *Gate) Broken(v float64) string {
	switch {
	case math.IsNaN(v):
		return g.Metric + " is not a number"
	case g.AtLeast != nil && v < *g.AtLeast:
		return fmt.Sprintf("%s is %.6g, must be at least %g", g.Metric, v, *g.AtLeast)
	case g.AtMost != nil && v > *g.AtMost:
		return fmt.Sprintf("%s is %.6g, must be at most %g", g.Metric, v, *g.AtMost)
	}
	return ""
}

// numbers lists what the stages of each kind give as numbers; evaluations name their models.
var numbers = map[string][]string{
	"import":     {"params"},
	"pretrain":   {"loss", "params", "steps"},
	"sft":        {"loss", "params", "steps"},
	"rl":         {"demonstrations", "first_reward", "last_reward", "params", "rounds", "rounds_seconds", "samples", "sampling_seconds", "training_seconds"},
	"curate":     {"epochs", "kept", "min_score", "mislabelled_all", "mislabelled_kept", "of"},
	"synthesize": {"agreed", "budget", "kept", "weak_problems", "written"},
	"distill":    {"divergence", "loss", "params", "teacher_correct", "teacher_samples"},
}

var evaluationMetric = regexp.MustCompile(`^([a-z][a-z0-9_-]*)\.(?:pass@([1-9][0-9]*)|reward)$`)

// validateGate checks a stage's gate.
func (p *Pipeline) validateGate(st *Stage, fail func(path, format string, args ...any)) {
	g := st.Gate
	if g == nil {
		return
	}
	at := "stages." + st.ID + ".gate"
	bounds := g.AtLeast != nil || g.AtMost != nil
	switch {
	case g.Metric == "" && !bounds && !g.Approve:
		fail(at, "asks for nothing; give metric with at_least or at_most, or approve: true")
	case g.Metric == "" && bounds:
		fail(at+".metric", "is required with at_least and at_most%s", configs.Suggest("", "", numbers[st.Kind]))
	case g.Metric != "" && !bounds:
		fail(at+".at_least", "is required with metric (or at_most)")
	}
	if g.AtLeast != nil && g.AtMost != nil && *g.AtLeast > *g.AtMost {
		fail(at+".at_most", "must be at least at_least (%g), is %g", *g.AtLeast, *g.AtMost)
	}
	if g.Within < 0 || g.Within > 0 && !g.Approve {
		fail(at+".within", "is how long a person may take; it needs approve: true and a duration above 0")
	}
	if g.Metric == "" {
		return
	}
	if e, ok := st.Settings.(*Evaluate); ok {
		checkEvaluationMetric(e, g.Metric, func(format string, args ...any) { fail(at+".metric", format, args...) })
	} else if known := numbers[st.Kind]; !contains(known, g.Metric) {
		fail(at+".metric", "a stage of kind %s gives no number %q%s", st.Kind, g.Metric, configs.Suggest(g.Metric, "", known))
	}
}

func checkEvaluationMetric(e *Evaluate, metric string, fail func(format string, args ...any)) {
	m := evaluationMetric.FindStringSubmatch(metric)
	if m == nil {
		fail("must be MODEL.pass@K or MODEL.reward, such as %s.pass@%d, is %q", e.Models[0], e.K[0], metric)
		return
	}
	if !contains(e.Models, m[1]) {
		fail("the stage does not evaluate %q%s", m[1], configs.Suggest(m[1], "", e.Models))
	}
	if m[2] == "" {
		return
	}
	k, err := strconv.Atoi(m[2])
	if err != nil || !slices.Contains(e.K, k) {
		fail("the stage does not measure pass@%s; its k is %v", m[2], e.K)
	}
	if !judges(e.Reward) {
		fail("there is no pass@k without a correct part in reward; take %s.reward", m[1])
	}
}

// ownsGate says whether a kind of stage has a setting named gate of its own.
func ownsGate(s Settings) bool {
	t := reflect.TypeOf(s).Elem()
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); name == "gate" {
			return true
		}
	}
	return false
}

// Numbers lists the numbers that stages of a kind may give, for gates.
func Numbers(kind string) []string { return slices.Clone(numbers[kind]) }

// NumberNames lists the names of numbers in order, for messages.
func NumberNames(numbers map[string]float64) string {
	return strings.Join(slices.Sorted(maps.Keys(numbers)), ", ")
}
