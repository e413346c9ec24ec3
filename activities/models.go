package activities

import (
	"context"
	"fmt"
	"os"
	"slices"

	"go.temporal.io/sdk/activity"

	"temper/activities/contract"
	"temper/artifact"
	"temper/device"
	"temper/lm"
	"temper/lm/hf"
	"temper/lm/tokenizer"
	"temper/pipelines"
	"temper/tasks"
)

// loadedModels are the models that this worker holds for reading: teachers, references, models under evaluation.
type loadedModels struct {
	refs   []artifact.Ref // oldest use first
	models map[artifact.Ref]*loadedModel
}

type loadedModel struct {
	config hf.Config
	params []*device.Buffer
	text   *text
}

const keepLoaded = 2

func (l *loadedModels) clear() {
	for _, m := range l.models {
		device.FreeAll(m.params...)
	}
	l.refs, l.models = nil, nil
}

// model gives a model for reading; it stays owned by the cache.
func (a *Activities) model(ctx context.Context, e *engine, ref artifact.Ref) (*loadedModel, error) {
	l := &a.loaded
	if m, ok := l.models[ref]; ok {
		i := slices.Index(l.refs, ref)
		l.refs = append(slices.Delete(l.refs, i, i+1), ref)
		return m, nil
	}
	files, err := a.files(ctx, ref)
	if err != nil {
		return nil, err
	}
	model, t, err := readModel(ref, files)
	if err != nil {
		return nil, err
	}
	params, err := lm.Upload(e.client, model)
	if err != nil {
		return nil, err
	}
	if l.models == nil {
		l.models = map[artifact.Ref]*loadedModel{}
	}
	if len(l.refs) == keepLoaded {
		device.FreeAll(l.models[l.refs[0]].params...)
		delete(l.models, l.refs[0])
		l.refs = l.refs[1:]
	}
	m := &loadedModel{config: model.Config, params: params, text: t}
	l.models[ref] = m
	l.refs = append(l.refs, ref)
	return m, nil
}

