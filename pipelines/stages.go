package pipelines

import (
	"math"

	"temper/reward"
)

// Import takes a model from a Hugging Face directory. Output: model.
type Import struct {
	Path string `yaml:"path" json:"path" validate:"required"`
}

// ModelShape is the architecture of a model that starts from random weights.
type ModelShape struct {
	Layers        int     `yaml:"layers" json:"layers" validate:"required,gte=1,lte=1000"`
	Hidden        int     `yaml:"hidden" json:"hidden" validate:"required,gte=8,lte=65536"`
	Heads         int     `yaml:"heads" json:"heads" validate:"required,gte=1,lte=1024"`
	KVHeads       int     `yaml:"kv_heads" json:"kv_heads" validate:"gte=1,lte=1024"`   // default: heads
	HeadDim       int     `yaml:"head_dim" json:"head_dim" validate:"gte=2,lte=1024"`   // default: hidden/heads
	FFN           int     `yaml:"ffn" json:"ffn" validate:"gte=8,lte=1000000"`          // default: 8/3 of hidden, up to a multiple of 16
	QKNorm        bool    `yaml:"qk_norm" json:"qk_norm"`                               // as Qwen3 has it
	QKVBias       bool    `yaml:"qkv_bias" json:"qkv_bias"`                             // as Qwen2 has it
	TieEmbeddings bool    `yaml:"tie_embeddings" json:"tie_embeddings"`                 // default: true
	RopeTheta     float64 `yaml:"rope_theta" json:"rope_theta" validate:"gte=1"`        // base of the rotary frequencies
	MaxPositions  int     `yaml:"max_positions" json:"max_positions" validate:"gte=16"` // tokens
}

// Optim is the AdamW optimizer, its schedule, and how a step is computed.
type Optim struct {
	LR          float64 `yaml:"lr" json:"lr" validate:"gt=0,lte=1"`
	WarmupSteps int     `yaml:"warmup_steps" json:"warmup_steps" validate:"gte=0"`
	Schedule    string  `yaml:"schedule" json:"schedule" validate:"oneof=constant cosine linear wsd"`
	MinLRRatio  float64 `yaml:"min_lr_ratio" json:"min_lr_ratio" validate:"gte=0,lte=1"` // of lr, where all but constant end
	DecayRatio  float64 `yaml:"decay_ratio" json:"decay_ratio" validate:"gte=0,lte=1"`   // share of the steps over which wsd falls
	WeightDecay float64 `yaml:"weight_decay" json:"weight_decay" validate:"gte=0,lte=1"`
	Beta1       float64 `yaml:"beta1" json:"beta1" validate:"gte=0,lt=1"`
	Beta2       float64 `yaml:"beta2" json:"beta2" validate:"gte=0,lt=1"`
	Eps         float64 `yaml:"eps" json:"eps" validate:"gt=0,lte=1"`
	ClipNorm    float64 `yaml:"clip_norm" json:"clip_norm" validate:"gte=0"`                  // 0: no clipping
	Precision   string  `yaml:"precision" json:"precision" validate:"oneof=float32 bfloat16"` // of forward and backward; parameters and moments are float32
	Recompute   bool    `yaml:"recompute" json:"recompute"`                                   // activations in the backward pass (gradient checkpointing): less memory, more time
}

// LoRA trains low-rank adapters of the linear layers in place of the model's parameters.
type LoRA struct {
	Rank    int     `yaml:"rank" json:"rank" validate:"required,gte=1,lte=65536"`
	Alpha   float64 `yaml:"alpha" json:"alpha" validate:"gte=0"`                                                                         // the adapter counts alpha/rank; default: twice the rank
	RSLoRA  bool    `yaml:"rslora" json:"rslora"`                                                                                        // or alpha/√rank
	Targets Names   `yaml:"targets" json:"targets" validate:"unique,dive,oneof=q_proj k_proj v_proj o_proj gate_proj up_proj down_proj"` // default: all of them
}

