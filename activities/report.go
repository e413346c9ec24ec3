package activities

import (
	"context"
	"fmt"
	"strings"

	"temper/activities/contract"
	"temper/artifact"
	"temper/eval"
	"temper/eval/report"
	"temper/pipelines"
)

// writeReport gathers what the stages left and writes the report of a run: JSON for programs, Markdown and a page for people.
func (a *Activities) writeReport(ctx context.Context, in contract.ReportInput) (contract.ReportOut, error) {
	input := report.Input{Run: in.Run, Pipeline: in.Pipeline, Stages: map[string]report.StageInfo{}, Results: map[string][]eval.Result{},
		Details: map[string]map[string][]report.ProblemDetail{}, Logs: map[string]report.Log{}}
	var parents []artifact.Parent
	for _, st := range in.Pipeline.Stages {
		out := in.Stages[st.ID]
		input.Stages[st.ID] = report.StageInfo{Kind: st.Kind, Summary: out.Summary, Numbers: out.Numbers, Skipped: out.Skipped, Seconds: out.Seconds, Outputs: out.Outputs}
		if len(out.Results) > 0 {
			input.Results[st.ID] = out.Results
			input.Details[st.ID] = map[string][]report.ProblemDetail{}
		}
		for name, ref := range out.Outputs {
			parents = append(parents, artifact.Parent{Role: st.ID + "/" + name, Ref: ref})
			var err error
			switch model, isModel := strings.CutPrefix(name, "model/"); {
			case isModel:
				input.Details[st.ID][model], err = a.details(ctx, ref)
			case name == pipelines.LogOutput:
				input.Logs[st.ID], err = a.readLog(ctx, ref)
			}
			if err != nil {
				return contract.ReportOut{}, fmt.Errorf("stage %s: %w", st.ID, err)
			}
		}
	}
	document, err := report.Build(input)
	if err != nil {
		return contract.ReportOut{}, err
	}
	body, err := document.JSON()
	if err != nil {
		return contract.ReportOut{}, err
	}
	page, err := document.HTML()
	if err != nil {
		return contract.ReportOut{}, err
	}
	sortParents(parents)
	ref, err := a.store.Commit(ctx, artifact.Manifest{Kind: kindReport, Parents: parents, Code: a.code, Summary: "report of " + in.Run,
		MadeBy: artifact.MadeBy{Workflow: in.Run, Activity: contract.WriteReport}},
		map[string][]byte{"report.json": body, "report.md": []byte(document.Markdown()), "report.html": page, "report.txt": []byte(document.Text())})
	return contract.ReportOut{Ref: ref, Table: document.Markdown()}, err
}
