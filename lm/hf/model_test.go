package hf

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// tiny is a whole model whose numbers all differ.
func tiny(t testing.TB, tied bool) *Model {
	t.Helper()
	c, err := ParseConfig([]byte(`{"model_type": "llama", "vocab_size": 5, "hidden_size": 4, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 6}`))
	if err != nil {
		t.Fatal(err)
	}
	c.TieEmbeddings = tied
	m := &Model{Config: c, Tensors: map[string]Tensor{}, Generation: GenerationConfig{BOS: 1, PAD: -1, EOS: []int{2, 3}, DoSample: true, Temperature: 0.6, TopP: 0.95, TopK: 20},
		TokenizerFiles: map[string][]byte{"tokenizer.json": []byte(`{"version": "1.0"}`), "tokenizer_config.json": []byte(`{}`)}}
	next := float32(0)
	for _, spec := range c.Tensors() {
		n := 1
		for _, d := range spec.Dims {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			next++
			data[i] = next
		}
		m.Tensors[spec.Name] = Tensor{spec.Name, spec.Dims, data}
	}
	return m
}

func TestSaveLoad(t *testing.T) {
	for _, tied := range []bool{false, true} {
		want := tiny(t, tied)
		dir := filepath.Join(t.TempDir(), "a", "b")
		if err := Save(dir, want); err != nil {
			t.Fatal(err)
		}
		got, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if want := []string{"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}; !slices.Equal(names, want) {
			t.Errorf("files %v, want %v", names, want)
		}
		files, err := ToFiles(want)
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range files {
			if disk, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(disk, data) {
				t.Errorf("%s: on disk and in memory differ (%v)", name, err)
			}
		}
		if again, err := ReadFrom(files); err != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("from memory: %v, %v", again, err)
		}
	}
}

// sharded splits a model into two files and an index.
func sharded(t testing.TB) map[string][]byte {
	t.Helper()
	m := tiny(t, false)
	files, err := ToFiles(m)
	if err != nil {
		t.Fatal(err)
	}
	delete(files, weightsName)
	tensors, err := m.Ordered()
	if err != nil {
		t.Fatal(err)
	}
	index := map[string]string{}
	for i, part := range [][]Tensor{tensors[:5], tensors[5:]} {
		name := []string{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}[i]
		files[name] = encode(t, part, "F32")
		for _, x := range part {
			index[x.Name] = name
		}
	}
	if files[indexName], err = json.Marshal(map[string]any{"metadata": map[string]any{"total_size": 1}, "weight_map": index}); err != nil {
		t.Fatal(err)
	}
	return files
}