// Pretrain trains a model from random weights on a procedural stream. Output: model.
type Pretrain struct {
	Model      ModelShape `yaml:"model" json:"model"`
	Data       string     `yaml:"data" json:"data" validate:"required"`           // task set
	Tokenizer  string     `yaml:"tokenizer" json:"tokenizer" validate:"required"` // chars, bytes or a path
	Steps      int        `yaml:"steps" json:"steps" validate:"required,gte=1"`
	Rows       int        `yaml:"rows" json:"rows" validate:"gte=1,lte=65536"`       // of a batch
	Length     int        `yaml:"length" json:"length" validate:"gte=8,lte=1048576"` // tokens a row
	MaskPrompt bool       `yaml:"mask_prompt" json:"mask_prompt"`                    // no loss on prompt tokens; default false
	ChunkSteps int        `yaml:"chunk_steps" json:"chunk_steps" validate:"gte=1"`   // steps an activity; no effect on the weights
	Optim      `yaml:",inline"`
}

// SFT trains a model on demonstrations. Output: model.
type SFT struct {
	Model      string  `yaml:"model" json:"model" validate:"required"`                          // stage
	Data       Names   `yaml:"data" json:"data" validate:"required,min=1,unique,dive,required"` // task sets, or stages that give problems
	Epochs     float64 `yaml:"epochs" json:"epochs" validate:"gte=0,lte=10000"`                 // or steps; default 1 epoch
	Steps      int     `yaml:"steps" json:"steps" validate:"gte=0"`
	Rows       int     `yaml:"rows" json:"rows" validate:"gte=1,lte=65536"`
	Length     int     `yaml:"length" json:"length" validate:"gte=8,lte=1048576"` // tokens a row
	Examples   int     `yaml:"examples" json:"examples" validate:"gte=0"`         // demonstrations a step; 0: as many as fill the rows
	Packing    bool    `yaml:"packing" json:"packing"`                            // several demonstrations a row
	MaskPrompt bool    `yaml:"mask_prompt" json:"mask_prompt"`                    // no loss on prompt tokens; default true
	ChunkSteps int     `yaml:"chunk_steps" json:"chunk_steps" validate:"gte=1"`
	LoRA       *LoRA   `yaml:"lora" json:"lora" validate:"omitempty"` // default: all parameters are trained
	Optim      `yaml:",inline"`
}

// RL trains a model on its own scored samples. Outputs: model, log.
type RL struct {
	Model          string             `yaml:"model" json:"model" validate:"required"`                            // stage
	Tasks          Names              `yaml:"tasks" json:"tasks" validate:"required,min=1,unique,dive,required"` // task sets, or stages that give problems
	Recipe         string             `yaml:"recipe" json:"recipe" validate:"required"`                          // built-in name, or path of a YAML file
	RecipeSettings Recipe             `yaml:"-" json:"recipe_settings"`                                          // the recipe with the stage's override applied
	Rounds         int                `yaml:"rounds" json:"rounds" validate:"gte=0,lte=10000000"`                // or epochs
	Epochs         float64            `yaml:"epochs" json:"epochs" validate:"gte=0,lte=10000"`                   // passes over the problems
	Prompts        int                `yaml:"prompts" json:"prompts" validate:"gte=1,lte=65536"`                 // a round
	MaxTokens      int                `yaml:"max_tokens" json:"max_tokens" validate:"gte=1,lte=1048576"`         // of a response
	Rows           int                `yaml:"rows" json:"rows" validate:"gte=1,lte=65536"`                       // of a training micro-batch
	Length         int                `yaml:"length" json:"length" validate:"gte=0,lte=1048576"`                 // tokens a row; 0: the longest prompt and max_tokens, up to a multiple of 16
	Packing        bool               `yaml:"packing" json:"packing"`                                            // several samples a row; default true
	SaveEvery      int                `yaml:"save_every" json:"save_every" validate:"gte=1"`                     // rounds between snapshots at most; no effect on the weights
	SaveSeconds    float64            `yaml:"save_seconds" json:"save_seconds,omitempty" validate:"gte=0"`       // and time between them at most; 0: any
	Shards         int                `yaml:"shards" json:"shards,omitempty" validate:"gte=0,lte=4096"`          // parts of a round that workers sample and score at once; 0: one worker does all
	Ahead          int                `yaml:"ahead" json:"ahead,omitempty" validate:"gte=0,lte=1"`               // 1: a round is sampled while the one before it trains (one step off policy)
	Weights        map[string]float64 `yaml:"weights" json:"weights" validate:"dive,gte=0"`                      // share of each of tasks; default: by size
	Demos          string             `yaml:"demos" json:"demos"`                                                // task set of demonstrations by prompt; default: each problem's own solution
	LoRA           *LoRA              `yaml:"lora" json:"lora" validate:"omitempty"`                             // default: all parameters are trained
	Optim          `yaml:",inline"`
}

