package pipelines

import (
	"fmt"
	"strings"

	"temper/configs"
)

// ReportSpec says what the report of a run shows besides its stages. Every part is optional. It decides nothing that is trained or
// measured, so it is in no stage's key.
type ReportSpec struct {
	Models  string         `yaml:"models" json:"models,omitempty"`   // evaluate stage of the main table; default: the first one
	ReLIFT  *ReLIFTReport  `yaml:"relift" json:"relift,omitempty"`   // what the demonstrations were needed for
	LIMR    *LIMRReport    `yaml:"limr" json:"limr,omitempty"`       // what the selection was worth
	SwS     *SwSReport     `yaml:"sws" json:"sws,omitempty"`         // what the written problems did for the weak concepts
	Samples *SamplesReport `yaml:"samples" json:"samples,omitempty"` // responses to the same problems

	Transfer *TransferReport `yaml:"transfer" json:"transfer,omitempty"` // what training on one domain does for the others
}

// ReLIFTReport compares an interleaved rl stage with a control of the same budget on the questions that the base cannot solve.
type ReLIFTReport struct {
	Stage      string `yaml:"stage" json:"stage" validate:"required"`           // rl
	Control    string `yaml:"control" json:"control,omitempty"`                 // rl; optional
	Base       string `yaml:"base" json:"base" validate:"required"`             // stage whose model decides what was unsolved before
	Evaluation string `yaml:"evaluation" json:"evaluation" validate:"required"` // evaluate, on training questions, of all these models
}

// LIMRReport compares a model trained on selected problems with one trained on as many at random.
type LIMRReport struct {
	Stage        string `yaml:"stage" json:"stage" validate:"required"`                                        // curate, method limr
	Control      string `yaml:"control" json:"control,omitempty"`                                              // curate, method random; optional
	Model        string `yaml:"model" json:"model" validate:"required"`                                        // stage trained on the selection
	ControlModel string `yaml:"control_model" json:"control_model,omitempty" validate:"required_with=Control"` // stage trained on the control
	Evaluation   string `yaml:"evaluation" json:"evaluation" validate:"required"`                              // evaluate, of both models
}

// SwSReport compares models from before and after the synthesized problems, on the weak concepts.
type SwSReport struct {
	Stage      string `yaml:"stage" json:"stage" validate:"required"` // synthesize
	Before     string `yaml:"before" json:"before" validate:"required"`
	After      string `yaml:"after" json:"after" validate:"required"`
	Control    string `yaml:"control" json:"control,omitempty"`                 // rl, trained like after on problems that were not aimed at a weakness
	Evaluation string `yaml:"evaluation" json:"evaluation" validate:"required"` // evaluate, of all these models
}

// TransferReport holds models that were trained on one domain each against their base, on all domains.
type TransferReport struct {
	Base    string           `yaml:"base" json:"base" validate:"required"`
	Domains []TransferDomain `yaml:"domains" json:"domains" validate:"required,min=2,unique=Name,dive"`
}

// TransferDomain is one domain: the stage that trained on it, and the evaluation on it, of the base and all these models.
type TransferDomain struct {
	Name       string `yaml:"name" json:"name" validate:"required"`
	Model      string `yaml:"model" json:"model" validate:"required"`
	Evaluation string `yaml:"evaluation" json:"evaluation" validate:"required"`
}

// SamplesReport shows responses of several models to the same problems.
type SamplesReport struct {
	Evaluation string `yaml:"evaluation" json:"evaluation" validate:"required"` // evaluate, of all the models
	Models     Names  `yaml:"models" json:"models" validate:"required,min=1,unique,dive,required"`
	N          int    `yaml:"n" json:"n" validate:"gte=1,lte=100"` // problems; default 3
}

// complete fills in defaults; it also takes nil.
func (r *ReportSpec) complete() {
	if r != nil && r.Samples != nil && r.Samples.N == 0 {
		r.Samples.N = defaultReportSamples
	}
}

// MainEvaluation is the evaluate stage of the report's main table: the one that report.models names, or else the first; "" where the
// pipeline measures nothing.
func (p *Pipeline) MainEvaluation() string {
	if p.Report != nil && p.Report.Models != "" {
		return p.Report.Models
	}
	for i := range p.Stages {
		if p.Stages[i].Kind == "evaluate" {
			return p.Stages[i].ID
		}
	}
	return ""
}

