package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"temper/bench/side"
)

// llamacpp decodes with llama.cpp's library, in float32 as temper does, through its C interface.
func llamacpp(name, shape string, batch int, target float64) row {
	r := decoding(name, "", shape, batch, target)
	r.peer = func(ctx context.Context, b *bench, _ int) (float64, error) {
		dir, libraries, err := llamacppLibraries(ctx)
		if err != nil {
			return 0, err
		}
		model := filepath.Join(dir, shape+".gguf")
		if _, err := os.Stat(model); errors.Is(err, fs.ErrNotExist) {
			if _, err := b.output(ctx, b.python, filepath.Join("bench", "peers", "gguf_shape.py"), shape, model); err != nil {
				return 0, err
			}
		}
		out, err := b.output(ctx, b.python, filepath.Join("bench", "peers", "llamacpp_side.py"), libraries, model, strconv.Itoa(batch), strconv.Itoa(generated), "2")
		if err != nil {
			return 0, err
		}
		var t side.Times
		err = decode(out, &t)
		return median(t.Seconds), err
	}
	return r
}

// llamacppLibraries installs the npm package that brings llama.cpp compiled, once, into a folder of the user's cache, and gives the folder and where its libraries are.
func llamacppLibraries(ctx context.Context) (dir, libraries string, err error) {
	want, err := os.ReadFile(filepath.Join("bench", "peers", "package.json"))
	if err != nil {
		return "", "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", "", err
	}
	dir = filepath.Join(cache, "temper", "bench", "llamacpp")
	libraries = filepath.Join(dir, "node_modules", "@node-llama-cpp", "linux-x64", "bins", "linux-x64")
	list := filepath.Join(dir, "package.json")
	if have, err := os.ReadFile(list); err == nil && bytes.Equal(have, want) {
		if _, err := os.Stat(libraries); err == nil {
			return dir, libraries, nil
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", "", err
	}
	if err := os.WriteFile(list, want, 0o644); err != nil {
		return "", "", err
	}
	fmt.Println("installing llama.cpp into", dir)
	c := exec.CommandContext(ctx, "npm", "install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund")
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return "", "", fmt.Errorf("install llama.cpp with npm: %w", err)
	}
	return dir, libraries, nil
}
