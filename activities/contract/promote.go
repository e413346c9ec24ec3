package contract

import (
	"temper/artifact"
	"temper/eval"
)

// GateInput is what the gate of a promotion looks at.
type GateInput struct {
	Evaluation Stage        `json:"evaluation"`      // the stage that measured the model
	Candidate  artifact.Ref `json:"candidate"`       // what it measured
	Fresh      string       `json:"fresh,omitempty"` // as in PipelineInput
}

// NamedModel is what an alias means.
type NamedModel struct {
	Found  bool         `json:"found"` // else there is no such alias
	Ref    artifact.Ref `json:"ref,omitzero"`
	Params int64        `json:"params,omitempty"`
}

// CompareInput asks whether a gate holds between two evaluations of the same problems.
type CompareInput struct {
	Stage     Stage        `json:"stage"` // the promotion
	Model     artifact.Ref `json:"model"`
	Champion  artifact.Ref `json:"champion"`
	Candidate artifact.Ref `json:"candidate"` // evaluation of Model
	Against   artifact.Ref `json:"against"`   // evaluation of Champion
}

// CompareOut is how a comparison went; the record of it is in the artifact.
type CompareOut struct {
	Ref      artifact.Ref `json:"ref"`
	Holds    bool         `json:"holds"`
	Model    float64      `json:"model"` // means of the metric
	Champion float64      `json:"champion"`
	Paired   eval.Paired  `json:"paired"`
	Text     string       `json:"text"` // for people
}

// PromoteInput asks to make an alias name a model in the place of the one that is expected there; the zero Ref expects no alias.
type PromoteInput struct {
	Run    string       `json:"run"`
	Stage  string       `json:"stage"`
	Alias  string       `json:"alias"`
	Model  artifact.Ref `json:"model"`
	Expect artifact.Ref `json:"expect,omitzero"`
	Why    string       `json:"why"`
}

// PromoteOut says whether the alias names the model now; else it was changed by somebody else meanwhile.
type PromoteOut struct {
	Done bool `json:"done"`
}
