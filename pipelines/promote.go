package pipelines

import (
	"fmt"
	"strconv"
	"strings"
)

// Promote makes an alias of the bucket name a model if the gate holds. A gate that does not hold is a result, not a failure: the alias
// keeps its model. Output: model, the one that the alias names afterwards.
type Promote struct {
	Model string         `yaml:"model" json:"model" validate:"required"` // stage
	Alias string         `yaml:"alias" json:"alias" validate:"required"`
	Gate  *PromotionGate `yaml:"gate" json:"gate" validate:"omitempty"` // default: none, every model is promoted
}

// PromotionGate holds when the model is better than the one that an alias names, on the problems of an evaluation, or when there is no such alias.
// The other model is measured by the stage, with the settings, problems and noise that the evaluation gave its own.
type PromotionGate struct {
	BetterThan string  `yaml:"better_than" json:"better_than"`                 // alias; default: the one that is promoted to
	Evaluation string  `yaml:"evaluation" json:"evaluation"`                   // evaluate stage that measures the model; default: the only one
	Metric     string  `yaml:"metric" json:"metric"`                           // pass@K or reward; default pass@1
	Test       string  `yaml:"test" json:"test" validate:"oneof=paired none"`  // paired: bootstrap over the problems; none: the higher mean wins
	P          float64 `yaml:"p" json:"p" validate:"gt=0,lt=1"`                // of the paired test, two-sided; below it the difference counts; default 0.05
	Margin     float64 `yaml:"margin" json:"margin" validate:"gte=0,lte=1000"` // by which the mean must at least be higher; default 0
}

// rewardMetric is the mean reward as a metric.
const rewardMetric = "reward"

// K is the k of a gate's pass@k, and 0 for the mean reward; ok is false for a metric that there is not.
func (g *PromotionGate) K() (k int, ok bool) {
	if g.Metric == rewardMetric {
		return 0, true
	}
	digits, isPass := strings.CutPrefix(g.Metric, "pass@")
	k, err := strconv.Atoi(digits)
	return k, isPass && err == nil && k > 0
}

func (s *Promote) refs() []ref {
	refs := []ref{stageRef("model", s.Model, ModelOutput)}
	if s.Gate != nil {
		refs = append(refs, stageRef("gate.evaluation", s.Gate.Evaluation, ReportOutput))
	}
	return refs
}

func (s *Promote) complete() {
	g := s.Gate
	if g == nil {
		return
	}
	if g.BetterThan == "" {
		g.BetterThan = s.Alias
	}
	if g.Metric == "" {
		g.Metric = "pass@1"
	}
	if g.Test == "" {
		g.Test = "paired"
	}
	if g.P == 0 {
		g.P = 0.05
	}
}

func (s *Promote) check(report func(string, string, ...any)) {
	checkAlias(s.Alias, "alias", report)
	if s.Gate == nil {
		return
	}
	checkAlias(s.Gate.BetterThan, "gate.better_than", report)
	if _, ok := s.Gate.K(); !ok {
		report("gate.metric", "must be pass@1, pass@2, … or reward, is %q", s.Gate.Metric)
	}
}

func (s *Promote) title() string {
	g := s.Gate
	if g == nil {
		return fmt.Sprintf("let %s name %s", s.Alias, s.Model)
	}
	than := "its model"
	if g.BetterThan != s.Alias {
		than = g.BetterThan
	}
	how := "on average"
	if g.Test == "paired" {
		how = fmt.Sprintf("with p below %g", g.P)
	}
	if g.Margin > 0 {
		how += fmt.Sprintf(" by at least %g", g.Margin)
	}
	return fmt.Sprintf("let %s name %s if it is better than %s in %s of %s, %s", s.Alias, s.Model, than, g.Metric, g.Evaluation, how)
}

// measurers lists the evaluate stages before a stage that measure a model.
func (p *Pipeline) measurers(before int, model string) (ids []string) {
	for i := range before {
		if s, ok := p.Stages[i].Settings.(*Evaluate); ok && contains(s.Models, model) {
			ids = append(ids, p.Stages[i].ID)
		}
	}
	return ids
}

// findGate gives a gate without an evaluation the only one there is.
func (p *Pipeline) findGate(i int) {
	s, ok := p.Stages[i].Settings.(*Promote)
	if !ok || s.Gate == nil || s.Gate.Evaluation != "" {
		return
	}
	if ids := p.measurers(i, s.Model); len(ids) == 1 {
		s.Gate.Evaluation = ids[0]
	}
}

// validatePromotion checks that a gate's evaluation measures the model, and what the gate looks at.
func (p *Pipeline) validatePromotion(i int, earlier map[string]*Stage, report func(path, format string, args ...any)) {
	s, ok := p.Stages[i].Settings.(*Promote)
	if !ok || s.Gate == nil {
		return
	}
	if s.Gate.Evaluation == "" {
		if ids := p.measurers(i, s.Model); len(ids) > 0 {
			report("gate.evaluation", "several stages measure %q: name one of %s", s.Model, strings.Join(ids, ", "))
		} else {
			report("gate.evaluation", "no stage before this one measures %q: add an evaluate stage that does", s.Model)
		}
		return
	}
	st := earlier[s.Gate.Evaluation]
	if st == nil {
		return // said where names are checked
	}
	e, ok := st.Settings.(*Evaluate)
	if !ok {
		return
	}
	k, _ := s.Gate.K()
	switch {
	case !contains(e.Models, s.Model):
		report("gate.evaluation", "stage %q does not measure %q; it measures %s", st.ID, s.Model, strings.Join(e.Models, ", "))
	case k > 0 && !judges(e.Reward):
		report("gate.metric", "stage %q has no correct part in its reward, so it measures no %s: use reward", st.ID, s.Gate.Metric)
	case k > e.Samples:
		report("gate.metric", "%s needs %d samples of a problem, and stage %q draws %d", s.Gate.Metric, k, st.ID, e.Samples)
	}
}
