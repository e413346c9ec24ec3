package hf

import (
	"encoding/json"
	"fmt"
)

// GenerationConfig is generation_config.json: how the model's authors sample from it.
// Zero Temperature, TopP and TopK mean that the file does not state them.
type GenerationConfig struct {
	BOS, PAD    int   // -1: none
	EOS         []int // any of them ends a text
	DoSample    bool
	Temperature float64
	TopP        float64
	TopK        int
}

// generationOf takes the token ids from the model's configuration.
func generationOf(c Config) GenerationConfig {
	return GenerationConfig{BOS: c.BOS, PAD: c.PAD, EOS: append([]int(nil), c.EOS...)}
}

// ParseGenerationConfig reads a generation_config.json.
func ParseGenerationConfig(data []byte) (GenerationConfig, error) {
	const file = "generation_config.json"
	var f struct {
		BOS         json.RawMessage `json:"bos_token_id"`
		EOS         json.RawMessage `json:"eos_token_id"`
		PAD         json.RawMessage `json:"pad_token_id"`
		DoSample    bool            `json:"do_sample"`
		Temperature *float64        `json:"temperature"`
		TopP        *float64        `json:"top_p"`
		TopK        *int            `json:"top_k"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return GenerationConfig{}, fmt.Errorf("%s: %w", file, jsonError(err))
	}
	g := GenerationConfig{BOS: -1, PAD: -1, DoSample: f.DoSample, Temperature: deref(f.Temperature, 0), TopP: deref(f.TopP, 0), TopK: deref(f.TopK, 0)}
	var err error
	if g.EOS, err = tokenIDs(f.EOS); err != nil {
		return GenerationConfig{}, fmt.Errorf("%s: eos_token_id: %w", file, err)
	}
	for _, x := range []struct {
		field string
		raw   json.RawMessage
		to    *int
	}{{"bos_token_id", f.BOS, &g.BOS}, {"pad_token_id", f.PAD, &g.PAD}} {
		ids, err := tokenIDs(x.raw)
		if err != nil || len(ids) > 1 {
			return GenerationConfig{}, fmt.Errorf("%s: %s: must be null or one token id", file, x.field)
		}
		if len(ids) == 1 {
			*x.to = ids[0]
		}
	}
	if g.Temperature < 0 || g.TopP < 0 || g.TopP > 1 || g.TopK < 0 {
		return GenerationConfig{}, fmt.Errorf("%s: temperature %g, top_p %g, top_k %d: out of range", file, g.Temperature, g.TopP, g.TopK)
	}
	return g, nil
}

// JSON writes a generation_config.json.
func (g GenerationConfig) JSON() ([]byte, error) {
	out := map[string]any{}
	if g.BOS >= 0 {
		out["bos_token_id"] = g.BOS
	}
	if len(g.EOS) > 0 {
		out["eos_token_id"] = writeIDs(g.EOS)
	}
	if g.PAD >= 0 {
		out["pad_token_id"] = g.PAD
	}
	if g.DoSample {
		out["do_sample"] = true
	}
	if g.Temperature > 0 {
		out["temperature"] = g.Temperature
	}
	if g.TopP > 0 {
		out["top_p"] = g.TopP
	}
	if g.TopK > 0 {
		out["top_k"] = g.TopK
	}
	return marshalIndent(out)
}
