package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// app is what all commands share: the streams and the global flags.
type app struct {
	out, err io.Writer
	files    []string // --config
	sets     []string // --set
}

func (a *app) root() *cobra.Command {
	root := group("temper", "Durable post-training of language models",
		`temper takes a base model through fine-tuning, reinforcement learning, curation, synthesis, distillation and evaluation. A run
survives anything on the way: give the same command again and it goes on.

  temper run tiny               every kind of stage in a minute
  temper run FILE --dry-run     what would be done
  temper up                     Temporal, its UI, S3 and a worker on this machine`,
		a.upCommand(), a.runCommand(), a.workerCommand(), a.runsCommand(), a.scheduleCommand(), a.showCommand(), a.reportCommand(), a.evalCommand(), a.compareCommand(),
		a.verifyCommand(), a.tasksCommand(), a.artifactsCommand(), a.modelCommand(), a.serveCommand(), a.chatCommand(), a.pipelineCommand(), a.configCommand(), a.tokenizerCommand(),
		a.pluginCommand(), a.doctorCommand())
	root.Version = codeVersion()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := root.PersistentFlags()
	flags.StringArrayVar(&a.files, "config", nil, "read settings from `FILE`; may be given again (default: temper.yaml where it is)")
	flags.StringArrayVar(&a.sets, "set", nil, "set `a.b=c`: a setting such as s3.bucket, or a value of the pipeline such as stages.rl1.rounds")
	return root
}

// group is a command that only has commands below it. Without one it shows its help.
func group(use, short, long string, below ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Long: long,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			text := fmt.Sprintf("%s has no command %q", c.CommandPath(), args[0])
			if near := c.SuggestionsFor(args[0]); len(near) > 0 {
				text += "; did you mean " + strings.Join(near, " or ") + "?"
			}
			return usagef("%s", text)
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(below...)
	c.SuggestionsMinimumDistance = 2
	return c
}

// arguments takes from low to high positional arguments, named in the message when their number is wrong.
func arguments(low, high int, names string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < low {
			return usagef("%s is missing", names)
		}
		if len(args) > high {
			return usagef("unexpected argument %q", args[high])
		}
		return nil
	}
}
