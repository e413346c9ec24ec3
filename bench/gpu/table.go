package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// write puts rows into the tables of dir, in place of those of the same work, shape and device.
func write(dir string, rows []Row) error {
	path := filepath.Join(dir, "benchmarks-gpu.json")
	var table struct {
		Rows []Row `json:"rows"`
	}
	if data, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(data, &table); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, r := range rows {
		same := func(old Row) bool { return old.Work == r.Work && old.Shape == r.Shape && old.Device == r.Device }
		if i := slices.IndexFunc(table.Rows, same); i >= 0 {
			table.Rows[i] = r
		} else {
			table.Rows = append(table.Rows, r)
		}
	}
	data, err := json.MarshalIndent(table, "", "  ")
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmarks on a GPU\n\nWritten by `make bench-gpu`: SFT steps of %d×%d tokens and decoding of %d sequences (%d tokens after %d), in bfloat16 on float32 parameters, with random weights.\n\n",
		trainRows, trainLength, decodeBatch, decodeNew, decodePrompt)
	b.WriteString("| work | shape | tokens/s | MFU | transformers, tokens/s | ratio | device | date |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range table.Rows {
		fmt.Fprintf(&b, "| %s | %s | %.0f | %.2f | %.0f | %.2f | %s | %s |\n", r.Work, r.Shape, r.TokensPerSec, r.MFU, r.Peer, r.Ratio, r.Device, r.Date)
	}
	return errors.Join(os.WriteFile(path, append(data, '\n'), 0o644), os.WriteFile(filepath.Join(dir, "benchmarks-gpu.md"), []byte(b.String()), 0o644))
}
