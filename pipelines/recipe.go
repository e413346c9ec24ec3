package pipelines

import "temper/reward"

// Recipe is an algorithm of the RL family as a value: every paper is a point in this space.
type Recipe struct {
	Group            int               `yaml:"group" json:"group" validate:"gte=1,lte=65536"` // samples a prompt
	Sampling         Sampling          `yaml:"sampling" json:"sampling"`
	Reward           []reward.PartSpec `yaml:"reward" json:"reward"`
	Advantage        Advantage         `yaml:"advantage" json:"advantage"`
	Loss             Loss              `yaml:"loss" json:"loss"`
	OffPolicy        OffPolicy         `yaml:"off_policy" json:"off_policy"`
	DropZeroVariance bool              `yaml:"drop_zero_variance" json:"drop_zero_variance"` // leave out groups whose rewards are all equal
	Interleave       Interleave        `yaml:"interleave" json:"interleave"`
}

// Sampling is how rollouts are drawn.
type Sampling struct {
	Temperature float64 `yaml:"temperature" json:"temperature" validate:"gt=0,lte=10"`
	TopK        int     `yaml:"top_k" json:"top_k" validate:"gte=0"` // 0: off
	TopP        float64 `yaml:"top_p" json:"top_p" validate:"gt=0,lte=1"`
	// Precision is what sampling computes in; empty: float32. In bfloat16 it rounds a copy of the parameters and reads half the bytes for each token, from its
	// cache too; it is for GPUs, for the CPU's kernels compute in float32. Log-probabilities are those of the rounded parameters.
	Precision string `yaml:"precision" json:"precision,omitempty" validate:"omitempty,oneof=float32 bfloat16"`
}

// Advantage is A = sign·(reward − baseline)/scale, for each sample of a group.
type Advantage struct {
	Baseline string `yaml:"baseline" json:"baseline" validate:"oneof=group_mean rloo none"`
	Scale    string `yaml:"scale" json:"scale" validate:"oneof=none group_std batch_std"`
	Signs    Signs  `yaml:"signs" json:"signs"`
}

// Signs weigh positive and negative advantages.
type Signs struct {
	Positive float64 `yaml:"positive" json:"positive" validate:"gte=0,lte=100"`
	Negative float64 `yaml:"negative" json:"negative" validate:"gte=0,lte=100"`
}

// Loss is the policy loss. Aggregate: token is the mean over all tokens of the batch; sequence the mean over samples of each
// sample's token mean; dr the sum over (samples·max_tokens).
type Loss struct {
	Ratio     string  `yaml:"ratio" json:"ratio" validate:"oneof=token sequence none"`
	Clip      Clip    `yaml:"clip" json:"clip"`
	Aggregate string  `yaml:"aggregate" json:"aggregate" validate:"oneof=token sequence dr"`
	KL        KL      `yaml:"kl" json:"kl"`
	Entropy   float64 `yaml:"entropy" json:"entropy" validate:"gte=-10,lte=10"` // coefficient of the bonus
}

// Clip bounds the ratio to [1−low, 1+high]; 0 leaves that side open.
type Clip struct {
	Low  float64 `yaml:"low" json:"low" validate:"gte=0,lt=1"`
	High float64 `yaml:"high" json:"high" validate:"gte=0,lte=100"`
}

// KL is the penalty for leaving the model that the stage starts from. To reference with coefficient 0 measures it and no more.
type KL struct {
	To        string  `yaml:"to" json:"to" validate:"oneof=reference none"`
	Coef      float64 `yaml:"coef" json:"coef" validate:"gte=0,lte=100"`
	Estimator string  `yaml:"estimator" json:"estimator" validate:"oneof=k1 k2 k3"`
}

// OffPolicy says how many optimizer updates one round's rollouts get, and how it is corrected for that another policy sampled them.
type OffPolicy struct {
	Updates    int     `yaml:"updates" json:"updates" validate:"gte=1,lte=1024"`
	Correction string  `yaml:"correction" json:"correction" validate:"oneof=none token_truncate sequence_mask"` // see objective.Correction
	Bound      float64 `yaml:"bound" json:"bound,omitempty" validate:"eq=0|gte=1,lte=1000"`                     // of the correction's weights; default with a correction: 2
}

// Interleave adds supervised steps on problems that the policy cannot solve.
type Interleave struct {
	When   string  `yaml:"when" json:"when" validate:"oneof=unsolved never"`
	Fill   int     `yaml:"fill" json:"fill" validate:"gte=1,lte=1000000"` // problems in the buffer that trigger the steps
	With   string  `yaml:"with" json:"with" validate:"oneof=demonstrations"`
	Loss   string  `yaml:"loss" json:"loss" validate:"oneof=sft"`
	LR     float64 `yaml:"lr" json:"lr" validate:"gt=0,lte=1"`
	Steps  int     `yaml:"steps" json:"steps" validate:"gte=1,lte=10000"` // each time the buffer is full
	Newest bool    `yaml:"newest" json:"newest"`                          // take the newest problems first
}
