package report

import (
	"fmt"

	"temper/eval"
	"temper/pipelines"
)

// Guru: Revisiting Reinforcement Learning for LLM Reasoning from a Cross-Domain Perspective, arXiv 2506.14965. What it claims and this part shows:
// which domains gain from training on others, and which only from training on themselves.

// Transfer is what training on one domain does for each: differences from the base in pass@1.
type Transfer struct {
	Base    string         `json:"base"`
	Domains []string       `json:"domains"`
	Scores  []float64      `json:"scores"` // pass@1 of the base, by domain
	Cells   [][]TransferTo `json:"cells"`  // [trained on][tested on]
	// Means of the differences where the model was trained on the domain, and where it was not.
	Within float64 `json:"within"`
	Across float64 `json:"across"`
}

// TransferTo is how a model did on one domain.
type TransferTo struct {
	PassAt1 float64     `json:"pass_at_1"`
	Paired  eval.Paired `json:"paired"` // model − base
}

func (b builder) transfer(spec pipelines.TransferReport) (*Transfer, error) {
	out := &Transfer{Base: spec.Base, Cells: make([][]TransferTo, len(spec.Domains))}
	names := []string{spec.Base}
	for _, d := range spec.Domains {
		names = append(names, d.Model)
		out.Domains = append(out.Domains, d.Name)
	}
	for j, on := range spec.Domains {
		rows, err := b.judged(on.Evaluation, names...)
		if err != nil {
			return nil, err
		}
		out.Scores = append(out.Scores, mean(rates(rows, 0)))
		for i := range spec.Domains {
			paired, err := b.paired(rows, i+1, 0)
			if err != nil {
				return nil, err
			}
			out.Cells[i] = append(out.Cells[i], TransferTo{PassAt1: mean(rates(rows, i+1)), Paired: *paired})
			if i == j {
				out.Within += paired.Difference / float64(len(spec.Domains))
			} else {
				out.Across += paired.Difference / float64(len(spec.Domains)*(len(spec.Domains)-1))
			}
		}
	}
	return out, nil
}

func (t *Transfer) section() section {
	s := section{Title: "Transfer between domains", Lines: []string{
		fmt.Sprintf("pass@1 in percent of models that were trained on one domain each, with the difference from %s; * where its 95%% interval leaves zero out.", t.Base),
		fmt.Sprintf("Trained on the domain that is tested: %+.1f on average; on another: %+.1f.", 100*t.Within, 100*t.Across)}}
	s.Rows = [][]string{append([]string{"trained on"}, t.Domains...)}
	base := []string{"(" + t.Base + ")"}
	for _, v := range t.Scores {
		base = append(base, fmt.Sprintf("%.1f", 100*v))
	}
	s.Rows = append(s.Rows, base)
	for i, name := range t.Domains {
		row := []string{name}
		for _, c := range t.Cells[i] {
			text := fmt.Sprintf("%.1f (%+.1f)", 100*c.PassAt1, 100*c.Paired.Difference)
			if c.Paired.CI95[0] > 0 || c.Paired.CI95[1] < 0 {
				text += "*"
			}
			row = append(row, text)
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}
