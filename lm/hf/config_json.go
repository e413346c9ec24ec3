package hf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// configFile is config.json as it is read. Pointers tell an absent field from a zero.
type configFile struct {
	Architectures     []string        `json:"architectures"`
	ModelType         string          `json:"model_type"`
	VocabSize         *int            `json:"vocab_size"`
	Hidden            *int            `json:"hidden_size"`
	Layers            *int            `json:"num_hidden_layers"`
	Heads             *int            `json:"num_attention_heads"`
	KVHeads           *int            `json:"num_key_value_heads"`
	HeadDim           *int            `json:"head_dim"`
	FFN               *int            `json:"intermediate_size"`
	HiddenAct         *string         `json:"hidden_act"`
	NormEps           *float64        `json:"rms_norm_eps"`
	RopeTheta         *float64        `json:"rope_theta"`
	RopeScaling       *ropeFile       `json:"rope_scaling"`
	RopeParameters    *ropeFile       `json:"rope_parameters"`
	AttentionBias     bool            `json:"attention_bias"`
	MLPBias           bool            `json:"mlp_bias"`
	TieEmbeddings     *bool           `json:"tie_word_embeddings"`
	MaxPositions      *int            `json:"max_position_embeddings"`
	SlidingWindow     json.RawMessage `json:"sliding_window"`
	UseSlidingWindow  bool            `json:"use_sliding_window"`
	MaxWindowLayers   *int            `json:"max_window_layers"`
	LayerTypes        []string        `json:"layer_types"`
	BOS               json.RawMessage `json:"bos_token_id"`
	EOS               json.RawMessage `json:"eos_token_id"`
	PAD               json.RawMessage `json:"pad_token_id"`
	InitializerRange  *float64        `json:"initializer_range"`
	Dtype             *string         `json:"dtype"`
	TorchDtype        *string         `json:"torch_dtype"`
	QuantizationProto json.RawMessage `json:"quantization_config"`
}

type ropeFile struct {
	RopeType             string   `json:"rope_type"`
	Type                 string   `json:"type"` // older name of rope_type
	RopeTheta            *float64 `json:"rope_theta"`
	Factor               float64  `json:"factor"`
	LowFreqFactor        float64  `json:"low_freq_factor"`
	HighFreqFactor       float64  `json:"high_freq_factor"`
	OriginalMaxPositions int      `json:"original_max_position_embeddings"`
	PartialRotaryFactor  *float64 `json:"partial_rotary_factor"`
}

// familyDefaults are the values that transformers gives absent fields.
type familyDefaults struct {
	maxPositions, headDim, window int
	bos, eos                      int // -1: none
}

var defaults = map[string]familyDefaults{
	Llama:   {maxPositions: 2048, bos: 1, eos: 2},
	Mistral: {maxPositions: 131072, window: 4096, bos: 1, eos: 2},
	Qwen2:   {maxPositions: 32768, window: 4096, bos: -1, eos: -1},
	Qwen3:   {maxPositions: 32768, headDim: 128, window: 4096, bos: -1, eos: -1},
}

