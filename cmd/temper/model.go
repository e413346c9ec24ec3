package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"temper/artifact"
	"temper/lm"
	"temper/lm/hf"
	"temper/lm/tokenizer"
	"temper/workers"
)

func (a *app) modelCommand() *cobra.Command {
	return group("model", "Look at models, score texts, bring models into the bucket and out of it",
		"A model is a Hugging Face directory, or one in the bucket: kind/digest, the beginning of a digest, or an alias.",
		a.modelInfo(), a.modelScore(), a.modelImport(), a.modelExport())
}

// modelFacts is what `temper model info` tells.
type modelFacts struct {
	Architecture  string `json:"architecture"`
	Params        int64  `json:"params"`
	Dtype         string `json:"dtype"`
	Layers        int    `json:"layers"`
	Hidden        int    `json:"hidden"`
	Heads         int    `json:"heads"`
	KVHeads       int    `json:"kv_heads"`
	HeadDim       int    `json:"head_dim"`
	FFN           int    `json:"ffn"`
	Vocab         int    `json:"vocab"`
	TiedHead      bool   `json:"tied_embeddings"`
	MaxPositions  int    `json:"max_positions"`
	SlidingWindow int    `json:"sliding_window,omitempty"`
	Tokenizer     string `json:"tokenizer"` // its vocabulary, or what is wrong with it
	ChatTemplate  bool   `json:"chat_template"`
}

func factsOf(m *hf.Model) modelFacts {
	c := m.Config
	f := modelFacts{Architecture: c.Architecture, Params: c.Params(), Dtype: c.Dtype, Layers: c.Layers, Hidden: c.Hidden, Heads: c.Heads, KVHeads: c.KVHeads,
		HeadDim: c.HeadDim, FFN: c.FFN, Vocab: c.VocabSize, TiedHead: c.TieEmbeddings, MaxPositions: c.MaxPositions, SlidingWindow: c.SlidingWindow}
	if t, err := tokenizer.OfModel(m.TokenizerFiles, m.Config.VocabSize); err != nil {
		f.Tokenizer = err.Error()
	} else {
		f.Tokenizer, f.ChatTemplate = fmt.Sprintf("%d tokens", t.VocabSize()), t.ChatTemplate() != ""
	}
	return f
}