// files reads all files of an artifact.
func (a *Activities) files(ctx context.Context, ref artifact.Ref) (map[string][]byte, error) {
	m, err := a.store.Load(ctx, ref)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, f := range m.Files {
		if out[f.Path], err = a.store.Read(ctx, ref, f.Path); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// commit writes an artifact of a stage. Parents are the stage's inputs; what differs between attempts is left out, so that a retry arrives
// at the same artifact.
func (a *Activities) commit(ctx context.Context, stage contract.Stage, kind, summary string, metrics map[string]float64, files map[string][]byte, parents ...artifact.Parent) (artifact.Ref, error) {
	settings, err := settingsInForce(stage)
	if err != nil {
		return artifact.Ref{}, err
	}
	return a.commitWith(ctx, stage, settings, kind, summary, metrics, files, parents...)
}

// commitWith is commit with other settings than the stage's.
func (a *Activities) commitWith(ctx context.Context, stage contract.Stage, settings []byte, kind, summary string, metrics map[string]float64, files map[string][]byte, parents ...artifact.Parent) (artifact.Ref, error) {
	m := artifact.Manifest{Kind: kind, Parents: parents, Settings: settings, Code: a.code, Metrics: metrics, Summary: summary,
		MadeBy: artifact.MadeBy{Workflow: stage.Run, Stage: stage.Stage.ID, Activity: activityName(ctx)}}
	if d := a.device.Load(); d != nil {
		m.Device = *d
	}
	return a.store.Commit(ctx, m, files)
}

func activityName(ctx context.Context) string {
	if activity.IsActivity(ctx) {
		return activity.GetInfo(ctx).ActivityType.Name
	}
	return ""
}

// inputs are the parents that a stage's settings name.
func inputs(stage contract.Stage) []artifact.Parent {
	var out []artifact.Parent
	for _, use := range stage.Stage.Inputs() {
		for _, group := range []map[string]artifact.Ref{stage.Models, stage.Logs, stage.Data} {
			ref, ok := group[use.Stage]
			if ok && kindOf(use.Output, ref) {
				out = append(out, artifact.Parent{Role: use.Role, Ref: ref})
			}
		}
	}
	for _, name := range stage.Stage.TaskSets() {
		if ref, ok := stage.Data[name]; ok {
			out = append(out, artifact.Parent{Role: "tasks/" + name, Ref: ref})
		}
	}
	return out
}

// kindOf says whether an artifact is what a stage's output of that name is.
func kindOf(output string, ref artifact.Ref) bool {
	return map[string]string{pipelines.ModelOutput: kindModel, pipelines.LogOutput: kindLog, pipelines.ProblemsOutput: kindProblems}[output] == ref.Kind
}

// importModel brings a Hugging Face directory into the bucket, after checking all of it.
func (a *Activities) importModel(ctx context.Context, stage contract.Stage) (contract.ModelInfo, error) {
	s := stage.Stage.Settings.(*pipelines.Import)
	model, err := hf.Load(s.Path)
	if err != nil {
		return contract.ModelInfo{}, err
	}
	if _, err := textOf(model); err != nil {
		return contract.ModelInfo{}, fmt.Errorf("%s: %w", s.Path, err)
	}
	return a.commitModel(ctx, stage, model, nil, "imported from "+s.Path)
}

// commitModel writes a model artifact; beside the model lie the files of the adapter that made it of its base, if one did.
func (a *Activities) commitModel(ctx context.Context, stage contract.Stage, model *hf.Model, adapter map[string][]byte, summary string) (contract.ModelInfo, error) {
	files, err := hf.ToFiles(model)
	if err != nil {
		return contract.ModelInfo{}, err
	}
	for name, data := range adapter {
		files[hf.AdapterFolder+name] = data
	}
	ref, err := a.commit(ctx, stage, kindModel, summary, map[string]float64{"params": float64(model.Config.Params())}, files, inputs(stage)...)
	return contract.ModelInfo{Ref: ref, Params: model.Config.Params()}, err
}

// initModel draws the parameters of a stage's new model: the one to pretrain, or the student of a distillation, whose layers are copied
// from the teacher's where the shapes allow it and the settings ask for it.
func (a *Activities) initModel(ctx context.Context, stage contract.Stage) (contract.ModelInfo, error) {
	switch s := stage.Stage.Settings.(type) {
	case *pipelines.Pretrain:
		tok, err := newTokenizer(s.Tokenizer, stage.Streams[s.Data])
		if err != nil {
			return contract.ModelInfo{}, err
		}
		config := shapeConfig(s.Model, tok)
		if err := config.Validate(); err != nil {
			return contract.ModelInfo{}, err
		}
		return a.commitModel(ctx, stage, &hf.Model{Config: config, Tensors: lm.Init(config, stage.Seed), TokenizerFiles: tok.Files()}, nil, "initial parameters")
	case *pipelines.Distill:
		files, err := a.files(ctx, stage.Models[s.Teacher])
		if err != nil {
			return contract.ModelInfo{}, err
		}
		teacher, t, err := readModel(stage.Models[s.Teacher], files)
		if err != nil {
			return contract.ModelInfo{}, err
		}
		config := shapeConfig(s.Student, t.tokenizer)
		config.VocabSize, config.BOS, config.EOS, config.PAD = teacher.Config.VocabSize, teacher.Config.BOS, teacher.Config.EOS, teacher.Config.PAD
		if err := config.Validate(); err != nil {
			return contract.ModelInfo{}, fmt.Errorf("student: %w", err)
		}
		student := &hf.Model{Config: config, Generation: teacher.Generation, Tensors: lm.Init(config, stage.Seed+1), TokenizerFiles: teacher.TokenizerFiles}
		if s.Init == "teacher" {
			lm.CopyLayers(student, teacher)
		}
		return a.commitModel(ctx, stage, student, nil, "initial parameters of the student")
	default:
		return contract.ModelInfo{}, fmt.Errorf("stage %s of kind %s has no model to initialise", stage.Stage.ID, stage.Stage.Kind)
	}
}

// newTokenizer makes the tokenizer of a model that is trained from scratch.
func newTokenizer(kind string, data tasks.Source) (*tokenizer.Tokenizer, error) {
	switch kind {
	case "chars":
		return tokenizer.Chars(data.Alphabet()), nil
	case "bytes":
		return tokenizer.Bytes(), nil
	default:
		if _, err := os.Stat(kind); err != nil {
			return nil, fmt.Errorf("tokenizer: %w", err)
		}
		return tokenizer.Load(kind)
	}
}

// shapeConfig is the configuration of a new decoder.
func shapeConfig(s pipelines.ModelShape, tok *tokenizer.Tokenizer) hf.Config {
	c := hf.Config{Architecture: hf.Llama, ModelType: "llama", VocabSize: tok.VocabSize(), Hidden: s.Hidden, Layers: s.Layers, Heads: s.Heads,
		KVHeads: s.KVHeads, HeadDim: s.HeadDim, FFN: s.FFN, NormEps: 1e-6, RopeTheta: s.RopeTheta, QKNorm: s.QKNorm, QKVBias: s.QKVBias,
		TieEmbeddings: s.TieEmbeddings, MaxPositions: s.MaxPositions, BOS: -1, PAD: -1, InitializerRange: 0.02, Dtype: "float32"}
	switch {
	case s.QKNorm:
		c.Architecture, c.ModelType = hf.Qwen3, "qwen3"
	case s.QKVBias:
		c.Architecture, c.ModelType = hf.Qwen2, "qwen2"
	}
	if id, ok := tok.BOS(); ok {
		c.BOS = int(id)
	}
	if id, ok := tok.PAD(); ok {
		c.PAD = int(id)
	}
	if id, ok := tok.EOS(); ok {
		c.EOS = []int{int(id)}
	}
	return c
}

// hostModel copies a state's model to the host; an adapter is added to its parameters.
func (e *engine) hostModel(held *resident) (*hf.Model, error) {
	tensors, err := e.trainer.Model(held.state)
	if err != nil {
		return nil, err
	}
	return &hf.Model{Config: held.state.Config, Generation: held.text.generation, Tensors: tensors, TokenizerFiles: held.text.files}, nil
}

// exportModel writes a state's parameters as a model artifact.
func (a *Activities) exportModel(ctx context.Context, e *engine, in contract.StateInput) (contract.ModelInfo, error) {
	held, err := a.restore(ctx, e, in.Stage, in.State)
	if err != nil {
		return contract.ModelInfo{}, err
	}
	defer a.residents.put(in.State.Key, held)
	model, err := e.hostModel(held)
	if err != nil {
		return contract.ModelInfo{}, err
	}
	adapter, err := held.adapterFiles()
	if err != nil {
		return contract.ModelInfo{}, err
	}
	return a.commitModel(ctx, in.Stage, model, adapter, fmt.Sprintf("after %d steps of %s", held.state.Main.Step, in.Stage.Stage.ID))
}
