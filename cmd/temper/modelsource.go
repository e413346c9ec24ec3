package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"temper/lm/hf"
)

// modelAt reads a model from a Hugging Face directory, where there is one at the path, or from the bucket.
func (a *app) modelAt(ctx context.Context, where string) (*hf.Model, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	dir, _, err := a.modelDir(ctx, s, where)
	if err != nil {
		return nil, err
	}
	return hf.Load(dir)
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
