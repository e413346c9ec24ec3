package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"temper/tasks"
)

func (a *app) tasksCommand() *cobra.Command {
	return group("tasks", "Problems that are made, not downloaded", "What `procedural` can be in a pipeline's task sets, and what it gives.", a.tasksList(), a.tasksSample())
}

func (a *app) tasksList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "All kinds of problems", Args: arguments(0, 0, ""), RunE: func(*cobra.Command, []string) error {
		rows := [][]string{{"NAME", "DOMAIN", "WHAT IS ASKED", "DIFFICULTY", "WHAT IT CHANGES"}}
		for _, i := range tasks.Infos() {
			rows = append(rows, []string{i.Name, i.Domain, i.What, fmt.Sprintf("%d-%d", i.Lowest, i.Highest), i.Dial})
		}
		return table(a.out, rows)
	}}
}

func (a *app) tasksSample() *cobra.Command {
	var count, difficulty int
	var seed uint64
	var asJSON bool
	c := &cobra.Command{Use: "sample NAME", Short: "Problems of one kind or of a mixture, with their answers and solutions", Args: arguments(1, 1, "the name of a kind of problem"),
		Long: `Shows the first problems of a task set {procedural: NAME, seed: SEED, difficulty: [D, D]}. With --json they are lines as pipelines have them.`,
		RunE: func(_ *cobra.Command, args []string) error {
			info, ok := tasks.About(args[0])
			if !ok {
				return usagef("no kind of problem is named %q; known: %s; and the mixtures %s", args[0], strings.Join(tasks.Domains(), ", "), strings.Join(tasks.Mixtures(), ", "))
			}
			switch {
			case count < 1:
				return usagef("--n must be at least 1, not %d", count)
			case difficulty < info.Lowest || difficulty > info.Highest:
				return usagef("--difficulty must lie in [%d, %d] for %s, not %d", info.Lowest, info.Highest, info.Name, difficulty)
			}
			source := tasks.Source{Procedural: info.Name, Seed: seed, Difficulty: []int{difficulty, difficulty}}
			for i := range count {
				p, err := source.At(i)
				if err != nil {
					return err
				}
				if asJSON {
					if _, err := a.out.Write(tasks.WriteJSONL([]tasks.Problem{p})); err != nil {
						return err
					}
					continue
				}
				fmt.Fprintf(a.out, "== %s, difficulty %d, seed %d, problem %d\n\n%s\n\n-- answer\n%s\n\n-- solution\n%s\n\n", p.Source, p.Difficulty, seed, i, p.Prompt, p.Answer, p.Solution)
			}
			return nil
		}}
	c.Flags().IntVar(&count, "n", 1, "how many problems")
	c.Flags().IntVar(&difficulty, "difficulty", 3, "how hard they are")
	c.Flags().Uint64Var(&seed, "seed", 1, "which problems: the same seed gives the same ones")
	c.Flags().BoolVar(&asJSON, "json", false, "one problem a line, in JSON")
	return c
}
