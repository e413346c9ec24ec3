// Package hf reads and writes model directories in the Hugging Face layout: config.json,
// safetensors weights, generation_config.json and the tokenizer files that lie beside them.
// It knows names, shapes and file formats; it computes nothing with a model.
//
// It may import the standard library only.
package hf

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Architectures that [ParseConfig] accepts, as they stand in "architectures".
const (
	Llama   = "LlamaForCausalLM"
	Mistral = "MistralForCausalLM"
	Qwen2   = "Qwen2ForCausalLM"
	Qwen3   = "Qwen3ForCausalLM"
)

// modelTypes maps each architecture to its "model_type".
var modelTypes = map[string]string{Llama: "llama", Mistral: "mistral", Qwen2: "qwen2", Qwen3: "qwen3"}

// Config describes a decoder-only transformer with RMS norm, rotary positions, grouped-query
// attention and a gated SiLU feed-forward.
type Config struct {
	Architecture string // "LlamaForCausalLM", …
	ModelType    string // "llama", …

	VocabSize int // rows of the embedding
	Hidden    int // width of the residual stream
	Layers    int
	Heads     int // query heads
	KVHeads   int // key and value heads; divides Heads
	HeadDim   int // width of one head; even
	FFN       int // inner width of the feed-forward

	NormEps     float64
	RopeTheta   float64
	RopeScaling *RopeScaling // nil: unscaled

	QKNorm        bool // RMS norm over each head of q and k before the rotation (Qwen3)
	QKVBias       bool
	OBias         bool
	MLPBias       bool
	TieEmbeddings bool // the output projection is the embedding

	MaxPositions  int
	SlidingWindow int // positions an attention row sees; 0: all
	WindowFrom    int // first layer that the window applies to; the layers before it see all

	BOS, PAD int   // -1: none
	EOS      []int // empty: none; any of them ends a text

	InitializerRange float64
	Dtype            string // how weights are stored: "float32", "bfloat16" or "float16"
}

// RopeScaling stretches the rotary frequencies as Llama 3.1 does: wavelengths beyond
// OriginalMaxPositions/LowFreqFactor are divided by Factor, those below
// OriginalMaxPositions/HighFreqFactor are kept, those between are interpolated.
type RopeScaling struct {
	Type                 string // "llama3"
	Factor               float64
	LowFreqFactor        float64
	HighFreqFactor       float64
	OriginalMaxPositions int
}

// TensorSpec names one weight and its dimensions, rows first.
type TensorSpec struct {
	Name string
	Dims []int
}

// Validate reports every field that cannot describe a model, each by its name in config.json.
func (c Config) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("config.json: %s: %s", field, fmt.Sprintf(format, args...)))
	}
	if want, ok := modelTypes[c.Architecture]; !ok {
		bad("architectures", "%q is not supported (supported: %s, %s, %s, %s)", c.Architecture, Llama, Mistral, Qwen2, Qwen3)
	} else if c.ModelType != want {
		bad("model_type", "%q does not belong to architecture %s (want %q)", c.ModelType, c.Architecture, want)
	}
	for _, f := range []struct {
		name  string
		value int
	}{
		{"vocab_size", c.VocabSize}, {"hidden_size", c.Hidden}, {"num_hidden_layers", c.Layers},
		{"num_attention_heads", c.Heads}, {"num_key_value_heads", c.KVHeads}, {"head_dim", c.HeadDim},
		{"intermediate_size", c.FFN}, {"max_position_embeddings", c.MaxPositions},
	} {
		if f.value <= 0 {
			bad(f.name, "must be > 0, is %d", f.value)
		}
	}
	if c.Heads > 0 && c.KVHeads > 0 && c.Heads%c.KVHeads != 0 {
		bad("num_key_value_heads", "%d does not divide num_attention_heads %d", c.KVHeads, c.Heads)
	}
	if c.HeadDim > 0 && c.HeadDim%2 != 0 {
		bad("head_dim", "must be even for rotary positions, is %d", c.HeadDim)
	}
	if !(c.NormEps > 0) {
		bad("rms_norm_eps", "must be > 0, is %g", c.NormEps)
	}
	if !(c.RopeTheta > 0) {
		bad("rope_theta", "must be > 0, is %g", c.RopeTheta)
	}
	if c.SlidingWindow < 0 {
		bad("sliding_window", "must be >= 0, is %d", c.SlidingWindow)
	}
	if _, err := parseDtype(c.Dtype); err != nil {
		bad("dtype", "%v", err)
	}
	if s := c.RopeScaling; s != nil {
		switch {
		case s.Type != "llama3":
			bad("rope_parameters.rope_type", "%q is not supported (supported: default, llama3)", s.Type)
		case !(s.Factor > 0), !(s.LowFreqFactor > 0), s.OriginalMaxPositions <= 0:
			bad("rope_parameters", "llama3 needs factor, low_freq_factor and original_max_position_embeddings > 0")
		case !(s.HighFreqFactor > s.LowFreqFactor):
			bad("rope_parameters.high_freq_factor", "must be > low_freq_factor %g, is %g", s.LowFreqFactor, s.HighFreqFactor)
		}
	}
	return errors.Join(errs...)
}