// ParseConfig reads a config.json. Absent optional fields take the defaults that transformers
// gives the architecture. What this project cannot run exactly is refused by name.
func ParseConfig(data []byte) (Config, error) {
	var f configFile
	if err := json.Unmarshal(data, &f); err != nil {
		return Config{}, fmt.Errorf("config.json: %w", jsonError(err))
	}
	c := Config{ModelType: f.ModelType, BOS: -1, PAD: -1}
	switch {
	case len(f.Architectures) > 0:
		c.Architecture = f.Architectures[0]
	case f.ModelType != "":
		for arch, mt := range modelTypes {
			if mt == f.ModelType {
				c.Architecture = arch
			}
		}
		if c.Architecture == "" {
			return Config{}, fmt.Errorf("config.json: model_type: %q is not supported (supported: llama, mistral, qwen2, qwen3)", f.ModelType)
		}
	default:
		return Config{}, errors.New("config.json: architectures: missing")
	}
	if mt, ok := modelTypes[c.Architecture]; ok && c.ModelType == "" {
		c.ModelType = mt
	} else if !ok {
		return Config{}, Config{Architecture: c.Architecture}.architectureError()
	}
	if f.HiddenAct != nil && *f.HiddenAct != "silu" {
		return Config{}, fmt.Errorf("config.json: hidden_act: %q is not supported (supported: silu)", *f.HiddenAct)
	}
	if len(f.QuantizationProto) > 0 && string(f.QuantizationProto) != "null" {
		return Config{}, errors.New("config.json: quantization_config: quantized weights are not supported")
	}
	d := defaults[c.Architecture]
	c.VocabSize, c.Hidden, c.Layers = deref(f.VocabSize, 0), deref(f.Hidden, 0), deref(f.Layers, 0)
	c.Heads, c.FFN = deref(f.Heads, 0), deref(f.FFN, 0)
	c.KVHeads = deref(f.KVHeads, c.Heads)
	headDim := d.headDim
	if headDim == 0 && c.Heads > 0 {
		if headDim = c.Hidden / c.Heads; f.HeadDim == nil && c.Hidden%c.Heads != 0 {
			return Config{}, fmt.Errorf("config.json: head_dim: missing, and hidden_size %d is not a multiple of num_attention_heads %d", c.Hidden, c.Heads)
		}
	}
	if c.Heads <= 0 {
		headDim = max(headDim, 2) // keeps the message about num_attention_heads alone
	}
	c.HeadDim = deref(f.HeadDim, headDim)
	if c.Heads <= 0 && f.KVHeads == nil {
		c.KVHeads = 1
	}
	c.NormEps = deref(f.NormEps, 1e-6)
	c.MaxPositions = deref(f.MaxPositions, d.maxPositions)
	c.InitializerRange = deref(f.InitializerRange, 0.02)
	c.TieEmbeddings = deref(f.TieEmbeddings, false)
	c.Dtype = deref(f.Dtype, deref(f.TorchDtype, "float32"))
	c.QKNorm = c.Architecture == Qwen3
	switch c.Architecture {
	case Llama:
		c.QKVBias, c.OBias, c.MLPBias = f.AttentionBias, f.AttentionBias, f.MLPBias
	case Qwen2:
		c.QKVBias = true
	case Qwen3:
		c.QKVBias, c.OBias = f.AttentionBias, f.AttentionBias
	}
	if err := c.readRope(f); err != nil {
		return Config{}, err
	}
	if err := c.readWindow(f, d); err != nil {
		return Config{}, err
	}
	if err := c.readIDs(f, d); err != nil {
		return Config{}, err
	}
	return c, c.Validate()
}

func (c Config) architectureError() error {
	return fmt.Errorf("config.json: architectures: %q is not supported (supported: %s, %s, %s, %s)", c.Architecture, Llama, Mistral, Qwen2, Qwen3)
}

func (c *Config) readRope(f configFile) error {
	c.RopeTheta = deref(f.RopeTheta, 10000)
	for _, r := range []struct {
		field string
		rope  *ropeFile
	}{{"rope_scaling", f.RopeScaling}, {"rope_parameters", f.RopeParameters}} {
		if r.rope == nil {
			continue
		}
		c.RopeTheta = deref(r.rope.RopeTheta, c.RopeTheta)
		if p := r.rope.PartialRotaryFactor; p != nil && *p != 1 {
			return fmt.Errorf("config.json: %s.partial_rotary_factor: %g is not supported (supported: 1)", r.field, *p)
		}
		kind := r.rope.RopeType
		if kind == "" {
			kind = r.rope.Type
		}
		switch kind {
		case "", "default":
		case "llama3":
			c.RopeScaling = &RopeScaling{Type: kind, Factor: r.rope.Factor, LowFreqFactor: r.rope.LowFreqFactor,
				HighFreqFactor: r.rope.HighFreqFactor, OriginalMaxPositions: r.rope.OriginalMaxPositions}
		default:
			return fmt.Errorf("config.json: %s.rope_type: %q is not supported (supported: default, llama3)", r.field, kind)
		}
	}
	return nil
}

// readWindow: Mistral's window covers every layer and is 4096 where the field is absent; Qwen's
// counts only with use_sliding_window, for layers from max_window_layers on; Llama has none.
func (c *Config) readWindow(f configFile, d familyDefaults) error {
	if d.window == 0 {
		return nil
	}
	window := d.window
	if string(f.SlidingWindow) == "null" {
		window = 0
	} else if len(f.SlidingWindow) > 0 {
		if err := json.Unmarshal(f.SlidingWindow, &window); err != nil {
			return errors.New("config.json: sliding_window: must be null or a number of positions")
		}
	}
	if c.Architecture != Mistral {
		if !f.UseSlidingWindow {
			window = 0
		}
		c.WindowFrom = deref(f.MaxWindowLayers, 28)
	}
	if f.LayerTypes != nil && c.Architecture != Mistral {
		if len(f.LayerTypes) != c.Layers {
			return fmt.Errorf("config.json: layer_types: has %d entries, num_hidden_layers is %d", len(f.LayerTypes), c.Layers)
		}
		from := c.Layers
		for i, t := range f.LayerTypes {
			switch {
			case t == "sliding_attention":
				from = min(from, i)
			case t != "full_attention":
				return fmt.Errorf("config.json: layer_types[%d]: %q is not supported (supported: full_attention, sliding_attention)", i, t)
			case from < i:
				return fmt.Errorf("config.json: layer_types[%d]: full attention above a sliding layer is not supported", i)
			}
		}
		c.WindowFrom = from
	}
	if window == 0 || c.WindowFrom >= c.Layers {
		window, c.WindowFrom = 0, 0
	}
	c.SlidingWindow = window
	return nil
}