// RoundsFor returns how many rounds the stage runs over a number of problems: rounds, or epochs·problems/prompts, rounded up.
func (s *RL) RoundsFor(problems int) int {
	if s.Rounds > 0 {
		return s.Rounds
	}
	return max(1, int(math.Ceil(s.Epochs*float64(problems)/float64(s.Prompts))))
}

// Curate keeps the problems worth training on. Output: problems.
type Curate struct {
	Method string `yaml:"method" json:"method" validate:"oneof=limr random"`
	Log    string `yaml:"log" json:"log"`                         // rl stage whose log is measured
	Tasks  string `yaml:"tasks" json:"tasks" validate:"required"` // task set the log is about
	Keep   Keep   `yaml:"keep" json:"keep"`
	Like   string `yaml:"like" json:"like"` // random: keep as many as this stage kept
}

// Keep says which problems a curation keeps.
type Keep struct {
	MinScore float64 `yaml:"min_score" json:"min_score" validate:"gte=-1000,lte=1"` // LIMR alignment, at most 1
	Count    int     `yaml:"count" json:"count" validate:"gte=0"`                   // the best so many; 0: all
}

// Synthesize writes problems where the model is weak. Output: problems.
type Synthesize struct {
	Method            string  `yaml:"method" json:"method" validate:"oneof=sws uniform"`                 // uniform: the control, all concepts alike
	Model             string  `yaml:"model" json:"model" validate:"required"`                            // stage that answers (and writes)
	Log               string  `yaml:"log" json:"log" validate:"required"`                                // rl stage whose failures show the weakness
	Tasks             Names   `yaml:"tasks" json:"tasks" validate:"required,min=1,unique,dive,required"` // where the failed problems come from
	Writer            string  `yaml:"writer" json:"writer" validate:"oneof=domain model"`
	Budget            int     `yaml:"budget" json:"budget" validate:"gte=1,lte=10000000"` // problems to write
	Concepts          int     `yaml:"concepts" json:"concepts" validate:"gte=1,lte=64"`   // a problem
	Steps             [2]int  `yaml:"steps" json:"steps" validate:"dive,gte=1,lte=1000"`  // difficulty, both ends included
	AnswerSamples     int     `yaml:"answer_samples" json:"answer_samples" validate:"gte=1,lte=1024"`
	Agree             int     `yaml:"agree" json:"agree" validate:"gte=1"` // of answer_samples
	Keep              Band    `yaml:"keep" json:"keep"`                    // solve rate of problems that are kept
	MaxTokens         int     `yaml:"max_tokens" json:"max_tokens" validate:"gte=1,lte=1048576"`
	Temperature       float64 `yaml:"temperature" json:"temperature" validate:"gt=0,lte=10"`
	SamplingPrecision string  `yaml:"sampling_precision" json:"sampling_precision,omitempty" validate:"omitempty,oneof=float32 bfloat16"` // empty: float32
}

