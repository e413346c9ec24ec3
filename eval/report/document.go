package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"temper/artifact"
	"temper/eval"
	"temper/pipelines"
)

// Document is the report of a run. Its JSON is what other programs read; Markdown, Text and HTML show the same to people, and need
// nothing that is not in the JSON. Shares lie in [0, 1].
type Document struct {
	Run      string   `json:"run"`
	Pipeline string   `json:"pipeline"`
	Seeds    []uint64 `json:"seeds"`
	Models   []Model  `json:"models"` // the main table
	// Evaluation names the stage of the main table.
	Evaluation string `json:"evaluation,omitempty"`

	ReLIFT   *ReLIFT   `json:"relift,omitempty"`
	LIMR     *LIMR     `json:"limr,omitempty"`
	SwS      *SwS      `json:"sws,omitempty"`
	Samples  []Sample  `json:"samples,omitempty"`
	Transfer *Transfer `json:"transfer,omitempty"`
	Stages   []Stage   `json:"stages"`
}

// Model is one row of an evaluation.
type Model struct {
	Name         string               `json:"name"`
	Params       int64                `json:"params"`
	N            int                  `json:"n"`                 // problems
	Samples      int                  `json:"samples,omitempty"` // judged samples in all
	PassAt       map[int]float64      `json:"pass_at,omitempty"` // by k
	CI95         map[int][2]float64   `json:"ci95,omitempty"`
	Maj          map[int]float64      `json:"maj,omitempty"`
	Skipped      map[int]int          `json:"skipped,omitempty"` // by k: problems with fewer than k judged samples
	Reward       *eval.RewardStat     `json:"reward,omitempty"`
	ByConcept    map[string]eval.Cell `json:"by_concept,omitempty"`
	ByDifficulty map[string]eval.Cell `json:"by_difficulty,omitempty"`
	MeanTokens   float64              `json:"mean_tokens,omitempty"`
	Finished     float64              `json:"finished,omitempty"`

	BestOf        map[int]float64             `json:"best_of,omitempty"`   // as in eval.Result, here and below
	Likeliest     map[int]float64             `json:"likeliest,omitempty"` //
	Wilson        *[2]float64                 `json:"wilson,omitempty"`
	Calibration   map[string]eval.Calibration `json:"calibration,omitempty"`
	Skills        []eval.Skill                `json:"skills,omitempty"`
	Contamination *eval.Contamination         `json:"contamination,omitempty"`
	Against       *Against                    `json:"against,omitempty"` // the first model of the evaluation, of the others
}

// Stage is one stage that has finished.
type Stage struct {
	ID      string                  `json:"id"`
	Kind    string                  `json:"kind"`
	Summary string                  `json:"summary,omitempty"`
	Skipped bool                    `json:"skipped,omitempty"` // its outputs are those of an earlier run
	Seconds float64                 `json:"seconds"`
	Numbers map[string]float64      `json:"numbers,omitempty"`
	Outputs map[string]artifact.Ref `json:"outputs,omitempty"`
	Models  []Model                 `json:"models,omitempty"` // of an evaluation other than that of the main table
	Curve   *Curve                  `json:"curve,omitempty"`  // of an rl stage
	Alarms  []Alarm                 `json:"alarms,omitempty"` // of an rl stage
}

// Build makes the report of a run. A comparison that the pipeline asks for and whose measurements are missing is an error, which names
// the evaluation and the model; stages that have not finished are left out.
func Build(in Input) (*Document, error) {
	p := in.Pipeline
	if p == nil {
		return nil, errors.New("build report: no pipeline")
	}
	doc := &Document{Run: in.Run, Pipeline: p.Name, Seeds: []uint64{p.Seed}, Models: []Model{}, Stages: []Stage{}}
	main := p.MainEvaluation()
	if main != "" {
		if len(in.Results[main]) == 0 {
			return nil, fmt.Errorf("build report: main table: evaluation %s has no results", main)
		}
		var err error
		doc.Evaluation = main
		if doc.Models, err = heldAgainst(in, main); err != nil {
			return nil, fmt.Errorf("build report: %w", err)
		}
	}
	for i := range p.Stages {
		st, ok, err := stage(in, p.Stages[i].ID, main)
		if err != nil {
			return nil, fmt.Errorf("build report: %w", err)
		}
		if ok {
			doc.Stages = append(doc.Stages, st)
		}
	}
	if err := doc.compare(in, p.Report); err != nil {
		return nil, err
	}
	return doc, nil
}

// compare adds the parts that the pipeline's report asks for.
func (d *Document) compare(in Input, spec *pipelines.ReportSpec) (err error) {
	if spec == nil {
		return nil
	}
	b := builder{in}
	if spec.ReLIFT != nil {
		if d.ReLIFT, err = b.relift(*spec.ReLIFT); err != nil {
			return fmt.Errorf("build report: relift: %w", err)
		}
	}
	if spec.LIMR != nil {
		if d.LIMR, err = b.limr(*spec.LIMR); err != nil {
			return fmt.Errorf("build report: limr: %w", err)
		}
	}
	if spec.SwS != nil {
		if d.SwS, err = b.sws(*spec.SwS); err != nil {
			return fmt.Errorf("build report: sws: %w", err)
		}
	}
	if spec.Transfer != nil {
		if d.Transfer, err = b.transfer(*spec.Transfer); err != nil {
			return fmt.Errorf("build report: transfer: %w", err)
		}
	}
	if spec.Samples != nil {
		if d.Samples, err = b.samples(*spec.Samples); err != nil {
			return fmt.Errorf("build report: samples: %w", err)
		}
	}
	return nil
}

func models(results []eval.Result) []Model {
	out := make([]Model, len(results))
	for i, r := range results {
		out[i] = Model{Name: r.Model, Params: r.Params, N: r.N, Samples: r.Samples, PassAt: r.PassAt, CI95: r.CI95, Maj: r.Maj, Skipped: r.Skipped,
			Reward: r.Reward, ByConcept: r.ByConcept, ByDifficulty: r.ByDifficulty, MeanTokens: r.MeanTokens, Finished: r.Finished,
			BestOf: r.BestOf, Likeliest: r.Likeliest, Wilson: r.Wilson, Calibration: r.Calibration, Skills: r.Skills, Contamination: r.Contamination}
	}
	return out
}

// results is the inverse of models, for the tables of eval.
func results(models []Model) []eval.Result {
	out := make([]eval.Result, len(models))
	for i, m := range models {
		out[i] = eval.Result{Model: m.Name, Params: m.Params, N: m.N, Samples: m.Samples, PassAt: m.PassAt, CI95: m.CI95, Maj: m.Maj, Reward: m.Reward}
	}
	return out
}

func stage(in Input, id, main string) (st Stage, ok bool, err error) {
	info, ok := in.Stages[id]
	if !ok {
		return Stage{}, false, nil
	}
	st = Stage{ID: id, Kind: info.Kind, Summary: info.Summary, Skipped: info.Skipped, Seconds: info.Seconds, Numbers: info.Numbers, Outputs: info.Outputs}
	if other := in.Results[id]; id != main && len(other) > 0 {
		if st.Models, err = heldAgainst(in, id); err != nil {
			return Stage{}, false, err
		}
	}
	if log, ok := in.Logs[id]; ok {
		st.Curve, st.Alarms = curve(log), log.Alarms
	}
	return st, true, nil
}

// JSON is the report as indented JSON; equal reports give equal bytes.
func (d *Document) JSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return nil, fmt.Errorf("write report of %s as JSON: %w", d.Run, err)
	}
	return b.Bytes(), nil
}
