package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"temper/activities/contract"
	"temper/pipelines"
)

func (a *app) pipelineCommand() *cobra.Command {
	const which = "the pipeline, a FILE or a NAME,"
	list := &cobra.Command{Use: "ls", Short: "List the built-in pipelines and recipes", Args: arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.out, "pipelines  %s\nrecipes    %s\n", strings.Join(pipelines.Builtin(), ", "), strings.Join(pipelines.BuiltinRecipes(), ", "))
			return err
		}}
	plan := &cobra.Command{Use: "plan FILE|NAME", Short: "Check a pipeline and print its task sets and stages", Args: arguments(1, 1, which),
		RunE: func(c *cobra.Command, args []string) error {
			_, p, err := a.pipeline(args[0])
			if err != nil {
				return err
			}
			if err := checkPipeline(c.Context(), p); err != nil {
				return err
			}
			return printPlan(a.out, p)
		}}
	input := &cobra.Command{Use: "input FILE|NAME", Short: "Print the JSON with which Temporal's UI starts a run",
		Long: fmt.Sprintf("input prints the input of workflow type %s on task queue %s, for the form Start Workflow of Temporal's UI and for schedules.",
			contract.PipelineWorkflow, contract.QueueLight),
		Args: arguments(1, 1, which),
		RunE: func(_ *cobra.Command, args []string) error {
			_, p, err := a.pipeline(args[0])
			if err != nil {
				return err
			}
			body, err := inputJSON(p, "")
			if err != nil {
				return fmt.Errorf("print the input: %w", err)
			}
			_, err = fmt.Fprintf(a.out, "%s\n", body)
			return err
		}}
	return group("pipeline", "List, check and print pipelines", "", list, plan, input)
}
