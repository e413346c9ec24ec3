package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// peers installs the peers' pinned packages into a virtual environment of their own in the user's cache, once, and gives its Python.
func peers(ctx context.Context) (python string, err error) {
	const list = "bench/peers/requirements.txt"
	want, err := os.ReadFile(list)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "temper", "bench")
	python, done := filepath.Join(dir, "bin", "python"), filepath.Join(dir, "installed.txt")
	if have, err := os.ReadFile(done); err == nil && bytes.Equal(have, want) {
		return python, nil
	}
	fmt.Println("installing the peers into", dir)
	for _, args := range [][]string{{"python3", "-m", "venv", dir}, {python, "-m", "pip", "install", "--quiet", "-r", list}} {
		c := exec.CommandContext(ctx, args[0], args[1:]...)
		c.Stdout, c.Stderr = os.Stderr, os.Stderr
		if err := c.Run(); err != nil {
			return "", fmt.Errorf("install the peers: %v: %w", args, err)
		}
	}
	return python, os.WriteFile(done, want, 0o644)
}

// script runs a Python script with the peers' packages.
func script(ctx context.Context, args []string) error {
	python, err := peers(ctx)
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, python, args...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	return c.Run()
}

// failed adds what a process has written to its standard error.
func failed(err error) error {
	var e *exec.ExitError
	if errors.As(err, &e) {
		return fmt.Errorf("%w: %s", err, e.Stderr)
	}
	return err
}

// lastLine is where the last line of out begins: some peers print more than their result.
func lastLine(out []byte) int { return bytes.LastIndexByte(bytes.TrimSpace(out), '\n') + 1 }
