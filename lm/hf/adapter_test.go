package hf

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func smallAdapter(c Config) Adapter {
	a := Adapter{Rank: 2, Alpha: 6, Targets: []string{"q_proj", "down_proj"}, Base: "base", Tensors: map[string]Tensor{}}
	for i, s := range c.AdapterTensors(a) {
		t := Tensor{Name: s.Name, Dims: s.Dims, Data: make([]float32, s.Dims[0]*s.Dims[1])}
		for j := range t.Data {
			t.Data[j] = float32(i+j) / 64
		}
		a.Tensors[s.Name] = t
	}
	return a
}

var adapterBase = Config{Architecture: Llama, ModelType: "llama", VocabSize: 10, Hidden: 4, Layers: 2, Heads: 2, KVHeads: 1, HeadDim: 2, FFN: 6,
	NormEps: 1e-6, RopeTheta: 1e4, MaxPositions: 32, TieEmbeddings: true, Dtype: "float32"}

func TestAdapterRoundTrip(t *testing.T) {
	a := smallAdapter(adapterBase)
	require.Len(t, a.Tensors, 8)
	files, err := adapterBase.AdapterFiles(a)
	require.NoError(t, err)
	dir := t.TempDir()
	for name, data := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	got, err := ReadAdapter(dir)
	require.NoError(t, err)
	require.Equal(t, a, got)
	_, err = ReadAdapter(t.TempDir())
	require.ErrorContains(t, err, "adapter_config.json")
}

func TestAdapterRefuses(t *testing.T) {
	files, err := adapterBase.AdapterFiles(smallAdapter(adapterBase))
	require.NoError(t, err)
	for _, c := range []struct {
		field string
		value any
		want  string
	}{
		{"peft_type", "IA3", `peft_type: "IA3" is not supported`},
		{"use_dora", true, "use_dora: is not supported"},
		{"rank_pattern", map[string]int{"q_proj": 3}, "rank_pattern: is not supported"},
		{"layers_to_transform", []int{0}, "layers_to_transform: is not supported"},
		{"bias", "all", `bias: "all" is not supported`},
		{"target_modules", []string{"q_proj", "lm_head"}, `target_modules: "lm_head" is none of q_proj`},
		{"target_modules", ".*proj", `the expression ".*proj" is not supported`},
		{"target_modules", []string{}, "names no layer"},
		{"r", 0, "r: must be > 0, is 0"},
		{"lora_alpha", -1, "lora_alpha: must be > 0, is -1"},
	} {
		var fields map[string]any
		require.NoError(t, json.Unmarshal(files[adapterConfigName], &fields))
		fields[c.field] = c.value
		changed, err := json.Marshal(fields)
		require.NoError(t, err)
		_, err = ParseAdapter(map[string][]byte{adapterConfigName: changed, adapterWeightsName: files[adapterWeightsName]})
		require.ErrorContains(t, err, c.want, c.field)
	}

	other := adapterBase
	other.Hidden = 8
	m := &Model{Config: other, Tensors: map[string]Tensor{}}
	require.ErrorContains(t, m.Merge(smallAdapter(adapterBase)), "model.layers.0.self_attn.q_proj.lora_A.weight is [2 4], the model wants [2 8]")
	a := smallAdapter(adapterBase)
	delete(a.Tensors, "model.layers.1.mlp.down_proj.lora_B.weight")
	_, err = adapterBase.AdapterFiles(a)
	require.ErrorContains(t, err, "model.layers.1.mlp.down_proj.lora_B.weight is missing")
}
