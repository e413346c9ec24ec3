// Package contract is what workflows and activities say to each other: task queues, activity names, their inputs and outputs. Only
// references, small structs and numbers are in it, for all of it enters Temporal's history.
//
// It may import artifact, pipelines, eval's result types and the standard library.
package contract

import (
	"temper/artifact"
	"temper/eval"
	"temper/pipelines"
	"temper/tasks"
)

// Task queues, by what a worker must have.
const (
	QueueLight = "temper"     // workflows and light activities
	QueueCPU   = "temper-cpu" // curation, reports
	QueueGPU   = "temper-gpu" // an accelerator
)

// Names of workflows.
const (
	PipelineWorkflow = "Pipeline"
)

// StageWorkflows names the workflow of each kind of stage.
var StageWorkflows = map[string]string{
	"import": "Import", "pretrain": "Pretrain", "sft": "SFT", "rl": "RL", "curate": "Curate",
	"synthesize": "Synthesize", "distill": "Distill", "evaluate": "Evaluate", "alias": "Alias", "promote": "Promote",
}

// Names of activities.
const (
	PrepareTasks   = "PrepareTasks"  // task sets → data sets in the bucket
	RecallStage    = "RecallStage"   // has this stage been done with these inputs?
	RememberStage  = "RememberStage" // it has now
	ImportModel    = "ImportModel"
	InitModel      = "InitModel"
	TrainDemos     = "TrainDemos"
	Rollout        = "Rollout"        // all samples of a round, scored
	SampleShard    = "SampleShard"    // or some of them,
	ScoreShard     = "ScoreShard"     // their scores,
	GatherRollouts = "GatherRollouts" // and all shards as one
	UpdatePolicy   = "UpdatePolicy"
	SaveState      = "SaveState"
	ExportModel    = "ExportModel"
	WriteLog       = "WriteLog"
	CurateData     = "CurateData"
	WriteProblems  = "WriteProblems"
	FilterProblems = "FilterProblems"
	PlanDemos      = "PlanDemos"
	SampleTeacher  = "SampleTeacher"
	DistillRound   = "DistillRound"
	EvaluateModel  = "EvaluateModel"
	WriteReport    = "WriteReport"
	ResolveAlias   = "ResolveAlias"  // what does this name mean now?
	CompareModels  = "CompareModels" // does a gate hold?
	PromoteModel   = "PromoteModel"  // from now on the name means this model
)

// Stage is what every activity of a stage is told.
type Stage struct {
	Run   string          `json:"run"` // id of the pipeline's workflow
	Seed  uint64          `json:"seed"`
	Stage pipelines.Stage `json:"stage"`

	// Inputs by the name that the settings use for them: a task set or a stage.
	Data   map[string]artifact.Ref `json:"data,omitempty"` // problems
	Models map[string]artifact.Ref `json:"models,omitempty"`
	Logs   map[string]artifact.Ref `json:"logs,omitempty"`
	// Interventions are what people changed in the stage, for the lineage of what it gives.
	Interventions []Intervention `json:"interventions,omitempty"`
	// Streams are the procedural sources of the stage's task sets, for stages that read them without end.
	Streams map[string]tasks.Source `json:"streams,omitempty"`
	Fresh   string                  `json:"fresh,omitempty"` // as in PipelineInput
}

// Dataset describes one task set once it is in the bucket.
type Dataset struct {
	Ref   artifact.Ref `json:"ref"`
	Count int          `json:"count"`
}

// PrepareInput asks for the task sets of a pipeline as data sets.
type PrepareInput struct {
	Run   string                  `json:"run"`
	Tasks map[string]tasks.Source `json:"tasks"`
}

// Recalled is the answer to RecallStage.
type Recalled struct {
	Found bool     `json:"found"`
	Note  string   `json:"note,omitempty"` // why a remembered stage is done again
	Stage StageOut `json:"stage"`
	// Resume is how far an earlier run has come with a stage that it did not finish.
	Resume *Resume `json:"resume,omitempty"`
}

// RememberInput records a finished stage.
type RememberInput struct {
	Key   string   `json:"key"`
	Stage StageOut `json:"stage"`
}

// ModelInfo describes a model artifact.
type ModelInfo struct {
	Ref    artifact.Ref `json:"ref"`
	Params int64        `json:"params"`
}

// TrainInput asks for steps [From, To) on the stage's demonstrations.
type TrainInput struct {
	Stage Stage        `json:"stage"`
	State State        `json:"state"`
	Data  artifact.Ref `json:"data,omitzero"` // demonstrations made in this stage, instead of the stage's own data
	Span  Span         `json:"span"`
	Total int          `json:"total"` // steps of the whole schedule

	Checkpoint *Checkpoint `json:"checkpoint,omitempty"`
}

// Of is the stage that is trained.
func (in TrainInput) Of() Stage { return in.Stage }

// TrainOutput is the state after a span, saved, and the mean loss over it.
type TrainOutput struct {
	State  State   `json:"state"`
	Loss   float64 `json:"loss"`
	Norm   float64 `json:"norm"`
	Tokens int     `json:"tokens"` // trained

	LeftOut []LeftOut `json:"left_out,omitempty"`
}

// LeftOut is an update that was left out because its gradient was not finite: the state stayed as it was.
type LeftOut struct {
	Update string   `json:"update"`
	Loss   string   `json:"loss"`
	Batch  []string `json:"batch"` // how its first sequences begin
}

// StateInput names a state of a stage.
type StateInput struct {
	Stage Stage `json:"stage"`
	State State `json:"state"`

	Checkpoint *Checkpoint `json:"checkpoint,omitempty"`
}

