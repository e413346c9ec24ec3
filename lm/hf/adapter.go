package hf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Adapter is a low-rank change of some of a model's linear layers (LoRA, Hu et al. 2021, arXiv 2106.09685): W + scale·B·A with A [rank, in] and
// B [out, rank], in the layout of the PEFT library.
type Adapter struct {
	Rank    int
	Alpha   float64
	RSLoRA  bool     // scale = alpha/√rank in place of alpha/rank (Kalajdzievski 2023, arXiv 2312.03732)
	Targets []string // short names of the layers: "q_proj", …
	Base    string   // what it is an adapter of, for people

	Tensors map[string]Tensor // named as AdapterTensors has them
}

// Linears are the linear layers of a decoder that an adapter can change.
var Linears = []string{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}

// AdapterFolder holds the adapter's files in a model's artifact that the adapter was merged into.
const AdapterFolder = "adapter/"

const (
	adapterConfigName  = "adapter_config.json"
	adapterWeightsName = "adapter_model.safetensors"
	peftPrefix         = "base_model.model." // of every name in PEFT's files
)

// Scale multiplies B·A.
func (a Adapter) Scale() float64 {
	if a.RSLoRA {
		return a.Alpha / math.Sqrt(float64(a.Rank))
	}
	return a.Alpha / float64(a.Rank)
}

// Validate reports every setting that cannot describe an adapter, by its name in adapter_config.json.
func (a Adapter) Validate() error {
	var errs []error
	if a.Rank < 1 {
		errs = append(errs, fmt.Errorf("%s: r: must be > 0, is %d", adapterConfigName, a.Rank))
	}
	if !(a.Alpha > 0) {
		errs = append(errs, fmt.Errorf("%s: lora_alpha: must be > 0, is %g", adapterConfigName, a.Alpha))
	}
	if len(a.Targets) == 0 {
		errs = append(errs, fmt.Errorf("%s: target_modules: names no layer", adapterConfigName))
	}
	for _, t := range a.Targets {
		if !slices.Contains(Linears, t) {
			errs = append(errs, fmt.Errorf("%s: target_modules: %q is none of %s", adapterConfigName, t, strings.Join(Linears, ", ")))
		}
	}
	return errors.Join(errs...)
}

// AdapterTensors lists an adapter's matrices in canonical order: A and B of each target of each layer, in the order of Tensors.
func (c Config) AdapterTensors(a Adapter) []TensorSpec {
	var out []TensorSpec
	for _, s := range c.Tensors() {
		layer, ok := strings.CutSuffix(s.Name, ".weight")
		if !ok || !slices.Contains(a.Targets, layer[strings.LastIndexByte(layer, '.')+1:]) {
			continue
		}
		out = append(out, TensorSpec{layer + ".lora_A.weight", []int{a.Rank, s.Dims[1]}}, TensorSpec{layer + ".lora_B.weight", []int{s.Dims[0], a.Rank}})
	}
	return out
}

// Merge adds an adapter to the weights: the model then computes without it what it computed with it.
func (m *Model) Merge(a Adapter) error {
	if err := a.check(m.Config); err != nil {
		return err
	}
	scale := float32(a.Scale())
	specs := m.Config.AdapterTensors(a)
	for i := 0; i < len(specs); i += 2 {
		down, up := a.Tensors[specs[i].Name], a.Tensors[specs[i+1].Name]
		name := strings.TrimSuffix(down.Name, ".lora_A.weight") + ".weight"
		w := m.Tensors[name]
		w.Data = slices.Clone(w.Data)
		in := w.Dims[1]
		for row := range w.Dims[0] {
			for r := range a.Rank {
				f := scale * up.Data[row*a.Rank+r]
				for col, x := range down.Data[r*in : (r+1)*in] {
					w.Data[row*in+col] += f * x
				}
			}
		}
		m.Tensors[name] = w
	}
	return nil
}

// check wants exactly the matrices of the adapter on a model of the given shape.
func (a Adapter) check(c Config) error {
	if err := a.Validate(); err != nil {
		return err
	}
	specs := c.AdapterTensors(a)
	for _, s := range specs {
		t, ok := a.Tensors[s.Name]
		if !ok {
			return fmt.Errorf("%s: %s is missing", adapterWeightsName, s.Name)
		}
		if !slices.Equal(t.Dims, s.Dims) {
			return fmt.Errorf("%s: %s is %v, the model wants %v", adapterWeightsName, s.Name, t.Dims, s.Dims)
		}
	}
	if len(specs) != len(a.Tensors) {
		return fmt.Errorf("%s: has %d matrices, %d belong to an adapter of this model", adapterWeightsName, len(a.Tensors), len(specs))
	}
	return nil
}

