package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"temper/lm/tokenizer"
)

func (a *app) tokenizerCommand() *cobra.Command {
	var model string
	var noSpecial bool
	command := func(use, short, help string, answer func(*tokenizer.Tokenizer, []byte) (any, error)) *cobra.Command {
		c := &cobra.Command{Use: use, Short: short, Args: arguments(0, 0, ""), RunE: func(c *cobra.Command, _ []string) error {
			if model == "" {
				return usagef("--model, the folder of the model, is missing")
			}
			tok, err := tokenizer.Load(model)
			if err != nil {
				return err
			}
			return answerLines(c.InOrStdin(), a.out, func(line []byte) (any, error) { return answer(tok, line) }, nil)
		}}
		c.Flags().StringVar(&model, "model", "", "the model's folder, `DIR`, with its tokenizer's files")
		c.Flags().BoolVar(&noSpecial, "no-special", false, help)
		return c
	}
	encode := command("encode", `Answer each line {"text": "…"} of the input with {"ids": […]}`,
		"add no tokens around a text, and read one that it spells as text",
		func(tok *tokenizer.Tokenizer, line []byte) (any, error) {
			var in struct{ Text *string }
			if err := strictJSON(line, &in); err != nil {
				return nil, err
			}
			if in.Text == nil {
				return nil, errors.New(`has no field "text"`)
			}
			return map[string][]int32{"ids": tok.Encode(*in.Text, tokenizer.Options{AddSpecial: !noSpecial, ParseSpecial: !noSpecial})}, nil
		})
	decode := command("decode", `Answer each line {"ids": […]} of the input with {"text": "…"}`, "leave special tokens out",
		func(tok *tokenizer.Tokenizer, line []byte) (any, error) {
			var in struct{ IDs *[]int64 }
			if err := strictJSON(line, &in); err != nil {
				return nil, err
			}
			if in.IDs == nil {
				return nil, errors.New(`has no field "ids"`)
			}
			ids := make([]int32, len(*in.IDs))
			for i, id := range *in.IDs {
				if ids[i] = int32(id); id < 0 || id > math.MaxInt32 {
					return nil, fmt.Errorf("ids[%d]: %d is no token's id", i, id)
				}
				if _, ok := tok.Piece(ids[i]); !ok {
					return nil, fmt.Errorf("ids[%d]: %d is not in the vocabulary", i, id)
				}
			}
			return map[string]string{"text": tok.Decode(ids, noSpecial)}, nil
		})
	return group("tokenizer", "Encode and decode text with a model's tokenizer", "Both read JSON lines from the standard input and answer each with one line.", encode, decode)
}
