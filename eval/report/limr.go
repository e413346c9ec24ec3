package report

import (
	"fmt"
	"math"

	"temper/eval"
	"temper/pipelines"
)

// LIMR: Less is More for RL Scaling, arXiv 2502.11886. What it claims and this part shows: problems whose learning curve follows the
// average one are enough, and better than as many at random; problems with a wrong answer do not follow it.
//
// Deviations: the paper compares against the whole data set too; any model of the same evaluation is in the main table.

// LIMR is what the selection of problems was worth.
type LIMR struct {
	Stage       string  `json:"stage"`
	Control     string  `json:"control,omitempty"`
	Evaluation  string  `json:"evaluation"`
	Kept        int     `json:"kept"`
	Of          int     `json:"of"`
	ControlKept *int    `json:"control_kept,omitempty"`
	MinScore    float64 `json:"min_score"` // alignment

	// Shares of problems with a wrong answer among all and among those that were kept, where it is known which are wrong.
	MislabelledShare     *float64 `json:"mislabelled_share,omitempty"`
	MislabelledShareKept *float64 `json:"mislabelled_share_kept,omitempty"`

	Score        *Score       `json:"score"`
	ControlScore *Score       `json:"control_score,omitempty"`
	Paired       *eval.Paired `json:"paired,omitempty"` // model − control_model in pass@1
}

func (b builder) limr(spec pipelines.LIMRReport) (*LIMR, error) {
	out := &LIMR{Stage: spec.Stage, Control: spec.Control, Evaluation: spec.Evaluation}
	if st := b.in.Pipeline.Stage(spec.Stage); st != nil {
		if s, ok := st.Settings.(*pipelines.Curate); ok {
			out.MinScore = s.Keep.MinScore
		}
	}
	if err := b.selection(out); err != nil {
		return nil, err
	}
	names := []string{spec.Model}
	if spec.ControlModel != "" {
		names = append(names, spec.ControlModel)
	}
	rows, err := b.judged(spec.Evaluation, names...)
	if err != nil {
		return nil, err
	}
	out.Score = b.score(spec.Evaluation, spec.Model, rows, 0)
	if spec.ControlModel == "" {
		return out, nil
	}
	out.ControlScore = b.score(spec.Evaluation, spec.ControlModel, rows, 1)
	out.Paired, err = b.paired(rows, 0, 1)
	return out, err
}

// selection reads the numbers of the curate stages: kept, of, and how many of each are mislabelled.
func (b builder) selection(out *LIMR) error {
	info, err := b.info(out.Stage)
	if err != nil {
		return err
	}
	if out.Kept, err = count(info, out.Stage, "kept"); err != nil {
		return err
	}
	if out.Of, err = count(info, out.Stage, "of"); err != nil {
		return err
	}
	if out.MislabelledShare, err = shareOf(info, out.Stage, "mislabelled_all", out.Of); err != nil {
		return err
	}
	if out.MislabelledShareKept, err = shareOf(info, out.Stage, "mislabelled_kept", out.Kept); err != nil {
		return err
	}
	if out.Control == "" {
		return nil
	}
	control, err := b.info(out.Control)
	if err != nil {
		return err
	}
	kept, err := count(control, out.Control, "kept")
	out.ControlKept = &kept
	return err
}

// count reads a number of a stage that counts things.
func count(info StageInfo, stage, name string) (int, error) {
	v, ok := info.Numbers[name]
	if !ok {
		return 0, fmt.Errorf("stage %s has no number %q", stage, name)
	}
	if v != math.Trunc(v) || v < 0 || v > math.MaxInt32 {
		return 0, fmt.Errorf("stage %s: number %q: must be a count, is %v", stage, name, v)
	}
	return int(v), nil
}

// shareOf is a count of a stage over a whole; nil where the stage does not give it.
func shareOf(info StageInfo, stage, name string, whole int) (*float64, error) {
	if _, ok := info.Numbers[name]; !ok || whole == 0 {
		return nil, nil
	}
	n, err := count(info, stage, name)
	if err != nil {
		return nil, err
	}
	if n > whole {
		return nil, fmt.Errorf("stage %s: number %q: is %d of %d problems", stage, name, n, whole)
	}
	share := float64(n) / float64(whole)
	return &share, nil
}
