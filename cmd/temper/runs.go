package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// listed is how many runs are listed unless told otherwise.
const listed = 20

func (a *app) runsCommand() *cobra.Command {
	var limit int
	c := &cobra.Command{Use: "runs", Short: "List the runs, the newest first, or act on one", Args: arguments(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error {
			if limit < 0 {
				return usagef("--limit %d: want 0 for all, or a number of runs", limit)
			}
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error { return a.runs(ctx, in, limit) })
		}}
	c.Flags().IntVarP(&limit, "limit", "n", listed, "list at most `N` runs; 0 is all")
	c.AddCommand(a.controlCommands()...)
	c.AddCommand(a.resetCommands()...)
	return c
}

// looking runs a command that only reads.
func (a *app) looking(ctx context.Context, f func(context.Context, *conn) error) (err error) {
	ctx, stop := a.withSignals(ctx)
	defer stop()
	c, err := a.look(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return f(ctx, c)
}

// writing is looking for a command that puts something into the bucket: it makes the built-in servers' data folder where there is none.
func (a *app) writing(ctx context.Context, f func(context.Context, *conn) error) (err error) {
	ctx, stop := a.withSignals(ctx)
	defer stop()
	s, err := a.settings()
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	c, err := find(ctx, s, log)
	if err == nil && c == nil {
		c, err = startStack(ctx, s, freePorts, "", log)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return f(ctx, c)
}

func (a *app) runs(ctx context.Context, c *conn, limit int) error {
	all, err := c.runs(ctx, limit)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(a.out, "there are no runs yet")
		return err
	}
	rows := [][]string{{"RUN", "STATUS", "STARTED", "TOOK", "STAGE NOW"}}
	for _, r := range all {
		now := ""
		if r.open() {
			rec, err := c.read(ctx, r)
			if err != nil {
				return err
			}
			now = strings.Join(c.now(ctx, r, rec.running()), ", ")
		}
		rows = append(rows, []string{r.ID, r.Status, when(r.Start), took(r.took()), now})
	}
	return table(a.out, rows)
}

// now says which stages of an open run are at work and, where none is, which wait for a person.
func (c *conn) now(ctx context.Context, r runInfo, running []string) []string {
	if len(running) > 0 {
		return running
	}
	var waiting []string
	for _, stage := range slices.Sorted(maps.Keys(c.gates(ctx, r))) {
		waiting = append(waiting, stage+" (gate)")
	}
	return waiting
}

func (a *app) showCommand() *cobra.Command {
	return &cobra.Command{Use: "show RUN|latest", Short: "Show a run: its stages, their numbers and what they made", Args: arguments(1, 1, "the run, its id or latest,"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error { return a.show(ctx, in, args[0]) })
		}}
}

func (a *app) show(ctx context.Context, c *conn, name string) error {
	r, err := c.findRun(ctx, name)
	if err != nil {
		return err
	}
	rec, err := c.read(ctx, r)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "run %s %s, started %s, took %s\n", r.ID, r.Status, when(r.Start), took(r.took()))
	if rec.Cause != "" {
		fmt.Fprintf(a.out, "cause: %s\n", rec.Cause)
	}
	if rec.In.Pipeline == nil {
		return fmt.Errorf("run %s has no pipeline in its input", r.ID)
	}
	gates := c.gates(ctx, r)
	rows := [][]string{{"STAGE", "KIND", "STATUS", "TOOK", "RESULT"}}
	var made [][]string
	for _, step := range rec.In.Pipeline.Plan() {
		s := rec.Stages[step.Stage]
		if s == nil {
			rows = append(rows, []string{step.Stage, step.Kind, "waiting", "-", step.Title})
			continue
		}
		status, result := s.Status, a.result(ctx, c, r, step.Stage, step.Title, s)
		if asks, ok := gates[step.Stage]; ok {
			status, result = "gate", asks
		}
		rows = append(rows, []string{step.Stage, step.Kind, status, s.took(), result})
		once := numbers(s.Out.Numbers) // beside the first output
		for _, output := range slices.Sorted(maps.Keys(s.Out.Outputs)) {
			made = append(made, []string{step.Stage + "." + output, s.Out.Outputs[output].Short(), once})
			once = ""
		}
	}
	fmt.Fprintln(a.out)
	if err := table(a.out, rows); err != nil {
		return err
	}
	if len(made) > 0 {
		fmt.Fprintln(a.out)
		if err := table(a.out, append([][]string{{"OUTPUT", "ARTIFACT", "NUMBERS"}}, made...)); err != nil {
			return err
		}
	}
	fmt.Fprintln(a.out)
	if rec.Out != nil {
		fmt.Fprintf(a.out, "report  %s: temper report %s\n", rec.Out.Report.Ref.Short(), r.ID)
	}
	if c.own == nil && c.ui != "" {
		fmt.Fprintf(a.out, "ui      %s\n", c.link(r.ID, r.RunID))
	}
	return nil
}

func (s *stageRecord) took() string {
	if s.Started.IsZero() || s.Ended.IsZero() {
		return "-"
	}
	return took(s.Ended.Sub(s.Started))
}

// gates are the stages of an open run that wait for a person, with what they ask, where a worker answers.
func (c *conn) gates(ctx context.Context, r runInfo) map[string]string {
	out := map[string]string{}
	if !r.open() || c.own != nil {
		return out
	}
	p, err := c.ask(ctx, r.ID, r.RunID)
	if err != nil {
		return out // history alone does not tell
	}
	for _, st := range p.Stages {
		if st.Status == "gate" {
			out[st.ID] = st.Summary
		}
	}
	return out
}

// result is one line about a stage: what it gave, why it failed, or how far it is where a worker answers.
func (a *app) result(ctx context.Context, c *conn, r runInfo, stage, title string, s *stageRecord) string {
	switch {
	case s.Cause != "":
		return s.Cause
	case s.Status != "running" || !r.open():
		return s.Out.Summary
	}
	if c.own == nil { // there is no worker beside servers that were started to look something up
		if p, err := c.ask(ctx, r.ID+"/"+stage, ""); err == nil && p.Total > 0 {
			return strings.TrimSpace(fmt.Sprintf("%d/%d %s", p.Done, p.Total, p.Line))
		}
	}
	return title
}

// numbers lists a stage's numbers in the order of their names.
func numbers(m map[string]float64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %.4g", name, m[name]))
	}
	return strings.Join(parts, ", ")
}
