package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"temper/activities/contract"
	"temper/configs"
	"temper/pipelines"
)

// sections are the first names of the program's settings; a --set with any other belongs to the pipeline.
var sections = func() []string {
	var names []string
	t := reflect.TypeFor[configs.Settings]()
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("yaml"))
	}
	return names
}()

// split divides --set between the program's settings and the pipeline.
func split(sets []string) (settings, pipeline []string, err error) {
	for _, set := range sets {
		key, _, ok := strings.Cut(set, "=")
		if !ok || strings.TrimSpace(key) == "" {
			return nil, nil, usagef("--set %s: write it as a.b=c", set)
		}
		first, _, _ := strings.Cut(strings.TrimSpace(key), ".")
		if slices.Contains(sections, first) {
			settings = append(settings, set)
		} else {
			pipeline = append(pipeline, set)
		}
	}
	return settings, pipeline, nil
}

// settings loads the program's settings for a command that has no pipeline: every --set must be one of them.
func (a *app) settings() (configs.Settings, error) {
	if _, _, err := split(a.sets); err != nil {
		return configs.Settings{}, err
	}
	return a.load(a.sets)
}

func (a *app) load(sets []string) (configs.Settings, error) {
	s, err := configs.Load(configs.Options{Files: a.files, Set: sets})
	if err != nil {
		return s, err
	}
	if (s.Temporal.Address == "") != (s.S3.Endpoint == "") {
		return s, fmt.Errorf("temporal.address is %q and s3.endpoint is %q: set both to use servers that run elsewhere, or neither for the ones built in",
			s.Temporal.Address, s.S3.Endpoint)
	}
	for _, path := range []*string{&s.Dir, &s.XLA.Plugin, &s.XLA.Cache, &s.S3.Cache, &s.Temporal.TLS.CA, &s.Temporal.TLS.Cert, &s.Temporal.TLS.Key} {
		if err := absolute(path); err != nil {
			return s, err
		}
	}
	return s, nil
}

// absolute makes a path independent of the working directory, which the built-in S3 store changes. An empty one stays empty.
func absolute(path *string) (err error) {
	if *path != "" {
		*path, err = filepath.Abs(*path)
	}
	return err
}

// elsewhere says whether the settings name servers of their own.
func elsewhere(s configs.Settings) bool { return s.Temporal.Address != "" }

// accelerated says whether a worker with these settings needs the XLA plugin.
func accelerated(s configs.Settings) bool { return slices.Contains(s.Worker.Queues, contract.QueueGPU) }

// pipeline loads the settings and a pipeline.
func (a *app) pipeline(target string) (configs.Settings, *pipelines.Pipeline, error) {
	return a.pipelineBy(func(set []string) (*pipelines.Pipeline, error) { return pipelines.Load(target, set) })
}

// pipelineBy loads the settings and the pipeline that read makes, the paths in which become absolute: a worker reads them from another folder.
func (a *app) pipelineBy(read func(set []string) (*pipelines.Pipeline, error)) (configs.Settings, *pipelines.Pipeline, error) {
	ours, its, err := split(a.sets)
	if err != nil {
		return configs.Settings{}, nil, err
	}
	s, err := a.load(ours)
	if err != nil {
		return s, nil, err
	}
	p, err := read(its)
	if err != nil {
		return s, nil, err
	}
	for name, source := range p.Tasks {
		if err := absolute(&source.File); err != nil {
			return s, nil, err
		}
		p.Tasks[name] = source
	}
	err = p.Each(func(stage *pipelines.Stage) error {
		switch st := stage.Settings.(type) {
		case *pipelines.Import:
			return absolute(&st.Path)
		case *pipelines.Pretrain:
			if !builtinTokenizer(st.Tokenizer) {
				return absolute(&st.Tokenizer)
			}
		}
		return nil
	})
	if err != nil {
		return s, nil, err
	}
	return s, p, nil
}

func builtinTokenizer(name string) bool { return name == "chars" || name == "bytes" }

// logger writes as the settings say.
func logger(s configs.Log, w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.Level)); err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	o := &slog.HandlerOptions{Level: level}
	if s.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return slog.New(slog.NewTextHandler(w, o)), nil
}

// fileLogger logs to temper.log in the data folder, for commands whose terminal shows something else.
func fileLogger(s configs.Settings) (log *slog.Logger, path string, closer io.Closer, err error) {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, "", nil, fmt.Errorf("dir: %w", err)
	}
	path = filepath.Join(s.Dir, "temper.log")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, "", nil, fmt.Errorf("open the log: %w", err)
	}
	log, err = logger(s.Log, f)
	return log, path, f, err
}
