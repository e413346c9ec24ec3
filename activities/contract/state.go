package contract

import (
	"temper/artifact"
	"temper/pipelines"
)

// SnapshotKind is the kind of artifact that a snapshot is.
const SnapshotKind = "state"

// State is a model in training as a value: a snapshot in the bucket and the updates since. Key names the state that they lead to; a
// worker that holds it goes on at once, any other restores the snapshot and replays the updates to the same bits.
type State struct {
	Snapshot artifact.Ref `json:"snapshot"`
	Log      []Update     `json:"log,omitempty"`
	Key      string       `json:"key"`
	Step     int          `json:"step"`            // optimizer steps in this stage
	Parts    int          `json:"parts,omitempty"` // into which its updates cut micro-batches, since one did not fit the device

	Progress artifact.Ref `json:"progress,omitzero"` // the checkpoint that was written with the snapshot

	Policy artifact.Ref `json:"policy,omitzero"` // its parameters for workers that only sample, where they are published
	Home   string       `json:"home,omitempty"`  // queue of the worker that holds it
}

// Update is one logged change of a state. Exactly one of its parts is set.
type Update struct {
	Demos    *DemoSteps   `json:"demos,omitempty"`
	Policy   *PolicyStep  `json:"policy,omitempty"`    // one round of reinforcement learning
	OnPolicy *DistillStep `json:"on_policy,omitempty"` // one round of on-policy distillation
	Parts    int          `json:"parts,omitempty"`     // as in State: the sum over parts is rounded otherwise than that over the whole
}

// DemoSteps is the update of a span of steps on demonstrations.
type DemoSteps struct {
	Span
	Data  artifact.Ref `json:"data,omitzero"` // demonstrations made in this stage, instead of the stage's own data
	Total int          `json:"total"`         // steps of the whole schedule
}

// Span is a range of steps [From, To). Tuning is what of the stage's settings was in force other than in the pipeline, here and below.
type Span struct {
	From   int              `json:"from"`
	To     int              `json:"to"`
	Tuning pipelines.Tuning `json:"tuning,omitempty"`
}

// PolicyStep is the update of one round: on its rollouts, then on the demonstrations of the problems in Interleave, if any.
type PolicyStep struct {
	Round      int          `json:"round"`
	Rollouts   artifact.Ref `json:"rollouts"`
	Interleave []int        `json:"interleave,omitempty"` // ordinals in the stage's problems

	Tuning pipelines.Tuning `json:"tuning,omitempty"`
}

// DistillStep is the update of one round of on-policy distillation: the student's samples, judged by the teacher's logits.
type DistillStep struct {
	Round  int              `json:"round"`
	Tuning pipelines.Tuning `json:"tuning,omitempty"`
}

// Earlier is what a workflow keeps of rounds that are in a checkpoint: all of them are there, in its file. What Temporal carries does not grow with them.
type Earlier struct {
	Progress artifact.Ref `json:"progress"`
	Count    int          `json:"count"`
	First    Round        `json:"first"`
	Last     []Round      `json:"last"`               // KeepRounds at most
	LeftOut  []LeftOut    `json:"left_out,omitempty"` // of the rounds before Last
}

// KeepRounds is how many rounds a workflow remembers of those that are in a checkpoint.
const KeepRounds = 100

// Keep is Earlier of rounds that are in a checkpoint: those that e had, and more.
func (e *Earlier) Keep(progress artifact.Ref, more []Round) *Earlier {
	out := Earlier{Progress: progress}
	all := more
	if e != nil {
		out = Earlier{Progress: progress, Count: e.Count, First: e.First, LeftOut: e.LeftOut}
		all = append(append([]Round{}, e.Last...), more...)
	}
	if out.Count == 0 && len(more) > 0 {
		out.First = more[0]
	}
	out.Count += len(more)
	gone := max(0, len(all)-KeepRounds)
	for _, r := range all[:gone] {
		out.LeftOut = append(append([]LeftOut{}, out.LeftOut...), r.LeftOut...)
	}
	out.Last = all[gone:]
	return &out
}

// Count is how many rounds there were.
func (r Resume) Count() int {
	if r.Earlier != nil {
		return r.Earlier.Count + len(r.Rounds)
	}
	return len(r.Rounds)
}

// Resume is the progress of a stage.
type Resume struct {
	State   State    `json:"state"`
	Rounds  []Round  `json:"rounds,omitempty"` // of reinforcement learning; with Earlier those since
	Earlier *Earlier `json:"earlier,omitempty"`
	Buffer  []int    `json:"buffer,omitempty"`
	Demos   []int    `json:"demos,omitempty"`

	Done    int                `json:"done,omitempty"`    // steps, and rounds of distillation
	Data    artifact.Ref       `json:"data,omitzero"`     // the teacher's samples
	Numbers map[string]float64 `json:"numbers,omitempty"` // of the result, as far as they are known
	Control *Controlled        `json:"control,omitempty"`
	Note    string             `json:"note,omitempty"` // where it comes from, for people
	Times   Times              `json:"times,omitzero"`
	Ahead   *RolloutOutput     `json:"ahead,omitempty"` // the next round's samples, where they were drawn ahead
}
