package contract

import (
	"temper/artifact"
	"temper/pipelines"
)

// RolloutInput asks for one round's samples of the policy, or those of a shard.
type RolloutInput struct {
	Stage Stage `json:"stage"`
	State State `json:"state"`
	Round int   `json:"round"`
	Shard *Span `json:"shard,omitempty"` // prompts of the round

	Tuning pipelines.Tuning `json:"tuning,omitempty"`
}

// ScoreInput asks for the scores of a shard's samples.
type ScoreInput struct {
	Stage   Stage            `json:"stage"`
	Samples artifact.Ref     `json:"samples"`
	Tuning  pipelines.Tuning `json:"tuning,omitempty"`
}

// GatherInput asks for a round's scored shards as one, in their order.
type GatherInput struct {
	Stage  Stage          `json:"stage"`
	State  State          `json:"state"` // that sampled
	Round  int            `json:"round"`
	Shards []artifact.Ref `json:"shards"`

	Tuning pipelines.Tuning `json:"tuning,omitempty"`
}

// RolloutOutput is what a round's samples were worth.
type RolloutOutput struct {
	Rollouts   artifact.Ref `json:"rollouts"`
	Reward     float64      `json:"reward"`   // mean over samples
	Solved     float64      `json:"solved"`   // share of samples with the verdict correct
	Finished   float64      `json:"finished"` // share of samples that ended by themselves
	Length     float64      `json:"length"`   // mean tokens
	Errors     int          `json:"errors"`   // samples whose reward could not be computed
	Unsolved   []int        `json:"unsolved"` // ordinals of problems that no sample solved and that have a demonstration
	Constant   float64      `json:"constant"` // share of groups whose rewards are all equal
	Ordinals   []int        `json:"ordinals"` // problems of the round
	Seconds    float64      `json:"seconds"`
	TokensRead int          `json:"tokens"`

	Tuning pipelines.Tuning `json:"tuning,omitempty"` // in force when it was sampled
}

// PolicyInput asks for one round's update of a state.
type PolicyInput struct {
	Stage   Stage      `json:"stage"`
	State   State      `json:"state"`
	Step    PolicyStep `json:"step"`
	Publish bool       `json:"publish,omitempty"` // the new parameters for workers that only sample
}

// Of is the stage that is trained.
func (in PolicyInput) Of() Stage { return in.Stage }

// PolicyOutput is the state after a round.
type PolicyOutput struct {
	State   State              `json:"state"`
	Loss    float64            `json:"loss"`
	Norm    float64            `json:"norm"`
	Metrics map[string]float64 `json:"metrics,omitempty"`
	SFTLoss float64            `json:"sft_loss,omitempty"` // of the interleaved step
	Seconds float64            `json:"seconds"`
	LeftOut []LeftOut          `json:"left_out,omitempty"`
}

// LogInput asks for the log of an RL stage.
type LogInput struct {
	Stage   Stage    `json:"stage"`
	Rounds  []Round  `json:"rounds"` // with Earlier those since
	Earlier *Earlier `json:"earlier,omitempty"`
}

// Round is one line of an RL stage's log.
type Round struct {
	Rollouts artifact.Ref `json:"rollouts"`
	Reward   float64      `json:"reward"`
	Solved   float64      `json:"solved"`
	Entropy  float64      `json:"entropy"`
	Norm     float64      `json:"norm"`
	Gap      float64      `json:"gap"` // mean |sampler's − trainer's log-probability|, nats
	// Interleave are the ordinals of the problems whose demonstrations the round trained on.
	Interleave []int     `json:"interleave,omitempty"`
	LeftOut    []LeftOut `json:"left_out,omitempty"`

	Tuning pipelines.Tuning `json:"tuning,omitempty"`
}

// Times are the seconds of an RL stage's rounds so far: in the activities that sample and train, and from the first step of each round to its last.
// What the second has more than the first is orchestration.
type Times struct {
	Sampling float64 `json:"sampling"`
	Training float64 `json:"training"`
	Rounds   float64 `json:"rounds"`
}

// Add adds a round's.
func (t *Times) Add(round Times) {
	t.Sampling += round.Sampling
	t.Training += round.Training
	t.Rounds += round.Rounds
}
