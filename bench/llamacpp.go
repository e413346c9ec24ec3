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

// llamacpp decodes one sequence with llama.cpp, in float32 as temper does, through node-llama-cpp, which brings it compiled. There is no row for
// more: node-llama-cpp feeds llama.cpp's batches too slowly for the figure to be llama.cpp's.
func llamacpp(name, shape string) row {
	args := []string{"decode", shape, "1", strconv.Itoa(generated), "2"}
	r := decoding(name, "", shape, 1, 2)
	r.peer = func(ctx context.Context, b *bench, _ int) (float64, error) {
		dir, err := nodePeers(ctx)
		if err != nil {
			return 0, err
		}
		model := filepath.Join(dir, shape+".gguf")
		if _, err := os.Stat(model); errors.Is(err, fs.ErrNotExist) {
			if _, err := b.output(ctx, b.python, filepath.Join("bench", "peers", "gguf_shape.py"), shape, model); err != nil {
				return 0, err
			}
		}
		out, err := b.output(ctx, "node", append([]string{filepath.Join(dir, nodeScript), model}, args[2:]...)...)
		if err != nil {
			return 0, err
		}
		var t side.Times
		err = decode(out, &t)
		return median(t.Seconds), err
	}
	return r
}

const nodeScript = "llamacpp_side.mjs"

// nodePeers installs the peers' npm packages beside a copy of the script that uses them, in the user's cache, and gives the folder.
func nodePeers(ctx context.Context) (dir string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(cache, "temper", "bench", "node")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	installed := true
	for _, name := range []string{"package.json", nodeScript} {
		want, err := os.ReadFile(filepath.Join("bench", "peers", name))
		if err != nil {
			return "", err
		}
		to := filepath.Join(dir, name)
		have, err := os.ReadFile(to)
		if err == nil && bytes.Equal(have, want) {
			continue
		}
		installed = installed && name == nodeScript
		if err := os.WriteFile(to, want, 0o644); err != nil {
			return "", err
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "node-llama-cpp")); err == nil && installed {
		return dir, nil
	}
	fmt.Println("installing llama.cpp into", dir)
	c := exec.CommandContext(ctx, "npm", "install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund")
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("install llama.cpp with npm: %w", err)
	}
	return dir, nil
}