// Band is a closed interval of solve rates.
type Band struct {
	Low  float64 `yaml:"low" json:"low" validate:"gte=0,lte=1"`
	High float64 `yaml:"high" json:"high" validate:"gte=0,lte=1"`
}

// Distill trains a student, from random weights, on a teacher. Output: model.
type Distill struct {
	Teacher           string     `yaml:"teacher" json:"teacher" validate:"required"` // stage
	Student           ModelShape `yaml:"student" json:"student"`
	Init              string     `yaml:"init" json:"init" validate:"oneof=teacher random"` // teacher: its layers, where the shapes agree
	Tasks             Names      `yaml:"tasks" json:"tasks" validate:"required,min=1,unique,dive,required"`
	Samples           int        `yaml:"samples" json:"samples" validate:"gte=1,lte=1024"` // of the teacher, a problem
	OnlyCorrect       bool       `yaml:"only_correct" json:"only_correct"`
	Steps             int        `yaml:"steps" json:"steps" validate:"gte=0"` // on the teacher's samples
	OnPolicy          OnPolicy   `yaml:"on_policy" json:"on_policy"`
	Rows              int        `yaml:"rows" json:"rows" validate:"gte=1,lte=65536"`       // of a batch, on_policy's too
	Length            int        `yaml:"length" json:"length" validate:"gte=8,lte=1048576"` // tokens a row, on_policy's too
	MaxTokens         int        `yaml:"max_tokens" json:"max_tokens" validate:"gte=1,lte=1048576"`
	Temperature       float64    `yaml:"temperature" json:"temperature" validate:"gt=0,lte=10"`
	SamplingPrecision string     `yaml:"sampling_precision" json:"sampling_precision,omitempty" validate:"omitempty,oneof=float32 bfloat16"` // empty: float32
	ChunkSteps        int        `yaml:"chunk_steps" json:"chunk_steps" validate:"gte=1"`
	Optim             `yaml:",inline"`
}

// OnPolicy is distillation on the student's own samples, after the off-policy steps.
type OnPolicy struct {
	Rounds  int     `yaml:"rounds" json:"rounds" validate:"gte=0"` // 0: none
	Prompts int     `yaml:"prompts" json:"prompts" validate:"gte=1,lte=65536"`
	Samples int     `yaml:"samples" json:"samples" validate:"gte=1,lte=1024"`
	KL      string  `yaml:"kl" json:"kl" validate:"oneof=forward reverse jsd"`
	LR      float64 `yaml:"lr" json:"lr" validate:"gt=0,lte=1"`
}

// Evaluate measures models on a task set. Output: report.
type Evaluate struct {
	Models            Names             `yaml:"models" json:"models" validate:"required,min=1,unique,dive,required"` // stages
	Tasks             string            `yaml:"tasks" json:"tasks" validate:"required"`                              // task set
	K                 []int             `yaml:"k" json:"k" validate:"required,min=1,unique,dive,gte=1,lte=65536"`    // of pass@k
	Samples           int               `yaml:"samples" json:"samples" validate:"gte=1,lte=65536"`                   // a problem; default: the largest k
	Temperature       float64           `yaml:"temperature" json:"temperature" validate:"gte=0,lte=10"`              // 0: greedy
	TopP              float64           `yaml:"top_p" json:"top_p" validate:"gt=0,lte=1"`
	SamplingPrecision string            `yaml:"sampling_precision" json:"sampling_precision,omitempty" validate:"omitempty,oneof=float32 bfloat16"` // empty: float32
	MaxTokens         int               `yaml:"max_tokens" json:"max_tokens" validate:"gte=1,lte=1048576"`
	Reward            []reward.PartSpec `yaml:"reward" json:"reward"` // its `correct` part decides what is solved; without one, mean reward is measured alone
}
