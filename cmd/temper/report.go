package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"temper/artifact"
)

// Files of a report artifact.
const (
	reportJSON     = "report.json"
	reportMarkdown = "report.md"
	reportText     = "report.txt"
	reportHTML     = "report.html"
	reportKind     = "report"
)

func (a *app) reportCommand() *cobra.Command {
	var asJSON, asMarkdown bool
	var html string
	c := &cobra.Command{Use: "report RUN|latest", Short: "Print the report of a run", Args: arguments(1, 1, "the run, its id or latest,"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := absolute(&html); err != nil {
				return err
			}
			file := reportText
			switch {
			case html != "":
				file = reportHTML
			case asJSON:
				file = reportJSON
			case asMarkdown:
				file = reportMarkdown
			}
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error { return a.report(ctx, in, args[0], file, html) })
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	c.Flags().BoolVar(&asMarkdown, "markdown", false, "print Markdown")
	c.Flags().StringVar(&html, "html", "", "write a page with the learning curves to `FILE` instead")
	c.MarkFlagsMutuallyExclusive("json", "markdown", "html")
	return c
}

func (a *app) report(ctx context.Context, c *conn, name, file, html string) error {
	ref, err := c.findReport(ctx, name)
	if err != nil {
		return err
	}
	body, err := c.store.Read(ctx, ref, file)
	if err != nil {
		return fmt.Errorf("read %s of report %s: %w", file, ref.Short(), err)
	}
	if html != "" {
		if err := os.WriteFile(html, body, 0o644); err != nil {
			return fmt.Errorf("--html: %w", err)
		}
		_, err = fmt.Fprintln(a.out, html)
		return err
	}
	_, err = a.out.Write(body)
	return err
}

// findReport finds the report of a run: by the run's result or, where the server has forgotten the run, by who made it.
func (c *conn) findReport(ctx context.Context, name string) (artifact.Ref, error) {
	r, err := c.findRun(ctx, name)
	switch {
	case err == nil:
		if r.open() {
			return artifact.Ref{}, fmt.Errorf("run %s has not ended; temper show %s tells how far it is", r.ID, r.ID)
		}
		rec, err := c.read(ctx, r)
		if err != nil {
			return artifact.Ref{}, err
		}
		if rec.Out != nil {
			return rec.Out.Report.Ref, nil
		}
		return artifact.Ref{}, fmt.Errorf("run %s has no report: it is %s, %s", r.ID, r.Status, rec.Cause)
	case !errors.Is(err, errNoRun):
		return artifact.Ref{}, err
	}
	var newest artifact.Entry
	for entry, listErr := range c.store.List(ctx, reportKind) {
		if listErr != nil {
			if entry.Ref.IsZero() {
				return artifact.Ref{}, fmt.Errorf("look for the report of run %s: %w", name, listErr)
			}
			continue // one that is damaged is not the one
		}
		_, whole := entry.Manifest.File(reportJSON)
		made := entry.Manifest.MadeBy.Workflow == name || name == "latest"
		if whole && made && (newest.Ref.IsZero() || entry.Manifest.Created.After(newest.Manifest.Created)) {
			newest = entry
		}
	}
	if newest.Ref.IsZero() {
		return artifact.Ref{}, fmt.Errorf("%w, and no report in the bucket is of it", err)
	}
	return newest.Ref, nil
}