// reportCheck validates a report against the stages of its pipeline; paths are below "report.".
type reportCheck struct {
	p    *Pipeline
	fail func(path, format string, args ...any)
}

func (p *Pipeline) validateReport(fail func(path, format string, args ...any)) {
	if p.Report == nil {
		return
	}
	c := reportCheck{p: p, fail: func(path, format string, args ...any) { fail("report."+path, format, args...) }}
	findings, err := configs.Check(p.Report)
	if err != nil {
		fail("report", "%v", err)
	}
	for _, f := range findings {
		c.fail(f.Path, "%s", f.Msg)
	}
	r := p.Report
	c.stage("models", r.Models, "evaluate")
	if s := r.ReLIFT; s != nil {
		c.stage("relift.stage", s.Stage, "rl")
		c.stage("relift.control", s.Control, "rl")
		c.models("relift", s.Evaluation, true, named{"stage", s.Stage}, named{"control", s.Control}, named{"base", s.Base})
	}
	if s := r.LIMR; s != nil {
		c.method("limr.stage", s.Stage, "limr")
		c.method("limr.control", s.Control, "random")
		c.models("limr", s.Evaluation, true, named{"model", s.Model}, named{"control_model", s.ControlModel})
	}
	if s := r.SwS; s != nil {
		c.stage("sws.stage", s.Stage, "synthesize")
		models := []named{{"before", s.Before}, {"after", s.After}}
		if s.Control != "" {
			models = append(models, named{"control", s.Control})
		}
		c.models("sws", s.Evaluation, true, models...)
	}
	if s := r.Transfer; s != nil {
		models := []named{{"base", s.Base}}
		for i, d := range s.Domains {
			models = append(models, named{fmt.Sprintf("domains[%d].model", i), d.Model})
		}
		for i, d := range s.Domains {
			c.measured("transfer", fmt.Sprintf("domains[%d].evaluation", i), d.Evaluation, true, models...)
		}
	}
	if s := r.Samples; s != nil {
		models := make([]named, len(s.Models))
		for i, name := range s.Models {
			models[i] = named{fmt.Sprintf("models[%d]", i), name}
		}
		c.models("samples", s.Evaluation, false, models...)
	}
}

// stage reports a name that is no stage of the kind and returns the stage otherwise. An empty name is left out, not wrong.
func (c reportCheck) stage(path, name, kind string) *Stage {
	if name == "" {
		return nil
	}
	st := c.p.Stage(name)
	switch {
	case st == nil:
		var ids []string
		for i := range c.p.Stages {
			if c.p.Stages[i].Kind == kind {
				ids = append(ids, c.p.Stages[i].ID)
			}
		}
		c.fail(path, "no stage named %q%s", name, configs.Suggest(name, "", ids))
	case st.Kind != kind:
		c.fail(path, "stage %q is of kind %s, not %s", name, st.Kind, kind)
	default:
		return st
	}
	return nil
}

// method reports a curate stage that selects in another way.
func (c reportCheck) method(path, name, method string) {
	if st := c.stage(path, name, "curate"); st != nil {
		if s, ok := st.Settings.(*Curate); ok && s.Method != method {
			c.fail(path, "stage %q has method %s, not %s", name, s.Method, method)
		}
	}
}

// named is a model by the setting that names it.
type named struct{ setting, model string }

// models checks that an evaluation measures the models, with verdicts where the part counts what is solved.
func (c reportCheck) models(part, evaluation string, verdicts bool, models ...named) {
	c.measured(part, "evaluation", evaluation, verdicts, models...)
}

// measured is models for an evaluation that the setting at names.
func (c reportCheck) measured(part, at, evaluation string, verdicts bool, models ...named) {
	st := c.stage(part+"."+at, evaluation, "evaluate")
	if st == nil {
		return
	}
	s, ok := st.Settings.(*Evaluate)
	if !ok {
		return // Validate reports settings of another kind
	}
	if verdicts && !judges(s.Reward) {
		c.fail(part+"."+at, "stage %q has no correct part in its reward, so it cannot say what was solved", evaluation)
	}
	for _, m := range models {
		if m.model != "" && !contains(s.Models, m.model) {
			c.fail(part+"."+m.setting, "stage %q does not measure %q; it measures %s", evaluation, m.model, strings.Join(s.Models, ", "))
		}
	}
}
