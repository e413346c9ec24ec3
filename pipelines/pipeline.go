// Package pipelines says what a pipeline is: typed stages with their inputs and outputs, read from YAML or JSON, checked, planned
// and given content keys. It runs nothing and reads nothing but the files a person names.
//
// It may import configs, tasks (Source), reward (PartSpec), artifact (names), go.yaml.in/yaml/v3 and the standard library; never Temporal, never gomlx.
package pipelines

import (
	"sort"
	"strings"

	"temper/tasks"
)

// Pipeline is a list of stages that run in dependency order. It travels as JSON as the input of the pipeline's workflow.
type Pipeline struct {
	Name        string                  `json:"name"`
	Seed        uint64                  `json:"seed"`
	Concurrency int                     `json:"concurrency"` // stages that may run at once
	Tasks       map[string]tasks.Source `json:"tasks"`
	Stages      []Stage                 `json:"stages"`
	Report      *ReportSpec             `json:"report,omitempty"`

	src *source // where the values were written; nil after JSON
}

// Stage is one step of a pipeline.
type Stage struct {
	ID       string
	Kind     string   // import, alias, pretrain, sft, rl, curate, synthesize, distill, evaluate, promote
	Settings Settings // the pointer type of the kind: *Import, *Alias, *Pretrain, *SFT, *RL, *Curate, *Synthesize, *Distill, *Evaluate, *Promote
	Gate     *Gate    // what must hold before the run goes on from this stage; nil: nothing
	Sets     []string // the task sets among the names that the settings use, in order of first use; filled in by Parse and from JSON
}

// Settings are the settings of one kind of stage.
type Settings interface {
	// refs lists the names of stages and task sets in use, in the order of the fields.
	refs() []ref
	// complete fills in defaults that depend on other settings.
	complete()
	// check reports what the validate tags cannot say; paths are relative to the stage.
	check(report func(path, format string, args ...any))
	// title describes the stage in one line, without its id.
	title() string
}

// Outputs of stages.
const (
	ModelOutput    = "model"
	LogOutput      = "log"
	ProblemsOutput = "problems"
	ReportOutput   = "report"
)

// ref is one name in a stage's settings.
type ref struct {
	role   string // also its path in the settings: model, tasks[1]
	name   string
	output string // what it must give when it names a stage; "" when it may only name a task set
	set    bool   // it may name a task set
}

// kinds lists each kind of stage: its outputs and a constructor of its settings with defaults.
var kinds = map[string]struct {
	outputs []string
	blank   func() Settings
}{
	"import":     {[]string{ModelOutput}, func() Settings { return &Import{} }},
	"alias":      {[]string{ModelOutput}, func() Settings { return &Alias{} }},
	"pretrain":   {[]string{ModelOutput}, func() Settings { return defaultPretrain() }},
	"sft":        {[]string{ModelOutput}, func() Settings { return defaultSFT() }},
	"rl":         {[]string{ModelOutput, LogOutput}, func() Settings { return defaultRL() }},
	"curate":     {[]string{ProblemsOutput}, func() Settings { return defaultCurate() }},
	"synthesize": {[]string{ProblemsOutput}, func() Settings { return defaultSynthesize() }},
	"distill":    {[]string{ModelOutput}, func() Settings { return defaultDistill() }},
	"evaluate":   {[]string{ReportOutput}, func() Settings { return defaultEvaluate() }},
	"promote":    {[]string{ModelOutput}, func() Settings { return &Promote{} }},
}

// Kinds lists the kinds of stages, sorted.
func Kinds() []string {
	out := make([]string, 0, len(kinds))
	for k := range kinds {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// Outputs lists what a kind of stage gives: model, log, problems, report.
func Outputs(kind string) []string { return append([]string(nil), kinds[kind].outputs...) }

// Stage returns the stage with an id, or nil.
func (p *Pipeline) Stage(id string) *Stage {
	for i := range p.Stages {
		if p.Stages[i].ID == id {
			return &p.Stages[i]
		}
	}
	return nil
}

// Input is one use of another stage's output.
type Input struct {
	Role   string `json:"role"`   // the setting that names it: model, log, tasks[1]
	Stage  string `json:"stage"`  // id
	Output string `json:"output"` // which of the stage's outputs
}

// Inputs lists the other stages that this one uses, in the order of its settings. One stage may fill several roles.
func (st *Stage) Inputs() []Input {
	var out []Input
	for _, r := range st.Settings.refs() {
		if r.name != "" && r.output != "" && !(r.set && contains(st.Sets, r.name)) {
			out = append(out, Input{Role: r.role, Stage: r.name, Output: r.output})
		}
	}
	return out
}

// TaskSets lists the task sets that this stage uses, each once.
func (st *Stage) TaskSets() []string { return append([]string(nil), st.Sets...) }

// resolve finds out which names are task sets, and what a gate looks at that does not say so. A name that is both is refused by Validate.
func (p *Pipeline) resolve() {
	_ = p.Each(func(st *Stage) error { // the visit has no errors
		st.Sets = nil
		for _, r := range st.Settings.refs() {
			if _, ok := p.Tasks[r.name]; ok && r.set && !contains(st.Sets, r.name) {
				st.Sets = append(st.Sets, r.name)
			}
		}
		return nil
	})
	for i := range p.Stages {
		p.findGate(i)
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// Step is one line of a plan.
type Step struct {
	Stage string   `json:"stage"`
	Kind  string   `json:"kind"`
	Needs []string `json:"needs,omitempty"` // stages, each once
	Title string   `json:"title"`
}

// Plan lists the stages in the order they are written, with what each waits for.
func (p *Pipeline) Plan() []Step {
	steps := make([]Step, 0, len(p.Stages))
	for i := range p.Stages {
		st := &p.Stages[i]
		step := Step{Stage: st.ID, Kind: st.Kind, Title: st.Settings.title()}
		for _, in := range st.Inputs() {
			if !contains(step.Needs, in.Stage) {
				step.Needs = append(step.Needs, in.Stage)
			}
		}
		if len(st.Sets) > 0 {
			step.Title += " on " + strings.Join(st.Sets, ", ")
		}
		if st.Gate != nil {
			step.Title += "; gate: " + st.Gate.String()
		}
		steps = append(steps, step)
	}
	return steps
}
