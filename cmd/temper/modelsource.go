package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"temper/artifact"
	"temper/lm/hf"
	"temper/lm/tokenizer"
)

// modelAt reads a model from a Hugging Face directory, where there is one at the path, or from the bucket.
func (a *app) modelAt(ctx context.Context, where string) (*hf.Model, error) {
	if info, err := os.Stat(where); err == nil && info.IsDir() {
		if err := absolute(&where); err != nil {
			return nil, err
		}
		return hf.Load(where)
	}
	var model *hf.Model
	err := a.looking(ctx, func(ctx context.Context, in *conn) error {
		ref, err := in.store.Resolve(ctx, where)
		if err != nil {
			return fmt.Errorf("%s is neither a folder nor a model in the bucket: %w", where, err)
		}
		model, err = modelFrom(ctx, in.store, ref)
		return err
	})
	return model, err
}

// modelFrom reads a model artifact.
func modelFrom(ctx context.Context, s *artifact.Store, ref artifact.Ref) (*hf.Model, error) {
	m, err := s.Load(ctx, ref)
	if err != nil {
		return nil, err
	}
	if _, ok := m.File("config.json"); !ok {
		return nil, fmt.Errorf("%s is no model: it has no config.json", ref.Short())
	}
	files := map[string][]byte{}
	for _, f := range m.Files {
		if files[f.Path], err = s.Read(ctx, ref, f.Path); err != nil {
			return nil, err
		}
	}
	model, err := hf.ReadFrom(files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Short(), err)
	}
	return model, nil
}

// tokenizerOf reads a model's tokenizer and checks that it fits.
func tokenizerOf(m *hf.Model) (*tokenizer.Tokenizer, error) {
	t, err := tokenizer.Parse(m.TokenizerFiles)
	if err != nil {
		return nil, err
	}
	return t, t.CheckModel(m.Config.VocabSize)
}

// emptyFolder refuses to write into a folder that holds something.
func emptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty (it has %s)", dir, filepath.Join(dir, entries[0].Name()))
	}
	return err
}
