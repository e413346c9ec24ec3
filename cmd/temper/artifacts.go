package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"temper/artifact"
)

func (a *app) artifactsCommand() *cobra.Command {
	const which = "the artifact, as kind/digest, the beginning of a digest or an alias,"
	list := &cobra.Command{Use: "ls [KIND]", Short: "List the artifacts", Args: arguments(0, 1, ""),
		RunE: func(c *cobra.Command, args []string) error {
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error {
				kind := ""
				if len(args) > 0 {
					kind = args[0]
				}
				return a.listArtifacts(ctx, in.store, kind)
			})
		}}
	show := &cobra.Command{Use: "show REF", Short: "Print an artifact's manifest", Args: arguments(1, 1, which),
		RunE: a.withArtifact(func(ctx context.Context, s *artifact.Store, ref artifact.Ref, _ []string) error {
			m, err := s.Load(ctx, ref)
			if err != nil {
				return err
			}
			body, err := json.MarshalIndent(m, "", "  ")
			if err != nil {
				return fmt.Errorf("print %s: %w", ref.Short(), err)
			}
			_, err = fmt.Fprintf(a.out, "%s\n%s\n", ref, body)
			return err
		})}
	get := &cobra.Command{Use: "get REF DIR", Short: "Copy an artifact's files into a folder; a model is then a Hugging Face directory",
		Args: arguments(2, 2, "an artifact and a folder: one of them"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := absolute(&args[1]); err != nil {
				return err
			}
			return a.withArtifact(func(ctx context.Context, s *artifact.Store, ref artifact.Ref, args []string) error {
				if err := s.Fetch(ctx, ref, args[1]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(a.out, "%s is in %s\n", ref.Short(), args[1])
				return err
			})(c, args)
		}}
	var down bool
	lineage := &cobra.Command{Use: "lineage REF", Short: "Show what an artifact was made from, or what was made from it", Args: arguments(1, 1, which),
		RunE: a.withArtifact(func(ctx context.Context, s *artifact.Store, ref artifact.Ref, _ []string) error {
			ask := s.Lineage
			if down {
				ask = s.Descendants
			}
			node, err := ask(ctx, ref)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(a.out, node)
			return err
		})}
	lineage.Flags().BoolVar(&down, "down", false, "show what was made from it")
	return group("artifacts", "List, show, name and copy what runs have made", "", list, show, get, lineage, a.aliasCommand(), a.copyCommand(), a.gcCommand(), a.policyCommand())
}

// withArtifact resolves the first argument.
func (a *app) withArtifact(f func(context.Context, *artifact.Store, artifact.Ref, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		return a.looking(c.Context(), func(ctx context.Context, in *conn) error {
			ref, err := in.store.Resolve(ctx, args[0])
			if err != nil {
				return err
			}
			return f(ctx, in.store, ref, args)
		})
	}
}

func (a *app) listArtifacts(ctx context.Context, s *artifact.Store, kind string) error {
	rows := [][]string{{"ARTIFACT", "CREATED", "SIZE", "MADE BY", "SUMMARY"}}
	var broken []error
	for entry, err := range s.List(ctx, kind) {
		if err != nil {
			if entry.Ref.IsZero() {
				return fmt.Errorf("list the artifacts: %w", err)
			}
			broken = append(broken, err)
			continue
		}
		m := entry.Manifest
		by := m.MadeBy.Workflow
		if m.MadeBy.Stage != "" {
			by += "/" + m.MadeBy.Stage
		}
		rows = append(rows, []string{entry.Ref.Short(), when(m.Created), size(m.Size()), by, m.Summary})
	}
	if len(rows) == 1 && len(broken) == 0 {
		_, err := fmt.Fprintln(a.out, "there are no artifacts")
		return err
	}
	return errors.Join(table(a.out, rows), errors.Join(broken...))
}
