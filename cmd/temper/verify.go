package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"temper/reward/mathanswer"
)

func (a *app) verifyCommand() *cobra.Command {
	return group("verify", "Judge answers outside of a run", "Each verifier reads JSON lines and answers each with a verdict, in the order of the input.", a.verifyMathCommand(), a.verifyCode())
}

// verdict is the answer to one line of any verifier. Where it is "error", nothing is known about the response.
type verdict struct {
	Verdict string `json:"verdict"`
	Detail  string `json:"detail"`
}

// verifier is a command that answers each line of its input with a verdict; a line that it cannot read has the verdict "error" and the
// others go on.
func (a *app) verifier(use, short, long string, judge func(line []byte) (any, error)) *cobra.Command {
	var file string
	c := &cobra.Command{Use: use, Short: short, Long: long, Args: arguments(0, 0, ""), RunE: func(c *cobra.Command, _ []string) error {
		in := c.InOrStdin()
		if file != "" {
			f, err := os.Open(file)
			if err != nil {
				return err
			}
			defer f.Close()
			in = f
		}
		return answerLines(in, a.out, judge, func(err error) any { return verdict{"error", err.Error()} })
	}}
	c.Flags().StringVar(&file, "in", "", "read `FILE` in place of the standard input")
	return c
}

func (a *app) verifyMathCommand() *cobra.Command {
	return a.verifier("math", `Judge mathematical answers: {"gold": "…", "pred": "…"}`,
		`Each line {"gold": "\\frac{1}{2}", "pred": "so it is 0.5"} is answered with {"verdict": "correct", "detail": ""}, or "wrong", or "error" where the gold answer or
the line cannot be read. gold and pred are bare answers or texts with an answer in them; docs/verifiers.md says what is equal.

A line may have "options": {"precision": 2} (decimals that a rounded answer needs, 6 without) and {"allow_set_relation_comp": false}
(an inequality is no answer for a set), and "match_types": ["latex"] (answers count in formulas only). Other fields are left alone.`, judgeMath)
}

// answerText is a string, or a number as it is written.
type answerText string

func (t *answerText) UnmarshalJSON(b []byte) error {
	var n json.Number
	if len(b) > 0 && b[0] != '"' && json.Unmarshal(b, &n) == nil && n != "" {
		*t = answerText(n)
		return nil
	}
	return json.Unmarshal(b, (*string)(t))
}

func judgeMath(line []byte) (any, error) {
	var in struct {
		Gold, Pred *answerText
		MatchTypes []string `json:"match_types"`
		Options    struct {
			Precision int
			Relations *bool `json:"allow_set_relation_comp"`
		}
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if err := d.Decode(&in); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("has more than one JSON value")
	}
	switch {
	case in.Gold == nil:
		return nil, errors.New(`has no field "gold"`)
	case in.Pred == nil:
		return nil, errors.New(`has no field "pred"`)
	case in.Options.Precision < 0:
		return nil, errors.New("options.precision: must not be negative")
	}
	got := mathanswer.Options{
		Decimals:  in.Options.Precision,
		SetsOnly:  in.Options.Relations != nil && !*in.Options.Relations,
		LaTeXOnly: slices.Equal(in.MatchTypes, []string{"latex"}),
	}.Equal(string(*in.Gold), string(*in.Pred))
	return verdict{string(got.Verdict), got.Detail}, nil
}