// adapterFile is adapter_config.json, as far as it matters here.
type adapterFile struct {
	PeftType      string  `json:"peft_type"`
	TaskType      string  `json:"task_type"`
	Base          string  `json:"base_model_name_or_path"`
	Rank          int     `json:"r"`
	Alpha         float64 `json:"lora_alpha"`
	Dropout       float64 `json:"lora_dropout"`
	RSLoRA        bool    `json:"use_rslora"`
	Bias          string  `json:"bias"`
	InferenceMode bool    `json:"inference_mode"`
	Targets       any     `json:"target_modules"`
}

// notPlain are fields of adapter_config.json that make an adapter more than a plain LoRA when they hold anything.
var notPlain = []string{"use_dora", "use_qalora", "use_bdlora", "fan_in_fan_out", "lora_bias", "rank_pattern", "alpha_pattern", "modules_to_save",
	"layers_to_transform", "layers_pattern", "layer_replication", "exclude_modules", "target_parameters", "trainable_token_indices", "alora_invocation_tokens"}

// AdapterFiles writes an adapter as PEFT does: adapter_config.json and adapter_model.safetensors (float32).
func (c Config) AdapterFiles(a Adapter) (map[string][]byte, error) {
	if err := a.check(c); err != nil {
		return nil, err
	}
	config, err := marshalIndent(adapterFile{PeftType: "LORA", TaskType: "CAUSAL_LM", Base: a.Base, Rank: a.Rank, Alpha: a.Alpha, RSLoRA: a.RSLoRA, Bias: "none",
		InferenceMode: true, Targets: a.Targets})
	if err != nil {
		return nil, err
	}
	var tensors []Tensor
	for _, s := range c.AdapterTensors(a) {
		t := a.Tensors[s.Name]
		t.Name = peftPrefix + t.Name
		tensors = append(tensors, t)
	}
	var buf bytes.Buffer
	if err := EncodeSafetensors(&buf, tensors, "float32", map[string]string{"format": "pt"}); err != nil {
		return nil, fmt.Errorf("writing %s: %w", adapterWeightsName, err)
	}
	return map[string][]byte{adapterConfigName: config, adapterWeightsName: buf.Bytes()}, nil
}

// ReadAdapter reads an adapter's directory.
func ReadAdapter(dir string) (Adapter, error) {
	files := map[string][]byte{}
	for _, name := range []string{adapterConfigName, adapterWeightsName} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return Adapter{}, fmt.Errorf("adapter directory %s: %s: %w", dir, name, fs.ErrNotExist)
		} else if err != nil {
			return Adapter{}, fmt.Errorf("adapter directory: %w", err)
		}
		files[name] = data
	}
	a, err := ParseAdapter(files)
	if err != nil {
		return a, fmt.Errorf("adapter directory %s: %w", dir, err)
	}
	return a, nil
}

// ParseAdapter reads what AdapterFiles or PEFT wrote. Kinds of adapter that are no plain LoRA are refused by name.
func ParseAdapter(files map[string][]byte) (Adapter, error) {
	var f adapterFile
	var fields map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(files[adapterConfigName], &f), json.Unmarshal(files[adapterConfigName], &fields)); err != nil {
		return Adapter{}, fmt.Errorf("%s: %w", adapterConfigName, jsonError(err))
	}
	for _, name := range notPlain {
		switch string(fields[name]) {
		case "", "null", "false", "{}", "[]":
		default:
			return Adapter{}, fmt.Errorf("%s: %s: is not supported (this is no plain LoRA)", adapterConfigName, name)
		}
	}
	a := Adapter{Rank: f.Rank, Alpha: f.Alpha, RSLoRA: f.RSLoRA, Base: f.Base, Tensors: map[string]Tensor{}}
	switch {
	case f.PeftType != "LORA":
		return a, fmt.Errorf("%s: peft_type: %q is not supported (supported: LORA)", adapterConfigName, f.PeftType)
	case f.Bias != "" && f.Bias != "none":
		return a, fmt.Errorf("%s: bias: %q is not supported (supported: none)", adapterConfigName, f.Bias)
	}
	switch t := f.Targets.(type) {
	case string:
		if t != "all-linear" {
			return a, fmt.Errorf("%s: target_modules: the expression %q is not supported; list the layers", adapterConfigName, t)
		}
		a.Targets = slices.Clone(Linears)
	case []any:
		for _, name := range t {
			a.Targets = append(a.Targets, fmt.Sprint(name))
		}
		slices.SortFunc(a.Targets, func(x, y string) int { return slices.Index(Linears, x) - slices.Index(Linears, y) })
	}
	if err := a.Validate(); err != nil {
		return a, err
	}
	tensors, err := ParseSafetensors(adapterWeightsName, files[adapterWeightsName])
	if err != nil {
		return a, err
	}
	for _, t := range tensors {
		t.Name = strings.TrimPrefix(t.Name, peftPrefix)
		a.Tensors[t.Name] = t
	}
	return a, nil
}
