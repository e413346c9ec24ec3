package hf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	configName     = "config.json"
	generationName = "generation_config.json"
	weightsName    = "model.safetensors"
	indexName      = "model.safetensors.index.json"
)

// TokenizerNames are the files of a model directory that make up its tokenizer. The last, tokenizer.model, counts
// where none of the others holds the vocabulary.
var TokenizerNames = []string{
	"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
	"vocab.json", "merges.txt", "chat_template.jinja", vocabularyName,
}

const vocabularyName = "tokenizer.model"

// Model is a model directory in memory. Tensors holds exactly the weights of Config.Tensors().
type Model struct {
	Config         Config
	Generation     GenerationConfig
	Tensors        map[string]Tensor
	TokenizerFiles map[string][]byte // of TokenizerNames, those there are
}

// source is where the files of a model lie. Errors for absent files satisfy fs.ErrNotExist.
type source struct {
	where   string // prefix of errors
	bytes   func(name string) ([]byte, error)
	tensors func(name string) ([]Tensor, error)
}

// Load reads a model directory: config.json, model.safetensors or the shards that
// model.safetensors.index.json names, and the generation and tokenizer files where present.
func Load(dir string) (*Model, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("model directory %s: %w", dir, fs.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("model directory: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("model directory %s: is a file", dir)
	}
	return load(source{
		where:   "model directory " + dir,
		bytes:   func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) },
		tensors: func(name string) ([]Tensor, error) { return ReadSafetensors(filepath.Join(dir, name)) },
	})
}

// ReadFrom is [Load] of files held in memory, by their names relative to the directory.
func ReadFrom(files map[string][]byte) (*Model, error) {
	read := func(name string) ([]byte, error) {
		data, ok := files[name]
		if !ok {
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		return data, nil
	}
	return load(source{
		where: "model files",
		bytes: read,
		tensors: func(name string) ([]Tensor, error) {
			data, err := read(name)
			if err != nil {
				return nil, err
			}
			return ParseSafetensors(name, data)
		},
	})
}

func load(s source) (*Model, error) {
	m, err := s.model()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.where, err)
	}
	return m, nil
}

func (s source) model() (*Model, error) {
	data, err := s.bytes(configName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", configName, fs.ErrNotExist)
	} else if err != nil {
		return nil, err
	}
	m := &Model{TokenizerFiles: map[string][]byte{}}
	if m.Config, err = ParseConfig(data); err != nil {
		return nil, err
	}
	m.Generation = generationOf(m.Config)
	switch data, err := s.bytes(generationName); {
	case err == nil:
		if m.Generation, err = ParseGenerationConfig(data); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	for _, name := range TokenizerNames {
		if name == vocabularyName && (m.TokenizerFiles["tokenizer.json"] != nil || m.TokenizerFiles["vocab.json"] != nil && m.TokenizerFiles["merges.txt"] != nil) {
			continue
		}
		switch data, err := s.bytes(name); {
		case err == nil:
			m.TokenizerFiles[name] = data
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	tensors, err := s.weights()
	if err != nil {
		return nil, err
	}
	if m.Tensors, err = m.Config.check(tensors); err != nil {
		return nil, err
	}
	return m, nil
}

// weights reads the single file or else all shards of the index.
func (s source) weights() ([]Tensor, error) {
	tensors, err := s.tensors(weightsName)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return tensors, err
	}
	data, err := s.bytes(indexName)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := s.bytes("pytorch_model.bin"); err == nil {
			return nil, fmt.Errorf("%s: %w (pytorch_model.bin is not read: save the model as safetensors)", weightsName, fs.ErrNotExist)
		}
		return nil, fmt.Errorf("neither %s nor %s: %w", weightsName, indexName, fs.ErrNotExist)
	} else if err != nil {
		return nil, err
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("%s: %w", indexName, jsonError(err))
	}
	if len(index.WeightMap) == 0 {
		return nil, fmt.Errorf("%s: weight_map: missing or empty", indexName)
	}
	shards := slices.Compact(slices.Sorted(maps.Values(index.WeightMap)))
	found := map[string]string{}
	for i, shard := range shards {
		if !filepath.IsLocal(shard) {
			return nil, fmt.Errorf("%s: weight_map: shard %q lies outside the directory", indexName, shard)
		}
		part, err := s.tensors(shard)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("shard %s (%d of %d in %s): %w", shard, i+1, len(shards), indexName, fs.ErrNotExist)
		} else if err != nil {
			return nil, err
		}
		for _, t := range part {
			if other, twice := found[t.Name]; twice {
				return nil, fmt.Errorf("tensor %s: in shard %s and in shard %s", t.Name, other, shard)
			}
			found[t.Name] = shard
		}
		tensors = append(tensors, part...)
	}
	for _, name := range slices.Sorted(maps.Keys(index.WeightMap)) {
		if found[name] == "" {
			return nil, fmt.Errorf("tensor %s: %s places it in shard %s, which lacks it", name, indexName, index.WeightMap[name])
		}
	}
	return tensors, nil
}

