package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"temper/artifact"
	"temper/eval"
	"temper/eval/report"
)

func (a *app) compareCommand() *cobra.Command {
	var k int
	c := &cobra.Command{Use: "compare A B", Short: "Compare two models where both were evaluated",
		Long: `compare holds model A against model B on every task set that both were evaluated on, problem by problem: the difference with its 95% interval by
bootstrap over the problems, and p against no difference. A and B are models or evaluations in the bucket: an alias, a reference, the beginning of one.
An evaluation that was done several times counts once, the newest.`,
		Args: arguments(2, 2, "two models, or two evaluations,"),
		RunE: func(c *cobra.Command, args []string) error {
			if k < 0 {
				return usagef("--k %d: want 0 for mean reward, or the k of pass@k", k)
			}
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error { return a.compare(ctx, in.store, args[0], args[1], k) })
		}}
	c.Flags().IntVar(&k, "k", 1, "compare pass@`K`; 0: mean reward")
	return c
}

// bootstrapSeed is that of the intervals of temper compare.
const bootstrapSeed = 1

func (a *app) compare(ctx context.Context, s *artifact.Store, one, other string, k int) error {
	x, err := evaluations(ctx, s, one)
	if err != nil {
		return err
	}
	y, err := evaluations(ctx, s, other)
	if err != nil {
		return err
	}
	rows := [][]string{{"tasks", "problems", one, other, "difference", "interval", "p"}}
	for _, tasks := range slices.Sorted(maps.Keys(x)) {
		b, ok := y[tasks]
		if !ok {
			continue
		}
		mine, err := problems(ctx, s, x[tasks])
		if err != nil {
			return err
		}
		theirs, err := problems(ctx, s, b)
		if err != nil {
			return err
		}
		c, err := report.Compare(mine, theirs, k, bootstrapSeed)
		if err != nil {
			return fmt.Errorf("%s and %s: %w", x[tasks].Ref.Short(), b.Ref.Short(), err)
		}
		rows = append(rows, []string{taskSet(x[tasks]), fmt.Sprint(c.Paired.N), fmt.Sprintf("%.3f", c.A), fmt.Sprintf("%.3f", c.B), fmt.Sprintf("%+.3f", c.Paired.Difference),
			fmt.Sprintf("[%+.3f, %+.3f]", c.Paired.CI95[0], c.Paired.CI95[1]), fmt.Sprintf("%.3g", c.Paired.P)})
	}
	if len(rows) == 1 {
		return fmt.Errorf("%s and %s were evaluated on no task set in common; temper eval %s %s --suite FILE does so", one, other, one, other)
	}
	_, err = io.WriteString(a.out, eval.Align(rows))
	return err
}

// tasksRole begins the role of an evaluation's problems among its parents.
const tasksRole = "tasks/"

// evaluations finds those of a model, or one by its name, by the digest of their problems; the newest of each.
func evaluations(ctx context.Context, s *artifact.Store, name string) (map[string]artifact.Entry, error) {
	ref, err := s.Resolve(ctx, name)
	if err != nil {
		return nil, err
	}
	out := map[string]artifact.Entry{}
	for e, err := range s.List(ctx, "evaluation") {
		if err != nil {
			return nil, err
		}
		tasks, of := "", false
		for _, p := range e.Manifest.Parents {
			if strings.HasPrefix(p.Role, tasksRole) {
				tasks = p.Ref.Digest
			}
			of = of || p.Role == "model" && p.Ref.Digest == ref.Digest
		}
		if of = of || e.Ref.Digest == ref.Digest; of && tasks != "" && !e.Manifest.Created.Before(out[tasks].Manifest.Created) {
			out[tasks] = e
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s (%s) is no evaluation and has none; temper eval %s --suite FILE makes one", name, ref.Short(), name)
	}
	return out, nil
}

func taskSet(e artifact.Entry) string {
	for _, p := range e.Manifest.Parents {
		if set, ok := strings.CutPrefix(p.Role, tasksRole); ok {
			return set
		}
	}
	return "-"
}

// problems reads an evaluation's samples by problem.
func problems(ctx context.Context, s *artifact.Store, e artifact.Entry) ([]report.ProblemDetail, error) {
	body, err := s.Read(ctx, e.Ref, report.DetailsFile)
	if err != nil {
		return nil, err
	}
	out, err := report.ReadDetails(body)
	if err != nil {
		return nil, fmt.Errorf("%s/%w", e.Ref.Short(), err)
	}
	return out, nil
}