func TestShards(t *testing.T) {
	got, err := ReadFrom(sharded(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := tiny(t, false); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestLoadTolerates(t *testing.T) {
	m := tiny(t, true)
	files, err := ToFiles(m)
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := m.Ordered()
	if err != nil {
		t.Fatal(err)
	}
	tensors = append(tensors, Tensor{"lm_head.weight", []int{5, 4}, make([]float32, 20)}, Tensor{"model.layers.0.self_attn.rotary_emb.inv_freq", []int{1}, []float32{1}})
	files[weightsName] = encode(t, tensors, "F32")
	got, err := ReadFrom(files)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Errorf("got %+v\nwant %+v", got, m)
	}
}

// A SentencePiece model beside a tokenizer.json says nothing more; alone it is the tokenizer.
func TestTokenizerModel(t *testing.T) {
	for _, beside := range []string{"", "tokenizer.json"} {
		files, err := ToFiles(tiny(t, true))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range TokenizerNames {
			delete(files, name)
		}
		files["tokenizer.model"] = []byte("model")
		if beside != "" {
			files[beside] = []byte("{}")
		}
		m, err := ReadFrom(files)
		if err != nil {
			t.Fatal(err)
		}
		if _, kept := m.TokenizerFiles["tokenizer.model"]; kept != (beside == "") || len(m.TokenizerFiles) != 1 {
			t.Errorf("beside %q: tokenizer files %v", beside, m.TokenizerFiles)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	edit := func(change func(files map[string][]byte)) func() error {
		return func() error {
			files, err := ToFiles(tiny(t, false))
			if err != nil {
				return err
			}
			change(files)
			_, err = ReadFrom(files)
			return err
		}
	}
	weights := func(change func(m map[string]Tensor)) func() error {
		return edit(func(files map[string][]byte) {
			m := tiny(t, false).Tensors
			change(m)
			var list []Tensor
			for _, name := range slices.Sorted(maps.Keys(m)) {
				list = append(list, m[name])
			}
			files[weightsName] = encode(t, list, "F32")
		})
	}
	shards := func(change func(files map[string][]byte)) func() error {
		return func() error {
			files := sharded(t)
			change(files)
			_, err := ReadFrom(files)
			return err
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	load := func(dir string) func() error { return func() error { _, err := Load(dir); return err } }
	for _, test := range []struct {
		name   string
		do     func() error
		want   string
		absent bool
	}{
		{"directory", load(filepath.Join(dir, "none")), filepath.Join(dir, "none"), true},
		{"file", load(file), "is a file", false},
		{"empty directory", load(dir), "model directory " + dir + ": config.json", true},
		{"config", edit(func(f map[string][]byte) { delete(f, "config.json") }), "config.json", true},
		{"weights", edit(func(f map[string][]byte) { delete(f, weightsName) }), "neither model.safetensors nor model.safetensors.index.json", true},
		{"pickles", edit(func(f map[string][]byte) { delete(f, weightsName); f["pytorch_model.bin"] = nil }), "pytorch_model.bin is not read", true},
		{"truncated", edit(func(f map[string][]byte) { f[weightsName] = f[weightsName][:len(f[weightsName])-8] }), "truncated: tensor lm_head.weight", false},
		{"generation", edit(func(f map[string][]byte) { f[generationName] = []byte(`{"top_p": 3}`) }), "generation_config.json", false},
		{"missing tensor", weights(func(m map[string]Tensor) { delete(m, "model.norm.weight") }), "tensor model.norm.weight: missing (want shape [4])", false},
		{"extra tensor", weights(func(m map[string]Tensor) { m["x"] = Tensor{"x", []int{1}, []float32{1}} }), "tensor x: not part of LlamaForCausalLM", false},
		{"shape", weights(func(m map[string]Tensor) {
			m["model.norm.weight"] = Tensor{"model.norm.weight", []int{2}, []float32{1, 2}}
		}), "tensor model.norm.weight: shape [2], config.json wants [4]", false},
		{"shard", shards(func(f map[string][]byte) { delete(f, "model-00002-of-00002.safetensors") }), "shard model-00002-of-00002.safetensors (2 of 2 in model.safetensors.index.json)", true},
		{"shard without its tensor", shards(func(f map[string][]byte) {
			f[indexName] = bytes.Replace(f[indexName], []byte(`"weight_map":{`), []byte(`"weight_map":{"z":"model-00001-of-00002.safetensors",`), 1)
		}), "tensor z: model.safetensors.index.json places it in shard model-00001-of-00002.safetensors, which lacks it", false},
		{"shard outside", shards(func(f map[string][]byte) {
			f[indexName] = []byte(`{"weight_map": {"z": "../secret"}}`)
		}), `shard "../secret" lies outside the directory`, false},
		{"empty index", shards(func(f map[string][]byte) { f[indexName] = []byte(`{}`) }), "weight_map: missing or empty", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.do()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got error %v, want one with %q", err, test.want)
			}
			if errors.Is(err, fs.ErrNotExist) != test.absent {
				t.Errorf("%v: is fs.ErrNotExist should be %t", err, test.absent)
			}
		})
	}
}

func TestSaveRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(m *Model)
		want   string
	}{
		{"tensor", func(m *Model) { delete(m.Tensors, "model.norm.weight") }, "model.norm.weight: missing"},
		{"config", func(m *Model) { m.Config.Heads = 0 }, "num_attention_heads"},
		{"file", func(m *Model) { m.TokenizerFiles["../x"] = nil }, "../x is not a tokenizer file"},
	} {
		m := tiny(t, false)
		test.change(m)
		dir := filepath.Join(t.TempDir(), "m")
		if err := Save(dir, m); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one with %q", test.name, err, test.want)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a refused save left its directory", test.name)
		}
	}
}

func TestRealModel(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "model_stories260K_hf")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("public test data is absent: %v", err)
	}
	m, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := m.Config
	if c.Architecture != Llama || c.Layers != 5 || c.Hidden != 64 || c.Heads != 8 || c.KVHeads != 4 || c.HeadDim != 8 || c.FFN != 172 || !c.TieEmbeddings || c.VocabSize != 512 || c.NormEps != 1e-5 {
		t.Errorf("config %+v", c)
	}
	if len(m.Tensors) != len(c.Tensors()) || c.Params() != 260032 {
		t.Errorf("%d tensors, %d parameters", len(m.Tensors), c.Params())
	}
	if g := m.Generation; g.BOS != 1 || !slices.Equal(g.EOS, []int{2}) || g.PAD != -1 {
		t.Errorf("generation %+v", g)
	}
	files, err := ToFiles(m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadFrom(files)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, m) {
		t.Error("the model changed on its way through ToFiles and ReadFrom")
	}
}
