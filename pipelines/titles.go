package pipelines

import (
	"fmt"
	"strings"
)

func (s *Import) title() string { return "import " + s.Path }

func (m *ModelShape) String() string {
	return fmt.Sprintf("%d layers of %d, %d/%d heads", m.Layers, m.Hidden, m.Heads, m.KVHeads)
}

func (s *Pretrain) title() string {
	return fmt.Sprintf("pretrain %s for %d steps of %d×%d tokens, lr %g", &s.Model, s.Steps, s.Rows, s.Length, s.LR)
}

func (s *SFT) title() string {
	span := fmt.Sprintf("%g epochs", s.Epochs)
	if s.Steps > 0 {
		span = fmt.Sprintf("%d steps", s.Steps)
	}
	return fmt.Sprintf("fine-tune %s for %s, %d rows of %d tokens, lr %g%s", s.Model, span, s.Rows, s.Length, s.LR, s.LoRA)
}

func (s *RL) title() string {
	span := fmt.Sprintf("%d rounds", s.Rounds)
	if s.Rounds == 0 {
		span = fmt.Sprintf("%g epochs", s.Epochs)
	}
	return fmt.Sprintf("%s on %s for %s of %d prompts × %d samples, lr %g%s", s.Recipe, s.Model, span, s.Prompts, s.RecipeSettings.Group, s.LR, s.LoRA)
}

// String is how an adapter ends the title of its stage.
func (l *LoRA) String() string {
	if l == nil {
		return ""
	}
	return fmt.Sprintf(", LoRA of rank %d", l.Rank)
}

func (s *Curate) title() string {
	switch {
	case s.Like != "":
		return fmt.Sprintf("keep as many at random as %s", s.Like)
	case s.Method == "random":
		return fmt.Sprintf("keep %d at random", s.Keep.Count)
	case s.Keep.Count > 0:
		return fmt.Sprintf("keep the best %d by alignment of at least %g in %s", s.Keep.Count, s.Keep.MinScore, s.Log)
	}
	return fmt.Sprintf("keep alignment of at least %g in %s", s.Keep.MinScore, s.Log)
}

func (s *Synthesize) title() string {
	where := "where " + s.Log + " failed"
	if s.Method == "uniform" {
		where = "for all concepts alike"
	}
	return fmt.Sprintf("write %d problems (%s) %s, keep solve rates from %g to %g", s.Budget, s.Writer, where, s.Keep.Low, s.Keep.High)
}

func (s *Distill) title() string {
	text := fmt.Sprintf("distill %s into %s: %d steps", s.Teacher, &s.Student, s.Steps)
	if s.OnPolicy.Rounds > 0 {
		text += fmt.Sprintf(", %d rounds on-policy (%s KL)", s.OnPolicy.Rounds, s.OnPolicy.KL)
	}
	return text
}

func (s *Evaluate) title() string {
	if !judges(s.Reward) {
		return fmt.Sprintf("measure mean reward of %s with %d samples", strings.Join(s.Models, ", "), s.Samples)
	}
	ks := make([]string, len(s.K))
	for i, k := range s.K {
		ks[i] = fmt.Sprintf("pass@%d", k)
	}
	return fmt.Sprintf("measure %s of %s with %d samples", strings.Join(ks, ", "), strings.Join(s.Models, ", "), s.Samples)
}
