package report

import (
	"fmt"

	"temper/eval"
	"temper/pipelines"
)

// Learning What Reinforcement Learning Can't: Interleaved Online Fine-Tuning for Hardest Questions (ReLIFT), arXiv 2506.07527.
// What it claims and this part shows: with demonstrations for a small share of the questions,
//
//	demonstration_share = |questions whose demonstration was trained on| / |questions|
//
// the model comes to solve questions that the base could not, more of them than reinforcement learning alone on the same number of
// rollouts:
//
//	solved_now = |{q : base solved q in no sample, the model in at least one}| / |{q : base solved q in no sample}|
//
// Deviations: the paper reports accuracy on test sets; unsolved questions are counted here by samples of an evaluation on training
// questions, the same number for each model.

// ReLIFT is what demonstrations for the hardest questions were worth.
type ReLIFT struct {
	Stage      string `json:"stage"`
	Control    string `json:"control,omitempty"`
	Base       string `json:"base"`
	Evaluation string `json:"evaluation"`

	Questions          int     `json:"questions"`           // distinct problems that the stage drew
	Demonstrations     int     `json:"demonstrations"`      // distinct problems whose demonstration was trained on
	DemonstrationShare float64 `json:"demonstration_share"` // of the questions
	Rollouts           int     `json:"rollouts"`
	ControlRollouts    *int    `json:"control_rollouts,omitempty"`

	N                int      `json:"n"`               // problems judged for all the models
	UnsolvedBefore   int      `json:"unsolved_before"` // of these, in no sample of the base
	SolvedNow        *float64 `json:"solved_now"`      // share of unsolved_before; null where that is 0
	ControlSolvedNow *float64 `json:"control_solved_now,omitempty"`

	PassAt1        float64      `json:"pass_at_1"` // on the n problems
	ControlPassAt1 *float64     `json:"control_pass_at_1,omitempty"`
	Paired         *eval.Paired `json:"paired,omitempty"` // stage − control in pass@1
}

func (b builder) relift(spec pipelines.ReLIFTReport) (*ReLIFT, error) {
	log, err := b.log(spec.Stage)
	if err != nil {
		return nil, err
	}
	out := &ReLIFT{Stage: spec.Stage, Control: spec.Control, Base: spec.Base, Evaluation: spec.Evaluation}
	out.Questions, out.Demonstrations = log.drawn(), log.demonstrated()
	if out.Questions > 0 {
		out.DemonstrationShare = float64(out.Demonstrations) / float64(out.Questions)
	}
	if out.Rollouts, err = b.rollouts(spec.Stage, log); err != nil {
		return nil, err
	}
	names := []string{spec.Base, spec.Stage}
	if spec.Control != "" {
		control, err := b.log(spec.Control)
		if err != nil {
			return nil, err
		}
		n, err := b.rollouts(spec.Control, control)
		if err != nil {
			return nil, err
		}
		out.ControlRollouts = &n
		names = append(names, spec.Control)
	}
	rows, err := b.judged(spec.Evaluation, names...)
	if err != nil {
		return nil, err
	}
	return out, b.unsolved(out, rows)
}

// unsolved fills in what the evaluation says; the rows are the base, the stage and, where there is one, the control.
func (b builder) unsolved(out *ReLIFT, rows []row) (err error) {
	solved := make([]int, len(rows[0])) // by model, of the problems that the base never solved
	for _, r := range rows {
		if r[0].Correct > 0 {
			continue
		}
		out.UnsolvedBefore++
		for i, d := range r {
			if d.Correct > 0 {
				solved[i]++
			}
		}
	}
	share := func(i int) *float64 {
		if out.UnsolvedBefore == 0 {
			return nil
		}
		s := float64(solved[i]) / float64(out.UnsolvedBefore)
		return &s
	}
	out.N, out.SolvedNow, out.PassAt1 = len(rows), share(1), mean(rates(rows, 1))
	if out.Control == "" {
		return nil
	}
	control := mean(rates(rows, 2))
	out.ControlSolvedNow, out.ControlPassAt1 = share(2), &control
	out.Paired, err = b.paired(rows, 1, 2)
	return err
}

// drawn counts the distinct problems that a log has samples of.
func (l Log) drawn() int {
	seen := map[string]bool{}
	for _, p := range l.Problems {
		if len(p.Visits) > 0 {
			seen[p.ID] = true
		}
	}
	return len(seen)
}

// demonstrated counts the distinct problems whose demonstration was trained on.
func (l Log) demonstrated() int {
	seen := map[string]bool{}
	for _, r := range l.Rounds {
		for _, id := range r.Demos {
			seen[id] = true
		}
	}
	return len(seen)
}

// rollouts is the budget that a stage spent: rounds × prompts × samples a prompt.
func (b builder) rollouts(stage string, log Log) (int, error) {
	st := b.in.Pipeline.Stage(stage)
	if st == nil {
		return 0, fmt.Errorf("the pipeline has no stage %s", stage)
	}
	rl, ok := st.Settings.(*pipelines.RL)
	if !ok {
		return 0, fmt.Errorf("stage %s is of kind %s, not rl", stage, st.Kind)
	}
	return len(log.Rounds) * rl.Prompts * rl.RecipeSettings.Group, nil
}
