package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"temper/bench/side"
	"temper/device"
	"temper/device/plugin"
	"temper/lm/hf"
)

// programCache is the variable that names a folder for compiled programs; without it each process compiles.
const programCache = "TEMPER_BENCH_PROGRAMS"

// ourSide does temper's side of a row in this process: train|decode SHAPE ROWS LENGTH TIMES, tokenize DATA TIMES, or a measure of the machine, for
// which SHAPE and LENGTH mean nothing: matmul - N - TIMES (of N×N matrices), copy - MIB - TIMES, read - MIB - TIMES.
func ourSide(args []string) error {
	if len(args) == 3 && args[0] == "tokenize" {
		times, err := strconv.Atoi(args[2])
		if err != nil {
			return fmt.Errorf("side: %w", err)
		}
		t, err := side.Tokenize(args[1], times)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(t)
	}
	if len(args) != 5 {
		return fmt.Errorf("side: want train|decode|matmul|copy|read SHAPE ROWS LENGTH TIMES or tokenize DATA TIMES, got %q", args)
	}
	var n [3]int
	for i := range n {
		if args[2+i] == "-" {
			continue
		}
		var err error
		if n[i], err = strconv.Atoi(args[2+i]); err != nil {
			return fmt.Errorf("side: %w", err)
		}
	}
	var config hf.Config
	if args[1] != "-" {
		var err error
		if config, err = side.Shape(args[1]); err != nil {
			return err
		}
	}
	path, err := plugin.Find(os.Getenv("TEMPER_XLA_PLUGIN"), "")
	if err != nil {
		return err
	}
	c, err := device.Open(path, device.Options{Cache: os.Getenv(programCache), CacheBytes: 1 << 30})
	if err != nil {
		return err
	}
	defer c.Close()
	var t side.Times
	switch args[0] {
	case "train":
		t, err = side.Train(c, config, n[0], n[1], n[2])
	case "decode":
		t, err = side.Decode(c, config, n[0], promptTokens, n[1], n[2])
	case "matmul":
		t, err = side.Matmul(c, n[0], n[2])
	case "copy":
		t, err = side.Copy(n[0]<<20, n[2])
	case "read":
		t, err = side.Read(n[0]<<20, n[2])
	default:
		err = fmt.Errorf("side: no work %q", args[0])
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(t)
}
