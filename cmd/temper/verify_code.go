package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"temper/reward/code"
)

func (a *app) verifyCode() *cobra.Command {
	var file, where string
	var timeout time.Duration
	var memory, parallel int
	c := &cobra.Command{Use: "code", Short: "Run programs against tests, in a sandbox", Args: arguments(0, 0, ""),
		Long: `Judges each line {"language": "python", "completion": "…", "tests": "…"} of the input and answers with {"verdict": "…", "detail": "…"}, in order.

  language     python or go
  completion   the answer, bare or in a Markdown fence
  tests        code of tests: assertions, functions test_* or unittest in Python; func TestXxx(t *testing.T) in Go
  prompt       stands before the completion, as in HumanEval (optional)
  entry_point  the function that tests give to check(candidate), as in HumanEval (optional)

Other fields are left alone. Programs run under bubblewrap. Where that cannot be had, answers in Python are judged as Starlark
without running anything on the machine, in part: what Starlark lacks has the verdict error. So has a line that cannot be judged.`,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case timeout <= 0:
				return usagef("--timeout must be more than 0, not %s", timeout)
			case memory < 32:
				return usagef("--memory must be at least 32 MiB, not %d", memory)
			case parallel < 1:
				return usagef("--parallel must be at least 1, not %d", parallel)
			}
			if !slices.Contains(code.Sandboxes, code.Sandbox(where)) {
				return usagef("--sandbox: %q is not known; bubblewrap and starlark are", where)
			}
			inside, err := code.Sandbox(where).Choose()
			if err != nil {
				return err
			}
			if inside == code.Starlark {
				fmt.Fprintln(c.ErrOrStderr(), "judged as Starlark: what it lacks of Python, and Go, has the verdict error")
			}
			in := c.InOrStdin()
			if file != "" {
				f, err := os.Open(file)
				if err != nil {
					return fmt.Errorf("--in: %w", err)
				}
				defer f.Close()
				in = f
			}
			limits := code.Limits{Timeout: timeout, Memory: int64(memory) << 20, Sandbox: inside}
			return judgeLines(c.Context(), in, a.out, parallel, func(ctx context.Context, line []byte) code.Judgement {
				var p code.Program
				if err := json.Unmarshal(line, &p); err != nil {
					return code.Judgement{Verdict: code.Error, Detail: "not a program in JSON: " + err.Error()}
				}
				return code.Verify(ctx, p, limits)
			})
		}}
	d := code.DefaultLimits()
	c.Flags().StringVar(&file, "in", "", "read the lines from `FILE` (default: the standard input)")
	c.Flags().StringVar(&where, "sandbox", "", "bubblewrap or starlark (default: bubblewrap, and Starlark where that cannot be had)")
	c.Flags().DurationVar(&timeout, "timeout", d.Timeout, "how long the tests of one answer may take")
	c.Flags().IntVar(&memory, "memory", int(d.Memory>>20), "how much memory an answer may hold, in `MiB`")
	c.Flags().IntVar(&parallel, "parallel", runtime.NumCPU(), "how many answers are judged at once")
	return c
}

// judgeLines judges lines, some at a time, and writes the judgements in the order of the lines, each as soon as those before it are there. It holds
// no more than some lines. Blank lines have no judgement.
func judgeLines(ctx context.Context, in io.Reader, out io.Writer, parallel int, judge func(context.Context, []byte) code.Judgement) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type judged chan code.Judgement
	queue, slots := make(chan judged, 4*parallel), make(chan struct{}, parallel)
	var readErr error
	go func() {
		defer close(queue)
		r := bufio.NewReaderSize(in, 1<<16)
		for number := 1; ctx.Err() == nil; number++ {
			line, end, err := readLine(r)
			if err != nil && !errors.Is(err, errLineLength) {
				readErr = fmt.Errorf("line %d: %w", number, err)
				return
			}
			if err != nil || len(bytes.TrimSpace(line)) > 0 {
				answer := make(judged, 1)
				slots <- struct{}{}
				queue <- answer
				go func() {
					j := code.Judgement{Verdict: code.Error}
					if err != nil {
						j.Detail = err.Error()
					} else {
						j = judge(ctx, line)
					}
					if j.Verdict == code.Error {
						j.Detail = fmt.Sprintf("line %d: %s", number, j.Detail)
					}
					answer <- j
					<-slots
				}()
			}
			if end {
				return
			}
		}
	}()
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	var writeErr error
	for answer := range queue {
		j := <-answer
		if writeErr != nil {
			continue // the reader must not wait for a queue that nobody reads
		}
		if writeErr = enc.Encode(j); writeErr != nil {
			cancel()
		}
	}
	return errors.Join(readErr, writeErr)
}
