package pipelines

// The rules between settings, one method a kind of stage.

func (s *Import) check(func(string, string, ...any)) {}

func (m *ModelShape) check(path string, report func(string, string, ...any)) {
	if m.Heads%m.KVHeads != 0 {
		report(path+".kv_heads", "must divide heads (%d), is %d", m.Heads, m.KVHeads)
	}
	if m.HeadDim%2 != 0 {
		report(path+".head_dim", "must be even for rotary positions, is %d", m.HeadDim)
	}
}

func (s *Pretrain) check(report func(string, string, ...any)) {
	s.Model.check("model", report)
	if s.Length > s.Model.MaxPositions {
		report("length", "must be at most model.max_positions (%d), is %d", s.Model.MaxPositions, s.Length)
	}
	if s.WarmupSteps > s.Steps {
		report("warmup_steps", "must be at most steps (%d), is %d", s.Steps, s.WarmupSteps)
	}
}

func (s *SFT) check(report func(string, string, ...any)) {
	if s.Epochs > 0 && s.Steps > 0 {
		report("steps", "give epochs or steps, not both")
	}
	if s.Steps > 0 && s.WarmupSteps > s.Steps {
		report("warmup_steps", "must be at most steps (%d), is %d", s.Steps, s.WarmupSteps)
	}
	if !s.Packing && s.Examples > s.Rows {
		report("examples", "must be at most rows (%d) without packing, is %d", s.Rows, s.Examples)
	}
}

func (s *RL) check(report func(string, string, ...any)) {
	switch {
	case s.Rounds > 0 && s.Epochs > 0:
		report("rounds", "give rounds or epochs, not both")
	case s.Rounds == 0 && s.Epochs == 0:
		report("rounds", "is required (or epochs)")
	}
	if s.Length > 0 && s.Length <= s.MaxTokens {
		report("length", "must be above max_tokens (%d), for a row holds the prompt too, is %d", s.MaxTokens, s.Length)
	}
	if s.Shards > s.Prompts {
		report("shards", "must be at most prompts (%d), is %d", s.Prompts, s.Shards)
	}
	if s.Ahead > 0 && s.RecipeSettings.OffPolicy.Correction == "none" {
		report("ahead", "needs a recipe with off_policy.correction, for the policy that samples is one update older than the one that is trained")
	}
	sum := 0.0
	for name, w := range s.Weights {
		sum += w
		if !contains(s.Tasks, name) {
			report("weights."+name, "is not one of the stage's tasks")
		}
	}
	if len(s.Weights) > 0 {
		for _, name := range s.Tasks {
			if _, ok := s.Weights[name]; !ok {
				report("weights", "has no share for %q; give every one of tasks its share, 0 for none", name)
			}
		}
		if sum <= 0 {
			report("weights", "must not all be 0")
		}
	}
	s.RecipeSettings.check("recipe_settings", report)
}

func (r *Recipe) check(path string, report func(string, string, ...any)) {
	if r.Group < 2 && (r.Advantage.Baseline != "none" || r.Advantage.Scale == "group_std") {
		report(path+".group", "must be at least 2 for a baseline or a scale of the group, is %d", r.Group)
	}
	if r.Loss.Ratio == "none" && (r.Loss.Clip.Low > 0 || r.Loss.Clip.High > 0) {
		report(path+".loss.clip", "there is no ratio to clip with ratio none; set low and high to 0")
	}
	if r.Loss.Ratio == "none" && r.OffPolicy.Updates > 1 {
		report(path+".off_policy.updates", "must be 1 with ratio none: later updates would treat old samples as fresh ones, is %d", r.OffPolicy.Updates)
	}
	if r.OffPolicy.Correction == "none" && r.OffPolicy.Bound != 0 {
		report(path+".off_policy.bound", "is for a correction, and there is none")
	}
	if r.Loss.KL.To == "none" && r.Loss.KL.Coef > 0 {
		report(path+".loss.kl.to", "must be reference for a coefficient above 0")
	}
	checkReward(r.Reward, path+".reward", report)
	if r.Interleave.When == "unsolved" && !judges(r.Reward) {
		report(path+".reward", "needs a correct part, for interleave takes the problems that no sample solves")
	}
}

func (s *Curate) check(report func(string, string, ...any)) {
	switch s.Method {
	case "limr":
		if s.Log == "" {
			report("log", "is required for limr")
		}
		if s.Like != "" {
			report("like", "is for method random")
		}
	case "random":
		if (s.Like == "") == (s.Keep.Count == 0) {
			report("like", "method random needs like or keep.count, one of them")
		}
	}
}

func (s *Synthesize) check(report func(string, string, ...any)) {
	if s.Agree > s.AnswerSamples {
		report("agree", "must be at most answer_samples (%d), is %d", s.AnswerSamples, s.Agree)
	}
	if s.Steps[0] > s.Steps[1] {
		report("steps", "must be [lo, hi], is [%d, %d]", s.Steps[0], s.Steps[1])
	}
	if s.Keep.Low > s.Keep.High {
		report("keep.low", "must be at most keep.high (%v), is %v", s.Keep.High, s.Keep.Low)
	}
}

func (s *Distill) check(report func(string, string, ...any)) {
	s.Student.check("student", report)
	if s.Steps == 0 && s.OnPolicy.Rounds == 0 {
		report("steps", "give steps, on_policy.rounds, or both")
	}
	if s.Steps > 0 && s.WarmupSteps > s.Steps {
		report("warmup_steps", "must be at most steps (%d), is %d", s.Steps, s.WarmupSteps)
	}
	if s.Length > s.Student.MaxPositions {
		report("length", "must be at most student.max_positions (%d), is %d", s.Student.MaxPositions, s.Length)
	}
	if s.OnPolicy.Rounds > 0 && s.Length <= s.MaxTokens {
		report("length", "must be above max_tokens (%d) for on_policy, for a row holds the prompt too, is %d", s.MaxTokens, s.Length)
	}
}

func (s *Evaluate) check(report func(string, string, ...any)) {
	for i, k := range s.K {
		if k > s.Samples {
			report("k", "k[%d] is %d, above samples (%d)", i, k, s.Samples)
		}
	}
	if s.Temperature == 0 && s.Samples > 1 {
		report("temperature", "must be above 0 to draw %d different samples", s.Samples)
	}
	checkReward(s.Reward, "reward", report)
}
