package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"temper/bench/side"
	"temper/device"
	"temper/lm/hf"
)

// longRows and longLength are the steps with long sequences, of as many tokens as the others.
const longRows, longLength = 1, 8192

// ahead compiles the programs of the table for a GPU that is not there, and writes how much of its memory each takes.
func ahead(o options) error {
	c, err := device.Ahead(o.plugin, o.target, device.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	flash, err := c.WithFlash()
	if err != nil {
		return err
	}
	fmt.Println(c.Description())
	var b strings.Builder
	fmt.Fprintf(&b, `# Compiled for a GPU

Written by `+"`make gpu-compile`"+`, which compiles temper's programs for an %s on a machine without one: what a GPU would have to refuse or could not hold
shows here. Memory is what XLA plans for one run: parameters, optimizer state, gradients and temporaries. Steps are SFT in bfloat16 on float32 parameters, with
activations recomputed; flash is `+"`xla.flash_attention`"+`.

| program | shape | sequences × tokens | memory, GB |
|---|---|---|---|
`, c.Kind())
	for _, shape := range strings.Split(o.shapes, ",") {
		config, err := side.Shape("qwen3-" + shape)
		if err != nil {
			return err
		}
		for _, row := range programs(c, flash) {
			client := row.client.WithoutKernels() // counts for itself
			if err := row.run(client, config); err != nil {
				return fmt.Errorf("%s %s: %w", row.name, shape, err)
			}
			compiled := client.Compilations()
			line := fmt.Sprintf("| %s | %s | %d × %d | %.1f |", row.name, shape, row.rows, row.length, float64(compiled.Bytes)/1e9)
			fmt.Printf("%s compiled in %.0f s\n", line, compiled.Seconds)
			fmt.Fprintln(&b, line)
		}
	}
	return os.WriteFile(filepath.Join(o.out, "compiled-gpu.md"), []byte(b.String()), 0o644)
}

// program is one that is compiled for a model: rows sequences of length tokens.
type program struct {
	name         string
	client       *device.Client
	rows, length int
	run          func(*device.Client, hf.Config) error
}

func programs(plain, flash *device.Client) []program {
	step := func(name string, c *device.Client, rows, length int) program {
		return program{name, c, rows, length, func(c *device.Client, config hf.Config) error {
			_, err := side.TrainHalf(c, config, rows, length, 0)
			return err
		}}
	}
	decoding := func(name string, decode func(*device.Client, hf.Config, int, int, int, int) (side.Times, error)) program {
		return program{name, plain, decodeBatch, decodePrompt + decodeNew, func(c *device.Client, config hf.Config) error {
			_, err := decode(c, config, decodeBatch, decodePrompt, decodeNew, 0)
			return err
		}}
	}
	return []program{
		step("SFT step", plain, trainRows, trainLength), step("SFT step, flash", flash, trainRows, trainLength),
		step("SFT step", plain, longRows, longLength), step("SFT step, flash", flash, longRows, longLength),
		decoding("decoding, float32", side.Decode), decoding("decoding, bfloat16", side.DecodeHalf),
	}
}
