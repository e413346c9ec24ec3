package main

import (
	"context"
	"fmt"
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"temper/artifact"
)

// expectNone says that an alias must not be there yet.
const expectNone = "none"

func (a *app) aliasCommand() *cobra.Command {
	var expect, why string
	set := &cobra.Command{Use: "set NAME REF", Short: "Make a name mean an artifact", Args: arguments(2, 2, "a name and an artifact: one of them"),
		Long: `set makes a name mean an artifact. With --expect it does so only while the name means what you say, so that two people who change the
same name do not undo each other: a REF, or none for a name that is not there yet.`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error {
				return a.setAlias(ctx, in.store, args[0], args[1], expect, why)
			})
		}}
	set.Flags().StringVar(&expect, "expect", "", "change the name only if it means `REF`; none: only if it is not there")
	set.Flags().StringVar(&why, "why", "", "a `TEXT` for the history")
	list := &cobra.Command{Use: "ls", Short: "List the names and what they mean", Args: arguments(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error { return a.listAliases(ctx, in.store) })
		}}
	history := &cobra.Command{Use: "history NAME", Short: "Show every value that a name has had, the newest first", Args: arguments(1, 1, "a name"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error { return a.aliasHistory(ctx, in.store, args[0]) })
		}}
	var whyNot string
	remove := &cobra.Command{Use: "rm NAME", Short: "Take a name away; the artifact and the name's history stay", Args: arguments(1, 1, "a name"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error {
				return in.store.RemoveAlias(ctx, args[0], me(), whyNot)
			})
		}}
	remove.Flags().StringVar(&whyNot, "why", "", "a `TEXT` for the history")
	return group("alias", "Name artifacts, and see what a name has meant", "", set, list, history, remove)
}

func (a *app) setAlias(ctx context.Context, s *artifact.Store, name, target, expect, why string) error {
	ref, err := s.Resolve(ctx, target)
	if err != nil {
		return err
	}
	var expected *artifact.Ref
	switch expect {
	case "":
	case expectNone:
		expected = &artifact.Ref{}
	default:
		// What is expected may be gone from the bucket, as long as it is named in full.
		was, err := artifact.ParseRef(expect)
		if err != nil {
			if was, err = s.Resolve(ctx, expect); err != nil {
				return fmt.Errorf("--expect: %w", err)
			}
		}
		expected = &was
	}
	if err := s.SetAlias(ctx, name, ref, expected, me(), why); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s is %s\n", name, ref)
	return err
}

func (a *app) listAliases(ctx context.Context, s *artifact.Store) error {
	rows := [][]string{{"ALIAS", "ARTIFACT", "SINCE", "BY", "WHY"}}
	for alias, err := range s.Aliases(ctx) {
		if err != nil {
			return err
		}
		rows = append(rows, []string{alias.Name, alias.Ref.Short(), when(alias.When), alias.Who, alias.Why})
	}
	if len(rows) == 1 {
		_, err := fmt.Fprintln(a.out, "there are no aliases")
		return err
	}
	return table(a.out, rows)
}

func (a *app) aliasHistory(ctx context.Context, s *artifact.Store, name string) error {
	values, err := s.AliasHistory(ctx, name)
	if err != nil {
		return err
	}
	rows := [][]string{{"VERSION", "ARTIFACT", "WHEN", "BY", "WHY"}}
	for i := len(values) - 1; i >= 0; i-- {
		v := values[i]
		what := v.Ref.Short()
		if v.Removed {
			what = "(removed)"
		}
		rows = append(rows, []string{fmt.Sprint(v.Version), what, when(v.When), v.Who, v.Why})
	}
	return table(a.out, rows)
}

// me names the person at this machine, as far as the system knows.
func me() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}