func (a *app) modelInfo() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "info DIR|REF", Short: "Say what a model is, after reading all of it", Args: arguments(1, 1, "a folder or an artifact"),
		RunE: func(c *cobra.Command, args []string) error {
			m, err := a.modelAt(c.Context(), args[0])
			if err != nil {
				return err
			}
			f := factsOf(m)
			if asJSON {
				return a.json(f)
			}
			return table(a.out, [][]string{
				{"architecture", f.Architecture}, {"parameters", strconv.FormatInt(f.Params, 10)}, {"stored as", f.Dtype},
				{"layers", fmt.Sprintf("%d of %d, feed-forward %d", f.Layers, f.Hidden, f.FFN)},
				{"attention", fmt.Sprintf("%d heads of %d on %d keys and values", f.Heads, f.HeadDim, f.KVHeads)},
				{"vocabulary", fmt.Sprintf("%d, tied head: %t", f.Vocab, f.TiedHead)}, {"positions", strconv.Itoa(f.MaxPositions)},
				{"tokenizer", f.Tokenizer}, {"chat template", strconv.FormatBool(f.ChatTemplate)},
			})
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// scored is what `temper model score` prints.
type scored struct {
	IDs           []int32   `json:"ids"`
	LastLogits    []float32 `json:"last_logits"`    // of the token to come, by id
	TokenLogProbs []float32 `json:"token_logprobs"` // of each of ids after the first, in nats
}

func (a *app) modelScore() *cobra.Command {
	var where, ids, text string
	var asJSON bool
	c := &cobra.Command{Use: "score --model DIR|REF (--ids 1,2,3 | --text TEXT)", Short: "Print what a model makes of a text: log-probabilities and the next token's logits",
		Args: arguments(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error {
			if where == "" || (ids == "") == (text == "") {
				return usagef("model score needs --model and one of --ids and --text")
			}
			m, err := a.modelAt(c.Context(), where)
			if err != nil {
				return err
			}
			tokens, err := scoredTokens(m, ids, text)
			if err != nil {
				return err
			}
			s, err := a.score(m, tokens)
			if err != nil {
				return err
			}
			if asJSON {
				return a.json(s)
			}
			return a.printScore(m, s)
		}}
	c.Flags().StringVar(&where, "model", "", "`DIR` in the Hugging Face layout, or a model in the bucket")
	c.Flags().StringVar(&ids, "ids", "", "the token `IDS`, with commas between them")
	c.Flags().StringVar(&text, "text", "", "a `TEXT` for the model's tokenizer, with its special tokens")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON: ids, last_logits, token_logprobs")
	return c
}

func scoredTokens(m *hf.Model, ids, text string) ([]int32, error) {
	if text != "" {
		t, err := tokenizer.OfModel(m.TokenizerFiles, m.Config.VocabSize)
		if err != nil {
			return nil, err
		}
		return t.Encode(text, tokenizer.Options{AddSpecial: true, ParseSpecial: true}), nil
	}
	var out []int32
	for _, field := range strings.Split(ids, ",") {
		id, err := strconv.ParseInt(strings.TrimSpace(field), 10, 32)
		if err != nil {
			return nil, usagef("--ids: %q is not a token id", field)
		}
		out = append(out, int32(id))
	}
	return out, nil
}

func (a *app) score(m *hf.Model, ids []int32) (scored, error) {
	s, err := a.settings()
	if err != nil {
		return scored{}, err
	}
	device, err := workers.DeviceOpener(s.XLA, slog.New(slog.DiscardHandler))()
	if err != nil {
		return scored{}, err
	}
	defer device.Close()
	score, err := lm.ScoreText(device, m, ids)
	if err != nil {
		return scored{}, err
	}
	out := scored{IDs: ids, LastLogits: score.LastLogits, TokenLogProbs: score.LogProbs}
	if out.TokenLogProbs == nil {
		out.TokenLogProbs = []float32{}
	}
	return out, nil
}

// printScore lists the tokens with their log-probabilities, as text where the model has a tokenizer.
func (a *app) printScore(m *hf.Model, s scored) error {
	t, err := tokenizer.OfModel(m.TokenizerFiles, m.Config.VocabSize)
	piece := func(id int32) string {
		if err != nil {
			return ""
		}
		p, _ := t.Piece(id)
		return strconv.Quote(p)
	}
	rows, total := [][]string{{"TOKEN", "TEXT", "LOG PROBABILITY"}, {fmt.Sprint(s.IDs[0]), piece(s.IDs[0]), ""}}, 0.0
	for i, lp := range s.TokenLogProbs {
		rows = append(rows, []string{fmt.Sprint(s.IDs[i+1]), piece(s.IDs[i+1]), fmt.Sprintf("%.5f", lp)})
		total += float64(lp)
	}
	return table(a.out, append(rows, []string{"", "sum", fmt.Sprintf("%.5f", total)}))
}

func (a *app) modelImport() *cobra.Command {
	var alias string
	c := &cobra.Command{Use: "import DIR", Short: "Bring a Hugging Face directory into the bucket, after checking all of it", Args: arguments(1, 1, "a folder"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := absolute(&args[0]); err != nil {
				return err
			}
			m, err := hf.Load(args[0])
			if err != nil {
				return err
			}
			if _, err := tokenizer.OfModel(m.TokenizerFiles, m.Config.VocabSize); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			files, err := hf.ToFiles(m)
			if err != nil {
				return err
			}
			return a.writing(c.Context(), func(ctx context.Context, in *conn) error {
				ref, err := in.store.Commit(ctx, artifact.Manifest{Kind: "model", Code: codeVersion(), Summary: "imported from " + args[0],
					Metrics: map[string]float64{"params": float64(m.Config.Params())}}, files)
				if err == nil && alias != "" {
					err = in.store.SetAlias(ctx, alias, ref, nil, me(), "imported from "+args[0])
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(a.out, ref)
				return err
			})
		}}
	c.Flags().StringVar(&alias, "alias", "", "a `NAME` to find it by")
	return c
}

func (a *app) modelExport() *cobra.Command {
	var dtype, adapter string
	var apart bool
	c := &cobra.Command{Use: "export DIR|REF TO", Short: "Write a model, or the adapter that made it, as a Hugging Face directory", Args: arguments(2, 2, "a model and a folder: one of them"),
		RunE: func(c *cobra.Command, args []string) error {
			if apart && (dtype != "" || adapter != "") {
				return usagef("--apart writes an adapter as it is: leave --dtype and --adapter out")
			}
			if err := absolute(&args[1]); err != nil {
				return err
			}
			if err := emptyFolder(args[1]); err != nil {
				return err
			}
			if apart {
				return a.exportAdapter(c.Context(), args[0], args[1])
			}
			m, err := a.modelAt(c.Context(), args[0])
			if err != nil {
				return err
			}
			if dtype != "" {
				m.Config.Dtype = dtype
			}
			if err := m.Config.Validate(); err != nil {
				return err
			}
			if adapter != "" {
				low, err := hf.ReadAdapter(adapter)
				if err == nil {
					err = m.Merge(low)
				}
				if err != nil {
					return err
				}
			}
			if err := hf.Save(args[1], m); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "%s, %d parameters in %s, is in %s\n", m.Config.Architecture, m.Config.Params(), m.Config.Dtype, args[1])
			return err
		}}
	c.Flags().StringVar(&dtype, "dtype", "", "store the weights as float32, bfloat16 or float16 (default: as they are)")
	c.Flags().StringVar(&adapter, "adapter", "", "add the LoRA adapter in `DIR`, in PEFT's layout, to the weights")
	c.Flags().BoolVar(&apart, "apart", false, "write the LoRA adapter of a model that a stage trained with one, in PEFT's layout, and not the model")
	return c
}

// exportAdapter writes the adapter of a model in the bucket.
func (a *app) exportAdapter(ctx context.Context, where, to string) error {
	return a.looking(ctx, func(ctx context.Context, in *conn) error {
		ref, err := in.store.Resolve(ctx, where)
		if err != nil {
			return err
		}
		m, err := in.store.Load(ctx, ref)
		if err != nil {
			return err
		}
		files := map[string][]byte{}
		for _, f := range m.Files {
			if name, ok := strings.CutPrefix(f.Path, hf.AdapterFolder); ok {
				if files[name], err = in.store.Read(ctx, ref, f.Path); err != nil {
					return err
				}
			}
		}
		if len(files) == 0 {
			return fmt.Errorf("%s has no adapter: no stage with lora made it", ref.Short())
		}
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		for name, data := range files {
			if err := os.WriteFile(filepath.Join(to, name), data, 0o644); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintf(a.out, "the adapter of %s is in %s\n", ref.Short(), to)
		return err
	})
}

func (a *app) json(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
