package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"temper/artifact"
	"temper/pipelines"
)

func (a *app) evalCommand() *cobra.Command {
	var o runOptions
	var suite, html string
	c := &cobra.Command{Use: "eval MODEL... --suite FILE", Short: "Evaluate models on a suite, with a report",
		Long: `eval measures models on the evaluations of a suite: a YAML file of task sets and of evaluations that name no models (docs/evaluation.md).
MODEL is a folder in the Hugging Face layout, or a model in the bucket: an alias, a reference, or latest. With more than one the report holds each
against the first, on the same problems with the same noise.

It runs as any pipeline does: it can be interrupted, and responses that were drawn before are not drawn again.`,
		Args: arguments(1, 64, "the models, a folder or a name in the bucket each,"),
		RunE: func(c *cobra.Command, args []string) error {
			if suite == "" {
				return usagef("--suite is missing: the file with the evaluations")
			}
			if err := errors.Join(absolute(&html), o.share.check()); err != nil {
				return err
			}
			ctx, stop := a.withSignals(c.Context())
			defer stop()
			return a.eval(ctx, args, suite, html, o)
		}}
	f := c.Flags()
	f.StringVar(&suite, "suite", "", "the suite's `FILE`, or a built-in one: "+strings.Join(pipelines.Suites(), ", "))
	f.StringVar(&html, "html", "", "write the report as a page to `FILE`")
	f.BoolVar(&o.watch, "watch", false, "also show the progress inside stages")
	f.BoolVar(&o.dryRun, "dry-run", false, "check, print the settings and the plan, and start nothing")
	o.share.flags(f)
	return c
}

func (a *app) eval(ctx context.Context, models []string, suite, html string, o runOptions) error {
	subjects, err := a.subjects(ctx, models)
	if err != nil {
		return err
	}
	s, p, err := a.pipelineBy(func(set []string) (*pipelines.Pipeline, error) { return pipelines.LoadSuite(suite, subjects, set) })
	if err != nil {
		return err
	}
	if err := a.runPipeline(ctx, s, p, o); err != nil || o.dryRun || html == "" {
		return err
	}
	id, err := runID(p)
	if err != nil {
		return err
	}
	return a.looking(ctx, func(ctx context.Context, in *conn) error { return a.report(ctx, in, id, reportHTML, html) })
}

// subjects finds models: folders where they are, the others in the bucket.
func (a *app) subjects(ctx context.Context, models []string) ([]pipelines.Subject, error) {
	out, inBucket, taken := make([]pipelines.Subject, len(models)), false, map[string]bool{}
	for i, target := range models {
		_, err := os.Stat(target)
		switch {
		case err == nil:
			path, err := filepath.Abs(target)
			if err != nil {
				return nil, err
			}
			out[i] = pipelines.Subject{ID: pipelines.SubjectID(filepath.Base(path), taken), Path: path}
		case strings.HasPrefix(target, ".") || filepath.IsAbs(target):
			return nil, fmt.Errorf("%s: there is no such folder", target)
		default:
			inBucket = true
		}
	}
	if !inBucket {
		return out, nil
	}
	return out, a.looking(ctx, func(ctx context.Context, in *conn) error {
		for i, target := range models {
			if out[i].Path != "" {
				continue
			}
			ref, err := modelRef(ctx, in.store, target)
			if err != nil {
				return fmt.Errorf("%s is neither a folder nor a model in the bucket: %w", target, err)
			}
			if ref.Kind != "model" {
				return fmt.Errorf("%s is no model: %s", target, ref.Short())
			}
			out[i] = pipelines.Subject{ID: pipelines.SubjectID(subjectName(target, ref), taken), Name: artifact.Ref{Kind: ref.Kind, Digest: ref.Digest}.String()}
		}
		return nil
	})
}

// subjectName is how tables call a model of the bucket: by its alias, or by the beginning of its digest.
func subjectName(target string, ref artifact.Ref) string {
	if artifact.CheckAlias(target) == nil && !strings.Contains(ref.Digest, strings.TrimPrefix(target, "model/")) {
		return target
	}
	return ref.Short()
}
