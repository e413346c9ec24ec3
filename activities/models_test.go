package activities

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/artifact"
	"temper/artifact/memory"
	"temper/lm/tokenizer"
	"temper/pipelines"
)

// importing is the stage that imports a directory.
func importing(dir string) contract.Stage {
	return contract.Stage{Run: "lab", Stage: pipelines.Stage{ID: "in", Kind: "import", Settings: &pipelines.Import{Path: dir}}}
}

func TestImportModel(t *testing.T) {
	l := newLab(t)
	base := l.out["base"]["model"]
	m, err := l.a.importModel(l.ctx, importing(l.directory(base)))
	require.NoError(t, err)
	require.Equal(t, base.Content, m.Ref.Content, "an exported model comes back as the same bytes")
	require.Positive(t, m.Params)

	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  []string
	}{
		{"cut short", func(t *testing.T, dir string) {
			file := filepath.Join(dir, "model.safetensors")
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(file, info.Size()-10))
		}, []string{"model.safetensors"}},
		{"no weights", func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "model.safetensors"))) }, []string{"model.safetensors"}},
		{"no config", func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "config.json"))) }, []string{"config.json"}},
		{"config is not JSON", func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte("{"), 0o600))
		}, []string{"config.json"}},
		{"a tokenizer of more tokens than the model has", func(t *testing.T, dir string) {
			for name, body := range tokenizer.Bytes().Files() {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), body, 0o600))
			}
		}, []string{"DIR: ", "token", "vocab"}},
		{"no tokenizer", func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "tokenizer.json"))) }, []string{"DIR", "tokenizer.json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := l.directory(base)
			c.spoil(t, dir)
			_, err := l.a.importModel(l.ctx, importing(dir))
			for _, want := range c.want {
				if len(want) > 2 && want[:3] == "DIR" {
					want = dir + want[3:]
				}
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestInitModel(t *testing.T) {
	same := "stages.student.student={layers: 1, hidden: 16, heads: 2, kv_heads: 1, ffn: 32, qk_norm: true, max_positions: 64}"
	t.Run("a student takes its teacher's layers where they fit", func(t *testing.T) {
		l := newLab(t, same)
		m, err := l.a.initModel(l.ctx, l.stage("student"))
		require.NoError(t, err)
		require.Equal(t, l.tensors(l.out["probe"]["model"]), l.tensors(m.Ref))
		node, err := l.store.Lineage(l.ctx, m.Ref)
		require.NoError(t, err)
		require.Contains(t, node.Ancestors(), l.out["probe"]["model"])
	})
	t.Run("or none of them", func(t *testing.T) {
		l := newLab(t, same, "stages.student.init=random")
		m, err := l.a.initModel(l.ctx, l.stage("student"))
		require.NoError(t, err)
		teacher := l.tensors(l.out["probe"]["model"])
		for name, tensor := range l.tensors(m.Ref) {
			require.Equal(t, teacher[name].Dims, tensor.Dims)
		}
		require.NotEqual(t, teacher, l.tensors(m.Ref))
	})
	t.Run("the seed draws", func(t *testing.T) {
		l := newLab(t)
		again, err := l.a.initModel(l.ctx, l.stage("base"))
		require.NoError(t, err)
		require.Equal(t, l.out["base"]["model"], again.Ref)
		require.NotEqual(t, newLab(t, "seed=8").out["base"]["model"].Content, again.Ref.Content)
	})
	t.Run("errors", func(t *testing.T) {
		l := newLab(t)
		stage := l.stage("base")
		stage.Stage.Settings.(*pipelines.Pretrain).Tokenizer = filepath.Join(t.TempDir(), "nowhere")
		_, err := l.a.initModel(l.ctx, stage)
		require.ErrorIs(t, err, os.ErrNotExist)
		require.ErrorContains(t, err, "nowhere")
		_, err = l.a.initModel(l.ctx, l.stage("sft"))
		require.ErrorContains(t, err, "stage sft of kind sft has no model to initialise")
	})
}

func TestPrepareTasks(t *testing.T) {
	l := newLab(t)
	again, err := newWorker(t, l.store).prepareTasks(l.ctx, contract.PrepareInput{Run: "another", Tasks: l.p.Tasks})
	require.NoError(t, err)
	require.Equal(t, l.sets, again, "a data set does not depend on the run that wrote it")
	require.Equal(t, 50, l.sets["stream"].Count)
	demos, prompts := l.problems(l.sets["demos"].Ref), map[string]bool{}
	for _, p := range demos {
		prompts[p.Prompt] = true
	}
	pool := l.problems(l.sets["pool"].Ref)
	require.Len(t, pool, 8)
	for _, p := range pool {
		require.False(t, prompts[p.Prompt], "%s is excluded", p.Prompt)
	}
	missing := l.p.Tasks["pool"]
	missing.Procedural, missing.Concepts, missing.Difficulty, missing.Count, missing.Seed, missing.Exclude = "", nil, nil, 0, 0, nil
	missing.File = filepath.Join(t.TempDir(), "no.jsonl")
	l.p.Tasks["pool"] = missing
	_, err = l.a.prepareTasks(l.ctx, contract.PrepareInput{Tasks: l.p.Tasks})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "no.jsonl")
}

func TestRememberAndRecall(t *testing.T) {
	l := newLab(t)
	backend := memory.New()
	a := newWorker(t, artifact.New(backend))
	model, err := a.initModel(l.ctx, l.stage("base"))
	require.NoError(t, err)

	got, err := a.recallStage(l.ctx, "key")
	require.NoError(t, err)
	require.Equal(t, contract.Recalled{}, got, "nothing is known of this key")

	stage := contract.StageOut{Outputs: map[string]artifact.Ref{pipelines.ModelOutput: model.Ref}, Summary: "drawn", Numbers: map[string]float64{"params": 0.1}}
	_, err = a.rememberStage(l.ctx, contract.RememberInput{Key: "key", Stage: stage})
	require.NoError(t, err)
	require.Len(t, stage.Outputs, 1, "the caller's outputs are left alone")
	got, err = a.recallStage(l.ctx, "key")
	require.NoError(t, err)
	require.Equal(t, contract.Recalled{Found: true, Stage: stage}, got)
	got, err = a.recallStage(l.ctx, "another")
	require.NoError(t, err)
	require.False(t, got.Found)

	for object, err := range backend.List(l.ctx, "manifests/"+kindModel) {
		require.NoError(t, err)
		require.NoError(t, backend.Delete(l.ctx, object.Key))
	}
	got, err = a.recallStage(l.ctx, "key")
	require.NoError(t, err)
	require.False(t, got.Found, "a stage whose model is gone is done again")
	require.Contains(t, got.Note, model.Ref.Digest[:12])
}

// TestModelsForReadingAreBounded: teachers and models under evaluation take turns on the device.
func TestModelsForReadingAreBounded(t *testing.T) {
	l := newLab(t)
	e, err := l.a.open()
	require.NoError(t, err)
	var refs []artifact.Ref
	for _, seed := range []uint64{1, 2, 3} {
		stage := l.stage("base")
		stage.Seed = seed
		m, err := l.a.initModel(l.ctx, stage)
		require.NoError(t, err)
		refs = append(refs, m.Ref)
		held, err := l.a.model(l.ctx, e, m.Ref)
		require.NoError(t, err)
		again, err := l.a.model(l.ctx, e, m.Ref)
		require.NoError(t, err)
		require.Same(t, held, again)
	}
	require.Equal(t, refs[1:], l.a.loaded.refs)
	l.a.Close()
	require.Empty(t, l.a.loaded.models)
}
