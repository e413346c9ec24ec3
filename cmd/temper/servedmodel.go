package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"time"

	"temper/artifact"
	"temper/configs"
	"temper/serve"
	"temper/serve/engine"
	"temper/workers"
)

// chunk is how many tokens are generated between two looks at the requests: few, so that text streams; enough that looking costs little.
const chunk = 8

// servedModel opens a model for generation: a Hugging Face directory, or an artifact of the bucket. done frees it and the device.
func (a *app) servedModel(ctx context.Context, s configs.Settings, target, name string, o engine.Options, log *slog.Logger) (m *serve.Model, done func(), err error) {
	dir, found, err := a.modelDir(ctx, s, target)
	if err != nil {
		return nil, nil, err
	}
	if name == "" {
		name = found
	}
	c, err := workers.DeviceOpener(s.XLA, log)()
	if err != nil {
		return nil, nil, err
	}
	o.Chunk, o.Context, o.Log = chunk, s.Serve.Context, log
	if m, err = serve.Open(c, dir, name, o); err != nil {
		c.Close()
		return nil, nil, err
	}
	log.Info("model ready", "model", name, "device", c.Description(), "context", m.Engine.Context())
	return m, func() { m.Close(); c.Close() }, nil
}

// modelDir finds the folder of a model, and a name for it: target itself, or where the artifact that target names was copied to.
func (a *app) modelDir(ctx context.Context, s configs.Settings, target string) (dir, name string, err error) {
	if _, err := os.Stat(target); err == nil {
		if dir, err = filepath.Abs(target); err != nil {
			return "", "", err
		}
		return dir, filepath.Base(dir), nil
	}
	if strings.HasPrefix(target, ".") || filepath.IsAbs(target) {
		return "", "", fmt.Errorf("%s: there is no such folder", target)
	}
	err = a.looking(ctx, func(ctx context.Context, in *conn) error {
		ref, err := modelRef(ctx, in.store, target)
		if err != nil {
			return fmt.Errorf("%s is neither a folder nor a model in the bucket: %w", target, err)
		}
		dir, name = filepath.Join(s.Dir, "models", ref.Digest), ref.Short()
		return in.store.Fetch(ctx, ref, dir)
	})
	return dir, name, err
}

// modelRef resolves a model's reference; "latest" is the model made last, unless an alias has that name.
func modelRef(ctx context.Context, s *artifact.Store, text string) (artifact.Ref, error) {
	ref, err := s.Resolve(ctx, text)
	if err == nil || text != "latest" {
		return ref, err
	}
	var newest time.Time
	for entry, err := range s.List(ctx, "model") {
		if err != nil {
			return artifact.Ref{}, err
		}
		if entry.Manifest.Created.After(newest) {
			newest, ref = entry.Manifest.Created, entry.Ref
		}
	}
	if newest.IsZero() {
		return ref, errors.New("there is no model in the bucket yet")
	}
	return ref, nil
}

// powerOfTwo rounds up.
func powerOfTwo(n int) int { return 1 << bits.Len(uint(n-1)) }