// Tensors lists the weights of the model in canonical order under their Hugging Face names.
func (c Config) Tensors() []TensorSpec {
	specs := []TensorSpec{{"model.embed_tokens.weight", []int{c.VocabSize, c.Hidden}}}
	add := func(name string, dims ...int) { specs = append(specs, TensorSpec{name, dims}) }
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	for layer := range c.Layers {
		p := fmt.Sprintf("model.layers.%d.", layer)
		linear := func(name string, out, in int, bias bool) {
			add(p+name+".weight", out, in)
			if bias {
				add(p+name+".bias", out)
			}
		}
		add(p+"input_layernorm.weight", c.Hidden)
		linear("self_attn.q_proj", q, c.Hidden, c.QKVBias)
		linear("self_attn.k_proj", kv, c.Hidden, c.QKVBias)
		linear("self_attn.v_proj", kv, c.Hidden, c.QKVBias)
		linear("self_attn.o_proj", c.Hidden, q, c.OBias)
		if c.QKNorm {
			add(p+"self_attn.q_norm.weight", c.HeadDim)
			add(p+"self_attn.k_norm.weight", c.HeadDim)
		}
		add(p+"post_attention_layernorm.weight", c.Hidden)
		linear("mlp.gate_proj", c.FFN, c.Hidden, c.MLPBias)
		linear("mlp.up_proj", c.FFN, c.Hidden, c.MLPBias)
		linear("mlp.down_proj", c.Hidden, c.FFN, c.MLPBias)
	}
	add("model.norm.weight", c.Hidden)
	if !c.TieEmbeddings {
		add("lm_head.weight", c.VocabSize, c.Hidden)
	}
	return specs
}

// Params counts the weights; tied embeddings count once.
func (c Config) Params() int64 {
	var total int64
	for _, s := range c.Tensors() {
		n := int64(1)
		for _, d := range s.Dims {
			n *= int64(d)
		}
		total += n
	}
	return total
}

// tokenIDs decodes a token id field: null, a number or a list of numbers.
func tokenIDs(raw json.RawMessage) ([]int, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var one int
	if err := json.Unmarshal(raw, &one); err == nil {
		return []int{one}, nil
	}
	var list []int
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, errors.New("must be null, a token id or a list of token ids")
	}
	return list, nil
}

// writeIDs is the inverse of tokenIDs, in the shortest form.
func writeIDs(ids []int) any {
	switch len(ids) {
	case 0:
		return nil
	case 1:
		return ids[0]
	}
	return ids
}

// writeID writes an id that may be absent as -1.
func writeID(id int) any {
	if id < 0 {
		return nil
	}
	return id
}
