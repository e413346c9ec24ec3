package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"temper/configs"
	"temper/device/plugin"
	"temper/lm/hf"
	"temper/lm/tokenizer"
	"temper/pipelines"
	"temper/tasks"
)

// checkPipeline finds out what can be known before anything is started: that the problems can be read, that the models to import are
// whole and have a tokenizer that fits, and that new models have one that covers their data. All errors come together, each naming the
// setting or the file.
func checkPipeline(ctx context.Context, p *pipelines.Pipeline) error {
	var errs []error
	sets, _, err := tasks.LoadSets(ctx, p.Tasks)
	errs = append(errs, err)
	_ = p.Each(func(stage *pipelines.Stage) error { // the errors are collected
		at := "stages." + stage.ID
		switch st := stage.Settings.(type) {
		case *pipelines.Import:
			if err := checkImport(st.Path); err != nil {
				errs = append(errs, fmt.Errorf("%s.path: %w", at, err))
			}
		case *pipelines.Pretrain:
			if err := checkTokenizer(st.Tokenizer, p.Tasks[st.Data], sets[st.Data]); err != nil {
				errs = append(errs, fmt.Errorf("%s.tokenizer: %w", at, err))
			}
		case *pipelines.SFT:
			if err := checkConversations(p, st, sets); err != nil {
				errs = append(errs, fmt.Errorf("%s.data: %w", at, err))
			}
		}
		return nil
	})
	return errors.Join(errs...)
}

// checkImport reads a Hugging Face directory as the import will.
func checkImport(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no folder %s; it should be a model directory with config.json and model.safetensors", dir)
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is a file; name the model directory that has config.json", dir)
	}
	model, err := hf.Load(dir)
	if err != nil {
		return err // it names the directory
	}
	tok, err := tokenizer.Load(dir)
	if err != nil {
		return fmt.Errorf("tokenizer in %s: %w", dir, err)
	}
	if err := tok.CheckModel(model.Config.VocabSize); err != nil {
		return fmt.Errorf("tokenizer in %s: %w", dir, err)
	}
	return nil
}

// coverFirst is how many problems of a stream are tried on a character tokenizer.
const coverFirst = 256

// checkTokenizer makes the tokenizer of a model that starts from random weights.
func checkTokenizer(name string, source tasks.Source, problems []tasks.Problem) error {
	switch name {
	case "bytes":
		return nil
	case "chars":
		tok := tokenizer.Chars(source.Alphabet())
		for _, p := range problems[:min(len(problems), coverFirst)] {
			if missing, ok := tok.Covers(p.Prompt + p.Solution + p.Answer); !ok {
				return fmt.Errorf("chars has no token for %q, which problem %s of %s has; use bytes", missing, p.ID, source)
			}
		}
		return nil
	}
	_, err := tokenizer.Load(name)
	return err
}

// checkLocal finds out whether this process can be server and worker: the plugin is there and the ports are free.
func checkLocal(s configs.Settings) error {
	var errs []error
	if accelerated(s) {
		_, err := plugin.Find(s.XLA.Plugin, s.XLA.Cache)
		errs = append(errs, err)
	}
	return errors.Join(append(errs, checkPorts(s))...)
}

// checkPorts tries the ports that built-in servers would take.
func checkPorts(s configs.Settings) error {
	var errs []error
	for _, p := range []struct {
		setting string
		port    int
	}{{"temporal.port", s.Temporal.Port}, {"temporal.ui_port", s.Temporal.UIPort}, {"s3.port", s.S3.Port}} {
		if p.port == 0 {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
		switch {
		case err == nil:
			errs = append(errs, l.Close())
		case errors.Is(err, syscall.EADDRINUSE):
			errs = append(errs, fmt.Errorf("%s: port %d is taken by another process: stop it, or take any free port with --set %s=0", p.setting, p.port, p.setting))
		default:
			errs = append(errs, fmt.Errorf("%s: %w", p.setting, err))
		}
	}
	return errors.Join(errs...)
}
