package pipelines

import "temper/reward"

// Every default of a pipeline stands in this file.

// defaultConcurrency is how many stages run at once.
const defaultConcurrency = 1

// defaultReportSamples is how many problems a report shows responses to.
const defaultReportSamples = 3

func defaultShape() ModelShape {
	return ModelShape{TieEmbeddings: true, RopeTheta: 10000, MaxPositions: 2048}
}

// defaultOptim is AdamW as small models like it. TRL, verl and the RL papers agree on lr 1e-6 and a constant schedule for RL.
func defaultOptim(lr float64, schedule string) Optim {
	return Optim{LR: lr, Schedule: schedule, Precision: "float32", DecayRatio: 0.1, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, ClipNorm: 1}
}

func defaultPretrain() *Pretrain {
	s := &Pretrain{Model: defaultShape(), Tokenizer: "chars", Rows: 32, Length: 256, ChunkSteps: 200, Optim: defaultOptim(3e-4, "cosine")}
	s.WeightDecay, s.MinLRRatio = 0.1, 0.1
	return s
}

func defaultSFT() *SFT {
	return &SFT{Rows: 32, Length: 512, MaskPrompt: true, ChunkSteps: 200, Optim: defaultOptim(1e-5, "cosine")}
}

func defaultRL() *RL {
	return &RL{Recipe: "grpo", RecipeSettings: DefaultRecipe(), Prompts: 32, MaxTokens: 256, Rows: 64, Packing: true, SaveEvery: 10, Optim: defaultOptim(1e-6, "constant")}
}

// DefaultRecipe is what a recipe file starts from: one update on fresh samples, plain policy gradient against the group's mean.
func DefaultRecipe() Recipe {
	return Recipe{
		Group:      8,
		Sampling:   Sampling{Temperature: 1, TopP: 1},
		Reward:     []reward.PartSpec{{Kind: "correct", Weight: 1}},
		Advantage:  Advantage{Baseline: "group_mean", Scale: "none", Signs: Signs{Positive: 1, Negative: 1}},
		Loss:       Loss{Ratio: "token", Aggregate: "token", KL: KL{To: "none", Estimator: "k3"}},
		OffPolicy:  OffPolicy{Updates: 1, Correction: "none"},
		Interleave: Interleave{When: "never", Fill: 128, With: "demonstrations", Loss: "sft", LR: 1e-6, Steps: 1, Newest: true},
	}
}

// defaultCurate keeps what the LIMR script keeps (arXiv 2502.11886): alignment of at least 0.6.
func defaultCurate() *Curate { return &Curate{Method: "limr", Keep: Keep{MinScore: 0.6}} }

// defaultSynthesize has the numbers of SwS (arXiv 2506.08989): 8 answers of which 4 agree, solve rates in [.125, .875].
func defaultSynthesize() *Synthesize {
	return &Synthesize{Method: "sws", Writer: "domain", Budget: 1000, Concepts: 2, Steps: [2]int{1, 3}, AnswerSamples: 8, Agree: 4,
		Keep: Band{Low: 0.125, High: 0.875}, MaxTokens: 256, Temperature: 1}
}

func defaultDistill() *Distill {
	return &Distill{Student: defaultShape(), Init: "teacher", Samples: 4, OnlyCorrect: true, Rows: 32, Length: 512, MaxTokens: 256, Temperature: 1, ChunkSteps: 200,
		OnPolicy: OnPolicy{Prompts: 32, Samples: 1, KL: "reverse", LR: 1e-5}, Optim: defaultOptim(1e-4, "cosine")}
}

func defaultEvaluate() *Evaluate {
	return &Evaluate{K: []int{1}, Temperature: 1, TopP: 1, MaxTokens: 256, Reward: []reward.PartSpec{{Kind: "correct", Weight: 1}}}
}

// complete derives the sizes of a model from those that are given.
func (m *ModelShape) complete() {
	if m.KVHeads == 0 {
		m.KVHeads = m.Heads
	}
	if m.HeadDim == 0 && m.Heads > 0 {
		m.HeadDim = m.Hidden / m.Heads
	}
	if m.FFN == 0 {
		m.FFN = (m.Hidden*8/3 + 15) / 16 * 16
	}
}

func (s *Import) complete()   {}
func (s *Pretrain) complete() { s.Model.complete() }

func (s *SFT) complete() {
	if s.Epochs == 0 && s.Steps == 0 {
		s.Epochs = 1
	}
	s.LoRA.complete()
}

func (s *RL) complete() {
	s.LoRA.complete()
	if o := &s.RecipeSettings.OffPolicy; o.Correction != "none" && o.Bound == 0 {
		o.Bound = 2 // as verl and OpenRLHF have it
	}
}

func (l *LoRA) complete() {
	if l == nil {
		return
	}
	if l.Alpha == 0 {
		l.Alpha = 2 * float64(l.Rank)
	}
	if len(l.Targets) == 0 {
		l.Targets = Names{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
	}
}

func (s *Curate) complete()     {}
func (s *Synthesize) complete() {}
func (s *Distill) complete()    { s.Student.complete() }

func (s *Evaluate) complete() {
	if s.Samples != 0 {
		return
	}
	for _, k := range s.K {
		s.Samples = max(s.Samples, k)
	}
}
