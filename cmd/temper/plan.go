package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"temper/activities/contract"
	"temper/pipelines"
)

// runID names the runs of a pipeline: equal pipelines have equal names, so that the same command finds its run again.
func runID(p *pipelines.Pipeline) (string, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("name the run: %w", err)
	}
	sum := sha256.Sum256(body)
	return p.Name + "-" + hex.EncodeToString(sum[:6]), nil
}

// printPlan writes the task sets and the stages of a pipeline.
func printPlan(w io.Writer, p *pipelines.Pipeline) error {
	fmt.Fprintf(w, "pipeline %s, seed %d\n\n", p.Name, p.Seed)
	rows := [][]string{{"TASKS", "SOURCE"}}
	for _, name := range slices.Sorted(maps.Keys(p.Tasks)) {
		rows = append(rows, []string{name, p.Tasks[name].String()})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	fmt.Fprintln(w)
	rows = [][]string{{"STAGE", "KIND", "AFTER", "WHAT"}}
	for _, step := range p.Plan() {
		rows = append(rows, []string{step.Stage, step.Kind, strings.Join(step.Needs, ", "), step.Title})
	}
	return table(w, rows)
}

// Limits of Temporal for what a run says about itself, in bytes.
const (
	maxSummary = 400
	maxDetails = 20000
)

// describe gives the run's static summary and its details in Markdown.
func describe(p *pipelines.Pipeline) (summary, details string) {
	steps := p.Plan()
	var b strings.Builder
	b.WriteString("| stage | after | what |\n|---|---|---|\n")
	for _, step := range steps {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", step.Stage, strings.Join(step.Needs, ", "), strings.ReplaceAll(step.Title, "|", `\|`))
	}
	return shorten(fmt.Sprintf("%s: %d stages, seed %d", p.Name, len(steps), p.Seed), maxSummary), shorten(b.String(), maxDetails)
}

// inputJSON is what Temporal's UI takes to start a run.
func inputJSON(p *pipelines.Pipeline, fresh string) ([]byte, error) {
	return json.MarshalIndent(contract.PipelineInput{Pipeline: p, Fresh: fresh}, "", "  ")
}