// check holds tensors against what the configuration needs. Older files carry tables of rotary
// frequencies, and tied models a copy of the embedding as lm_head: both are left out.
func (c Config) check(tensors []Tensor) (map[string]Tensor, error) {
	got := make(map[string]Tensor, len(tensors))
	for _, t := range tensors {
		if strings.HasSuffix(t.Name, "rotary_emb.inv_freq") || (c.TieEmbeddings && t.Name == "lm_head.weight") {
			continue
		}
		got[t.Name] = t
	}
	var errs []error
	known := map[string]bool{}
	for _, spec := range c.Tensors() {
		known[spec.Name] = true
		t, ok := got[spec.Name]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("tensor %s: missing (want shape %v)", spec.Name, spec.Dims))
		case !slices.Equal(t.Dims, spec.Dims):
			errs = append(errs, fmt.Errorf("tensor %s: shape %v, config.json wants %v", spec.Name, t.Dims, spec.Dims))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if !known[name] {
			errs = append(errs, fmt.Errorf("tensor %s: not part of %s as config.json describes it", name, c.Architecture))
		}
	}
	const show = 8
	if n := len(errs); n > show {
		errs = append(errs[:show:show], fmt.Errorf("and %d tensors more", n-show))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	return got, nil
}

// Ordered returns the weights in the order of Config.Tensors(), or what keeps them from being a
// whole model.
func (m *Model) Ordered() ([]Tensor, error) {
	all := make([]Tensor, 0, len(m.Tensors))
	for name, t := range m.Tensors {
		t.Name = name
		all = append(all, t)
	}
	byName, err := m.Config.check(all)
	if err != nil {
		return nil, err
	}
	out := make([]Tensor, 0, len(byName))
	for _, spec := range m.Config.Tensors() {
		out = append(out, byName[spec.Name])
	}
	return out, nil
}

// small returns every file but the weights.
func (m *Model) small() (map[string][]byte, error) {
	files := map[string][]byte{}
	for name, data := range m.TokenizerFiles {
		if !slices.Contains(TokenizerNames, name) {
			return nil, fmt.Errorf("%s is not a tokenizer file (those are %s)", name, strings.Join(TokenizerNames, ", "))
		}
		files[name] = data
	}
	var err error
	if files[configName], err = m.Config.JSON(); err != nil {
		return nil, err
	}
	if files[generationName], err = m.Generation.JSON(); err != nil {
		return nil, fmt.Errorf("%s: %w", generationName, err)
	}
	return files, nil
}

// ToFiles writes the model as [Save] does, into memory. Weights are stored as Config.Dtype.
func ToFiles(m *Model) (map[string][]byte, error) {
	files, err := m.small()
	if err != nil {
		return nil, fmt.Errorf("writing a model: %w", err)
	}
	tensors, err := m.Ordered()
	if err != nil {
		return nil, fmt.Errorf("writing a model: %w", err)
	}
	var buf bytes.Buffer
	if d, err := parseDtype(m.Config.Dtype); err == nil {
		buf.Grow(int(m.Config.Params())*d.size + 1<<16)
	}
	if err := EncodeSafetensors(&buf, tensors, m.Config.Dtype, nil); err != nil {
		return nil, fmt.Errorf("writing %s: %w", weightsName, err)
	}
	files[weightsName] = buf.Bytes()
	return files, nil
}

// Save writes the model into dir, which it makes if need be, with weights stored as Config.Dtype.
// Every file appears whole; config.json appears last, so a directory that was empty before holds
// a complete model as soon as it has one.
func Save(dir string, m *Model) error {
	files, err := m.small()
	if err != nil {
		return fmt.Errorf("saving a model to %s: %w", dir, err)
	}
	tensors, err := m.Ordered()
	if err != nil {
		return fmt.Errorf("saving a model to %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("saving a model: %w", err)
	}
	if err := WriteSafetensors(filepath.Join(dir, weightsName), tensors, m.Config.Dtype, nil); err != nil {
		return fmt.Errorf("saving a model: %w", err)
	}
	names := slices.Sorted(maps.Keys(files))
	names = append(slices.DeleteFunc(names, func(n string) bool { return n == configName }), configName)
	for _, name := range names {
		err := writeAtomic(filepath.Join(dir, name), func(w io.Writer) error { _, err := w.Write(files[name]); return err })
		if err != nil {
			return fmt.Errorf("saving a model: %w", err)
		}
	}
	return nil
}