func (c *Config) readIDs(f configFile, d familyDefaults) error {
	c.BOS = d.bos
	if d.eos >= 0 {
		c.EOS = []int{d.eos}
	}
	if f.EOS != nil {
		ids, err := tokenIDs(f.EOS)
		if err != nil {
			return fmt.Errorf("config.json: eos_token_id: %w", err)
		}
		c.EOS = ids
	}
	for _, x := range []struct {
		field string
		raw   json.RawMessage
		to    *int
	}{{"bos_token_id", f.BOS, &c.BOS}, {"pad_token_id", f.PAD, &c.PAD}} {
		if x.raw == nil {
			continue
		}
		ids, err := tokenIDs(x.raw)
		if err != nil || len(ids) > 1 {
			return fmt.Errorf("config.json: %s: must be null or one token id", x.field)
		}
		if *x.to = -1; len(ids) == 1 && ids[0] >= 0 {
			*x.to = ids[0]
		}
	}
	return nil
}

// JSON writes a config.json that transformers loads, in the form of its version 5
// (rope_parameters, dtype) together with the older rope_theta and rope_scaling.
func (c Config) JSON() ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	dtype, _ := parseDtype(c.Dtype)
	rope := map[string]any{"rope_type": "default", "rope_theta": decimal(c.RopeTheta)}
	out := map[string]any{
		"architectures": []string{c.Architecture}, "model_type": c.ModelType,
		"vocab_size": c.VocabSize, "hidden_size": c.Hidden, "num_hidden_layers": c.Layers,
		"num_attention_heads": c.Heads, "num_key_value_heads": c.KVHeads, "head_dim": c.HeadDim,
		"intermediate_size": c.FFN, "hidden_act": "silu", "rms_norm_eps": c.NormEps,
		"max_position_embeddings": c.MaxPositions, "tie_word_embeddings": c.TieEmbeddings,
		"initializer_range": c.InitializerRange, "attention_dropout": 0.0, "use_cache": true,
		"bos_token_id": writeID(c.BOS), "eos_token_id": writeIDs(c.EOS), "pad_token_id": writeID(c.PAD),
		"dtype": dtype.long, "torch_dtype": dtype.long, "rope_theta": decimal(c.RopeTheta), "rope_parameters": rope,
	}
	if s := c.RopeScaling; s != nil {
		scaling := map[string]any{"rope_type": s.Type, "factor": decimal(s.Factor), "low_freq_factor": decimal(s.LowFreqFactor),
			"high_freq_factor": decimal(s.HighFreqFactor), "original_max_position_embeddings": s.OriginalMaxPositions}
		for k, v := range scaling {
			rope[k] = v
		}
		scaling["rope_theta"] = decimal(c.RopeTheta)
		out["rope_scaling"] = scaling
	}
	switch c.Architecture {
	case Llama:
		out["attention_bias"], out["mlp_bias"] = c.QKVBias, c.MLPBias
	case Qwen3:
		out["attention_bias"] = c.QKVBias
	}
	switch c.Architecture {
	case Mistral:
		out["sliding_window"] = nil
		if c.SlidingWindow > 0 {
			out["sliding_window"] = c.SlidingWindow
		}
	case Qwen2, Qwen3:
		out["use_sliding_window"], out["sliding_window"], out["max_window_layers"] = false, nil, c.Layers
		if c.SlidingWindow > 0 {
			out["use_sliding_window"], out["sliding_window"], out["max_window_layers"] = true, c.SlidingWindow, c.WindowFrom
		}
	}
	return marshalIndent(out)
}

// decimal is a number that is written with a point, for readers that tell 8 from 8.0.
type decimal float64

func (d decimal) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(float64(d))
	if err == nil && !bytes.ContainsAny(data, ".e") {
		data = append(data, ".0"...)
	}
	return data, err
}

// marshalIndent writes sorted keys, two spaces, no HTML escapes and a final newline.
func marshalIndent(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// jsonError rewords a type mismatch so that it names the field as the file does.
func jsonError(err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) && mismatch.Field != "" {
		return fmt.Errorf("%s: must be %s, is a %s", mismatch.Field, mismatch.Type, mismatch.Value)
	}
	return err
}

func deref[T any](p *T, absent T) T {
	if p == nil {
		return absent
	}
	return *p
}