// Checkpoint asks an activity that writes a snapshot to remember it: how far the stage with this key has come. The activity fills in the
// state. A later run of the same stage goes on from it.
type Checkpoint struct {
	Key    string `json:"key"`
	Resume Resume `json:"resume"`
}

// Of is the stage that is trained.
func (in StateInput) Of() Stage { return in.Stage }

// ProblemsOut is what a stage that selects or makes problems gives.
type ProblemsOut struct {
	Ref     artifact.Ref       `json:"ref"`
	Count   int                `json:"count"`
	Numbers map[string]float64 `json:"numbers,omitempty"`
	Summary string             `json:"summary"`
}

// CurateInput asks for a selection of problems. Count is how many a random control keeps.
type CurateInput struct {
	Stage Stage `json:"stage"`
	Count int   `json:"count,omitempty"`
}

// FilterInput asks for the written problems that have an agreed answer and the right difficulty.
type FilterInput struct {
	Stage   Stage       `json:"stage"`
	Written ProblemsOut `json:"written"`
}

// TeacherOut is the teacher's samples as demonstrations.
type TeacherOut struct {
	Data    artifact.Ref `json:"data"`
	Count   int          `json:"count"`
	Correct float64      `json:"correct"` // share of all samples
}

// DistillInput asks for one round of on-policy distillation.
type DistillInput struct {
	Stage Stage `json:"stage"`
	State State `json:"state"`
	Round int   `json:"round"`

	Tuning pipelines.Tuning `json:"tuning,omitempty"`
}

// Of is the stage that is trained.
func (in DistillInput) Of() Stage { return in.Stage }

// DistillOutput is the student after a round.
type DistillOutput struct {
	State      State   `json:"state"`
	Divergence float64 `json:"divergence"` // nats a token
	Norm       float64 `json:"norm"`
	Solved     float64 `json:"solved"`

	LeftOut []LeftOut `json:"left_out,omitempty"`
}

// EvaluateInput asks for the evaluation of one model.
type EvaluateInput struct {
	Stage Stage        `json:"stage"`
	Name  string       `json:"name"` // stage that made the model
	Model artifact.Ref `json:"model"`
}

// EvaluateOutput is one row of an evaluation; the responses are in the artifact.
type EvaluateOutput struct {
	Ref    artifact.Ref `json:"ref"`
	Result eval.Result  `json:"result"`
}

// ReportInput asks for the report of a run.
type ReportInput struct {
	Run      string              `json:"run"`
	Pipeline *pipelines.Pipeline `json:"pipeline"`
	Stages   map[string]StageOut `json:"stages"`
	Fresh    string              `json:"fresh,omitempty"`
}

// ReportOut is the report of a run: the artifact and the table that people see.
type ReportOut struct {
	Ref   artifact.Ref `json:"ref"`
	Table string       `json:"table"` // Markdown
}

// StageInput starts the workflow of one stage.
type StageInput struct {
	Pipeline string `json:"pipeline,omitempty"` // name, for people

	Stage Stage  `json:"stage"`
	Key   string `json:"key"` // hash of everything that decides its outputs
	// Count of the problems that the control of a random selection kept.
	Count int `json:"count,omitempty"`
	// Counts of the data sets, by name.
	Counts map[string]int `json:"counts,omitempty"`
	// Gate is what a promotion looks at.
	Gate *GateInput `json:"gate,omitempty"`
	// Or is the input of the stage that makes the model where an alias is not set yet.
	Or *StageInput `json:"or,omitempty"`
	// Resume carries the progress of a stage whose history grew too long.
	Resume *Resume `json:"resume,omitempty"`
}

// StageOut is what a stage gives.
type StageOut struct {
	Outputs map[string]artifact.Ref `json:"outputs"` // by pipelines' output names
	Skipped bool                    `json:"skipped,omitempty"`
	Summary string                  `json:"summary"`
	Numbers map[string]float64      `json:"numbers,omitempty"`
	Results []eval.Result           `json:"results,omitempty"` // of an evaluation
	Seconds float64                 `json:"seconds,omitempty"`
	// Interventions are what people changed while it ran; such a result is not remembered under the stage's key.
	Interventions []Intervention `json:"interventions,omitempty"`
}

// PipelineInput starts a run.
type PipelineInput struct {
	Pipeline *pipelines.Pipeline `json:"pipeline"`
	// Fresh, where not empty, is a name that keeps this run from taking earlier stages' results.
	Fresh string `json:"fresh,omitempty"`
	// Period, in seconds, makes each run of a schedule an occurrence of the pipeline: the number of periods from 1970 to the time that it
	// was scheduled for. Occurrence gives the number itself.
	Period     int64  `json:"period_seconds,omitempty"`
	Occurrence uint64 `json:"occurrence,omitempty"`
}

// PipelineOut is what a run gives.
type PipelineOut struct {
	Stages map[string]StageOut `json:"stages"`
	Report ReportOut           `json:"report"`
}

// Progress is the answer to the query "progress" of a pipeline or a stage.
type Progress struct {
	Name   string          `json:"name"`
	Stages []StageProgress `json:"stages,omitempty"` // of a pipeline
	Done   int             `json:"done"`
	Total  int             `json:"total"`
	Line   string          `json:"line,omitempty"` // the newest numbers, for people
	Paused bool            `json:"paused,omitempty"`
	// Tuning is what a person has changed of a stage's settings.
	Tuning pipelines.Tuning `json:"tuning,omitempty"`
}

// StageProgress is one stage of a pipeline's progress.
type StageProgress struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"`
	Workflow string `json:"workflow"`
	Status   string `json:"status"` // waiting, running, gate, done, skipped or failed
	Summary  string `json:"summary,omitempty"`
}

// QueryProgress is the query that pipelines and stages answer with Progress.
const QueryProgress = "progress"
