package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"temper/lm/chat"
	"temper/serve"
	"temper/serve/engine"
)

// chatOptions are the flags of temper chat.
type chatOptions struct {
	model, system     string
	temperature, topP float64
	maxTokens         int
	seed              uint64
	raw               bool
}

func (a *app) chatCommand() *cobra.Command {
	var o chatOptions
	c := &cobra.Command{Use: "chat --model DIR|REF", Short: "Talk to a model in the terminal",
		Long: `chat reads lines from the terminal, or from a pipe, and writes the model's answers as they come. It keeps the conversation; /clear forgets it.
Ctrl-C stops an answer, and at the prompt the program, as does the end of the input. A model without a chat template is continued as plain
text with --raw. DIR and REF are as in temper serve.`,
		Args: arguments(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case o.model == "":
				return usagef("--model, a folder or an artifact, is missing")
			case o.temperature < 0:
				return usagef("--temperature %g: must be at least 0", o.temperature)
			case o.topP < 0 || o.topP > 1:
				return usagef("--top-p %g: must be between 0 and 1", o.topP)
			case o.maxTokens < 0:
				return usagef("--max-tokens %d: want 0 for as many as fit, or a number", o.maxTokens)
			case o.raw && o.system != "":
				return usagef("--system and --raw exclude each other")
			}
			if !c.Flags().Changed("seed") {
				o.seed = rand.Uint64()
			}
			return a.chat(c.Context(), o, c.InOrStdin())
		}}
	f := c.Flags()
	f.StringVar(&o.model, "model", "", "the model: a Hugging Face directory `DIR|REF`, or an artifact")
	f.Float64Var(&o.temperature, "temperature", 0.7, "0 takes the likeliest token, more varies more")
	f.Float64Var(&o.topP, "top-p", 1, "draw from the likeliest tokens that have this probability together")
	f.IntVar(&o.maxTokens, "max-tokens", 0, "end an answer after `N` tokens; 0 is where the context ends")
	f.StringVar(&o.system, "system", "", "begin the conversation with this system message")
	f.Uint64Var(&o.seed, "seed", 0, "the same seed, model and lines give the same answers (default: any)")
	f.BoolVar(&o.raw, "raw", false, "continue plain text, for a model without a chat template")
	return c
}

// conversation is one talk with a model.
type conversation struct {
	*app
	chatOptions
	model    *serve.Model
	messages []serve.Message
	text     string // with raw: what was said
	turn     uint64
}

func (a *app) chat(ctx context.Context, o chatOptions, in io.Reader) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	s.Log.Level = "error" // the terminal belongs to the conversation
	log, err := logger(s.Log, a.err)
	if err != nil {
		return err
	}
	m, done, err := a.servedModel(ctx, s, o.model, "", engine.Options{MaxBatch: 1, MaxWaiting: 1}, log)
	if err != nil {
		return err
	}
	defer done()
	c := &conversation{app: a, chatOptions: o, model: m}
	c.clear()
	if _, err := c.prompt("hello"); err != nil && !o.raw {
		if errors.Is(err, chat.ErrNoTemplate) {
			return fmt.Errorf("%w; --raw continues plain text", err)
		}
		return err
	}
	return c.loop(ctx, in)
}

// clear forgets the conversation.
func (c *conversation) clear() {
	c.messages, c.text = nil, ""
	if c.system != "" {
		c.messages = []serve.Message{serve.Say("system", c.system)}
	}
}

// loop answers line after line until the input ends or a signal comes while it waits.
func (c *conversation) loop(ctx context.Context, in io.Reader) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	lines, failed := make(chan string), make(chan error, 1)
	go func() {
		defer close(lines)
		scan := bufio.NewScanner(in)
		scan.Buffer(nil, 1<<20)
		for scan.Scan() {
			select {
			case lines <- scan.Text():
			case <-ctx.Done():
				return
			}
		}
		failed <- scan.Err()
	}()
	for {
		if terminal(in) {
			fmt.Fprint(c.out, "> ")
		}
		select {
		case <-signals:
			fmt.Fprintln(c.out)
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case line, ok := <-lines:
			if !ok {
				return <-failed
			}
			switch line {
			case "":
				continue
			case "/clear":
				c.clear()
				continue
			}
			err := c.answer(ctx, line, signals)
			fmt.Fprintln(c.out)
			if err != nil && !terminal(in) {
				return err
			}
			if err != nil {
				fmt.Fprintf(c.err, "temper: %v\n", err) // the conversation goes on without the line
			}
		}
	}
}

// terminal says whether somebody types.
func terminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// prompt gives the tokens of the conversation with one line more.
func (c *conversation) prompt(line string) ([]int32, error) {
	if c.raw {
		return c.model.Encode(c.text + line), nil
	}
	return c.model.Chat(append(c.messages[:len(c.messages):len(c.messages)], serve.Say("user", line)), nil, nil)
}

// answer writes the answer to a line, as much of it as comes before a signal, and remembers both.
func (c *conversation) answer(ctx context.Context, line string, signals <-chan os.Signal) error {
	prompt, err := c.prompt(line)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-signals:
			cancel(errInterrupted)
		case <-over:
		}
	}()
	said := ""
	c.turn++
	err = c.model.Ask(ctx, prompt, serve.Asking{MaxTokens: c.maxTokens, Temperature: c.temperature, TopP: c.topP, Seed: c.seed + c.turn, Continue: c.raw},
		func(text string) error {
			said += text
			_, err := io.WriteString(c.out, text)
			return err
		})
	if err != nil && !errors.Is(err, errInterrupted) {
		return err
	}
	c.text += line + said + "\n"
	c.messages = append(c.messages, serve.Say("user", line), serve.Say("assistant", said))
	return nil
}
