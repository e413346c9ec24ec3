package hf

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sizes are the fields that every configuration needs.
const sizes = `"vocab_size": 100, "hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 2, "intermediate_size": 96`

func TestParseConfig(t *testing.T) {
	base := Config{VocabSize: 100, Hidden: 64, Layers: 4, Heads: 8, KVHeads: 2, HeadDim: 8, FFN: 96,
		NormEps: 1e-6, RopeTheta: 10000, BOS: -1, PAD: -1, InitializerRange: 0.02, Dtype: "float32"}
	llama := func(c Config) Config {
		c.Architecture, c.ModelType, c.MaxPositions, c.BOS, c.EOS = Llama, "llama", 2048, 1, []int{2}
		return c
	}
	qwen := func(arch, kind string) Config {
		c := base
		c.Architecture, c.ModelType, c.MaxPositions = arch, kind, 32768
		return c
	}
	for _, test := range []struct {
		name, json string
		want       func() Config
	}{
		{"llama", `"architectures": ["LlamaForCausalLM"], "model_type": "llama"`, func() Config { return llama(base) }},
		{"model type alone", `"model_type": "llama"`, func() Config { return llama(base) }},
		{"llama with biases", `"model_type": "llama", "attention_bias": true, "mlp_bias": true, "tie_word_embeddings": true, "torch_dtype": "bfloat16"`, func() Config {
			c := llama(base)
			c.QKVBias, c.OBias, c.MLPBias, c.TieEmbeddings, c.Dtype = true, true, true, true, "bfloat16"
			return c
		}},
		{"token ids", `"model_type": "llama", "bos_token_id": 0, "eos_token_id": [5, 6], "pad_token_id": 7`, func() Config {
			c := llama(base)
			c.BOS, c.EOS, c.PAD = 0, []int{5, 6}, 7
			return c
		}},
		{"no token ids", `"model_type": "llama", "bos_token_id": null, "eos_token_id": null`, func() Config {
			c := llama(base)
			c.BOS, c.EOS = -1, nil
			return c
		}},
		{"old llama3 scaling", `"model_type": "llama", "rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 8192}`, func() Config {
			c := llama(base)
			c.RopeTheta, c.RopeScaling = 500000, &RopeScaling{"llama3", 8, 1, 4, 8192}
			return c
		}},
		{"new llama3 scaling", `"model_type": "llama", "rope_parameters": {"rope_theta": 500000.0, "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 8192}`, func() Config {
			c := llama(base)
			c.RopeTheta, c.RopeScaling = 500000, &RopeScaling{"llama3", 8, 1, 4, 8192}
			return c
		}},
		{"default scaling", `"model_type": "llama", "rope_theta": 20000, "rope_scaling": {"type": "default"}`, func() Config {
			c := llama(base)
			c.RopeTheta = 20000
			return c
		}},
		{"mistral without a window field", `"model_type": "mistral"`, func() Config {
			c := llama(base)
			c.Architecture, c.ModelType, c.MaxPositions, c.SlidingWindow = Mistral, "mistral", 131072, 4096
			return c
		}},
		{"mistral without a window", `"model_type": "mistral", "sliding_window": null`, func() Config {
			c := llama(base)
			c.Architecture, c.ModelType, c.MaxPositions = Mistral, "mistral", 131072
			return c
		}},
		{"qwen2", `"model_type": "qwen2", "use_sliding_window": false, "sliding_window": 32768, "max_window_layers": 2`, func() Config {
			c := qwen(Qwen2, "qwen2")
			c.QKVBias = true
			return c
		}},
		{"qwen2 with a window", `"model_type": "qwen2", "use_sliding_window": true, "sliding_window": 128, "max_window_layers": 2`, func() Config {
			c := qwen(Qwen2, "qwen2")
			c.QKVBias, c.SlidingWindow, c.WindowFrom = true, 128, 2
			return c
		}},
		{"qwen2 with a window above its layers", `"model_type": "qwen2", "use_sliding_window": true, "sliding_window": 128, "max_window_layers": 28`, func() Config {
			c := qwen(Qwen2, "qwen2")
			c.QKVBias = true
			return c
		}},
		{"qwen2 layer types", `"model_type": "qwen2", "use_sliding_window": true, "sliding_window": 128, "layer_types": ["full_attention", "sliding_attention", "sliding_attention", "sliding_attention"]`, func() Config {
			c := qwen(Qwen2, "qwen2")
			c.QKVBias, c.SlidingWindow, c.WindowFrom = true, 128, 1
			return c
		}},
		{"qwen3", `"model_type": "qwen3", "head_dim": 32, "layer_types": ["full_attention", "full_attention", "full_attention", "full_attention"]`, func() Config {
			c := qwen(Qwen3, "qwen3")
			c.QKNorm, c.HeadDim = true, 32
			return c
		}},
		{"qwen3 without head_dim", `"model_type": "qwen3"`, func() Config {
			c := qwen(Qwen3, "qwen3")
			c.QKNorm, c.HeadDim = true, 128
			return c
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseConfig([]byte("{" + sizes + ", " + test.json + "}"))
			if err != nil {
				t.Fatal(err)
			}
			if want := test.want(); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestParseConfigRefuses(t *testing.T) {
	for _, test := range []struct{ name, json, want string }{
		{"architecture", `{"architectures": ["MambaForCausalLM"], ` + sizes + `}`, `architectures: "MambaForCausalLM" is not supported`},
		{"model type", `{"model_type": "gemma", ` + sizes + `}`, `model_type: "gemma" is not supported`},
		{"nothing", `{}`, "architectures: missing"},
		{"disagreement", `{"architectures": ["LlamaForCausalLM"], "model_type": "qwen2", ` + sizes + `}`, `model_type: "qwen2" does not belong to architecture LlamaForCausalLM`},
		{"no heads", `{"model_type": "llama", "vocab_size": 10, "hidden_size": 8, "num_hidden_layers": 1, "intermediate_size": 8}`, "config.json: num_attention_heads: must be > 0"},
		{"no vocabulary", `{"model_type": "llama", "num_attention_heads": 2, "hidden_size": 8, "num_hidden_layers": 1, "intermediate_size": 8}`, "config.json: vocab_size: must be > 0"},
		{"negative", `{` + sizes + `, "model_type": "llama", "num_hidden_layers": -1}`, "num_hidden_layers: must be > 0, is -1"},
		{"kv heads", `{` + sizes + `, "model_type": "llama", "num_key_value_heads": 3}`, "num_key_value_heads: 3 does not divide"},
		{"odd head", `{` + sizes + `, "model_type": "llama", "head_dim": 7}`, "head_dim: must be even"},
		{"activation", `{` + sizes + `, "model_type": "llama", "hidden_act": "gelu"}`, `hidden_act: "gelu" is not supported`},
		{"scaling", `{` + sizes + `, "model_type": "llama", "rope_scaling": {"type": "linear", "factor": 2}}`, `rope_scaling.rope_type: "linear" is not supported`},
		{"new scaling", `{` + sizes + `, "model_type": "llama", "rope_parameters": {"rope_type": "yarn", "factor": 2}}`, `rope_parameters.rope_type: "yarn" is not supported`},
		{"llama3 scaling", `{` + sizes + `, "model_type": "llama", "rope_scaling": {"rope_type": "llama3", "factor": 8}}`, "llama3 needs factor, low_freq_factor"},
		{"partial", `{` + sizes + `, "model_type": "llama", "rope_parameters": {"partial_rotary_factor": 0.5}}`, "partial_rotary_factor"},
		{"quantized", `{` + sizes + `, "model_type": "llama", "quantization_config": {"bits": 4}}`, "quantization_config"},
		{"type", `{` + sizes + `, "model_type": "llama", "rms_norm_eps": "small"}`, "rms_norm_eps: must be float64, is a string"},
		{"eos", `{` + sizes + `, "model_type": "llama", "eos_token_id": "x"}`, "eos_token_id: must be null, a token id or a list"},
		{"bos", `{` + sizes + `, "model_type": "llama", "bos_token_id": [1, 2]}`, "bos_token_id: must be null or one token id"},
		{"layer types", `{` + sizes + `, "model_type": "qwen3", "layer_types": ["linear_attention", "full_attention", "full_attention", "full_attention"]}`, "layer_types[0]"},
		{"dtype", `{` + sizes + `, "model_type": "llama", "dtype": "int8"}`, `dtype: "int8" is not supported`},
		{"not JSON", `{"vocab_size": `, "config.json: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseConfig([]byte(test.json))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

// drawConfig draws configurations that ParseConfig can yield.
func drawConfig(t *rapid.T) Config {
	arch := rapid.SampledFrom(slices.Sorted(maps.Keys(modelTypes))).Draw(t, "architecture")
	small := func(name string) int { return rapid.IntRange(1, 4).Draw(t, name) }
	c := Config{Architecture: arch, ModelType: modelTypes[arch], VocabSize: 7 * small("vocab"), Hidden: 4 * small("hidden"), Layers: small("layers"),
		KVHeads: small("kv heads"), HeadDim: 2 * small("head dim"), FFN: 3 * small("ffn"), NormEps: 1e-5, RopeTheta: float64(small("theta")) * 1000.5,
		TieEmbeddings: rapid.Bool().Draw(t, "tied"), MaxPositions: 64 * small("positions"), BOS: small("bos") - 2, PAD: small("pad") - 2,
		InitializerRange: 0.02, Dtype: rapid.SampledFrom([]string{"float32", "bfloat16", "float16"}).Draw(t, "dtype")}
	c.Heads = c.KVHeads * small("group")
	for range small("eos") - 1 {
		c.EOS = append(c.EOS, rapid.IntRange(0, 6).Draw(t, "eos id"))
	}
	if rapid.Bool().Draw(t, "scaled") {
		c.RopeScaling = &RopeScaling{"llama3", 8, 1, 4, 128}
	}
	switch arch {
	case Llama:
		c.QKVBias = rapid.Bool().Draw(t, "bias")
		c.OBias, c.MLPBias = c.QKVBias, rapid.Bool().Draw(t, "mlp bias")
	case Qwen2:
		c.QKVBias = true
	case Qwen3:
		c.QKNorm, c.QKVBias = true, rapid.Bool().Draw(t, "bias")
		c.OBias = c.QKVBias
	}
	if arch != Llama && rapid.Bool().Draw(t, "window") {
		c.SlidingWindow = 16 * small("window size")
		if arch != Mistral {
			c.WindowFrom = rapid.IntRange(0, c.Layers-1).Draw(t, "window from")
		}
	}
	return c
}

func TestConfigRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawConfig(t)
		data, err := want.JSON()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseConfig(data)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v\n%s", got, want, data)
		}
	})
}

func TestTensors(t *testing.T) {
	c, err := ParseConfig([]byte(`{` + sizes + `, "model_type": "qwen3", "head_dim": 16, "num_hidden_layers": 1, "attention_bias": true}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []TensorSpec{
		{"model.embed_tokens.weight", []int{100, 64}},
		{"model.layers.0.input_layernorm.weight", []int{64}},
		{"model.layers.0.self_attn.q_proj.weight", []int{128, 64}}, {"model.layers.0.self_attn.q_proj.bias", []int{128}},
		{"model.layers.0.self_attn.k_proj.weight", []int{32, 64}}, {"model.layers.0.self_attn.k_proj.bias", []int{32}},
		{"model.layers.0.self_attn.v_proj.weight", []int{32, 64}}, {"model.layers.0.self_attn.v_proj.bias", []int{32}},
		{"model.layers.0.self_attn.o_proj.weight", []int{64, 128}}, {"model.layers.0.self_attn.o_proj.bias", []int{64}},
		{"model.layers.0.self_attn.q_norm.weight", []int{16}}, {"model.layers.0.self_attn.k_norm.weight", []int{16}},
		{"model.layers.0.post_attention_layernorm.weight", []int{64}},
		{"model.layers.0.mlp.gate_proj.weight", []int{96, 64}},
		{"model.layers.0.mlp.up_proj.weight", []int{96, 64}},
		{"model.layers.0.mlp.down_proj.weight", []int{64, 96}},
		{"model.norm.weight", []int{64}},
		{"lm_head.weight", []int{100, 64}},
	}
	if got := c.Tensors(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	c.TieEmbeddings = true
	if got := c.Tensors(); len(got) != len(want)-1 || got[len(got)-1].Name != "model.norm.weight" {
		t.Errorf("tied: %v", got)
	}
}

// The parameter count that Qwen publishes for Qwen3-0.6B is 596,049,920 with tied embeddings.
func TestParams(t *testing.T) {
	c, err := ParseConfig([]byte(`{"architectures": ["Qwen3ForCausalLM"], "head_dim": 128, "hidden_size": 1024, "intermediate_size": 3072, "max_position_embeddings": 40960,
		"model_type": "qwen3", "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8, "tie_word_embeddings": true, "vocab_size": 151936}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Params(); got != 596_049_920 {
		t.Errorf("Params %d", got)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{` + sizes + `, "model_type": "qwen2", "rope_scaling": {"type": "default"}}`))
	f.Add([]byte(`{"model_type": "llama", "eos_token_id": [1]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig(data)
		if err != nil {
			return
		}
		out, err := c.JSON()
		if err != nil {
			t.Fatalf("accepted, but cannot be written: %v", err)
		}
		if !json.Valid(out) {
			t.Fatalf("not JSON: %s", out)
		}
	})
}
