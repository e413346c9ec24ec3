package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"temper/bench/side"
	"temper/device"
	"temper/device/plugin"
)

// ourSide does temper's side of a row in this process: train|decode SHAPE ROWS LENGTH TIMES, or tokenize DATA TIMES.
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
		return fmt.Errorf("side: want train|decode SHAPE ROWS LENGTH TIMES or tokenize DATA TIMES, got %q", args)
	}
	var n [3]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[2+i]); err != nil {
			return fmt.Errorf("side: %w", err)
		}
	}
	config, err := side.Shape(args[1])
	if err != nil {
		return err
	}
	path, err := plugin.Find(os.Getenv("TEMPER_XLA_PLUGIN"), "")
	if err != nil {
		return err
	}
	c, err := device.Open(path, device.Options{})
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
	default:
		err = fmt.Errorf("side: no work %q", args[0])
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(t)
}
