package contract

import "temper/pipelines"

// Updates that a run's workflow and the workflows of its stages take, with a Control as their input; each answers with a line of text.
const (
	UpdatePause   = "pause"   // after the iteration under way; a run also starts no further stage
	UpdateResume  = "resume"  // go on
	UpdateSet     = "set"     // change settings of a stage from its next iteration on
	UpdateStop    = "stop"    // end a stage after the iteration under way and keep what it has
	UpdateApprove = "approve" // let a run pass the gate after a stage; to the run alone
	UpdateReject  = "reject"  // fail it there; to the run alone
)

// SignalControl carries what a run was asked for a stage to the stage's workflow.
const SignalControl = "control"

// QueryMetrics asks a stage for the Metrics of its last iterations; its input is how many.
const QueryMetrics = "metrics"

// Control is what a person asks of a run or a stage. All of it may be left out where it is not needed.
type Control struct {
	Do     string           `json:"do,omitempty"`     // in a signal: the name of the update
	Stage  string           `json:"stage,omitempty"`  // to a run: which stage is meant; empty: the one that it can mean
	Values pipelines.Tuning `json:"values,omitempty"` // of set
	Who    string           `json:"who,omitempty"`
	Why    string           `json:"why,omitempty"`
}

// Intervention is something that a person changed in a stage, so that its result is not what its settings alone give.
type Intervention struct {
	Do     string           `json:"do"` // set or stop
	Values pipelines.Tuning `json:"values,omitempty"`
	After  int              `json:"after"` // iterations that were done as before
	Who    string           `json:"who,omitempty"`
	Why    string           `json:"why,omitempty"`
}

// Controlled is what people have asked of a stage so far, for a workflow that goes on with it.
type Controlled struct {
	Tuning        pipelines.Tuning `json:"tuning,omitempty"` // in force
	Interventions []Intervention   `json:"interventions,omitempty"`
	Paused        bool             `json:"paused,omitempty"`
	Stopping      bool             `json:"stopping,omitempty"`
}

// Metrics are the numbers of one iteration of a stage.
type Metrics struct {
	Iteration int                `json:"iteration"` // how much is done with it
	Values    map[string]float64 `json:"values"`
}
