package pipelines

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/configs"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// small is a pipeline that is right; tests change one thing.
const small = `name: small
base: {import: /models/base}
tasks:
  pool: {procedural: chain, seed: 1, count: 10}
  other: {procedural: chain, seed: 2, count: 10}
stages:
  - sft: {model: base, data: pool, epochs: 2}
  - rl:
      id: rl1
      model: sft
      tasks: [pool]
      recipe: relift
      override: {group: 4}
      rounds: 5
  - curate: {log: rl1, tasks: pool}
  - synthesize: {id: sws, model: rl1, log: rl1, tasks: [pool]}
  - rl: {id: rl2, model: rl1, tasks: [curate, sws], rounds: 5}
  - evaluate: {models: [base, rl2], tasks: other, k: [1, 4]}
`

func TestEveryBuiltinPipelineIsSound(t *testing.T) {
	require.Contains(t, Builtin(), "tiny")
	for _, name := range Builtin() {
		p, err := Load(name, nil)
		require.NoError(t, err, name)
		require.Equal(t, name, p.Name)
	}
}

func TestTinyHasEveryKindOfStage(t *testing.T) {
	p, err := Load("tiny", nil)
	require.NoError(t, err)
	seen := map[string]bool{"import": true, "alias": true, "promote": true} // need a folder, or a bucket with a history
	for _, st := range p.Stages {
		seen[st.Kind] = true
	}
	require.Len(t, seen, len(Kinds()))
}

func TestTinyPlan(t *testing.T) {
	p, err := Load("tiny", nil)
	require.NoError(t, err)
	got, err := json.MarshalIndent(p.Plan(), "", "  ")
	require.NoError(t, err)
	golden := filepath.Join("testdata", "tiny_plan.json")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got)+"\n")
}

func TestParseResolves(t *testing.T) {
	p, err := Parse("small.yaml", []byte(small), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"base", "sft", "rl1", "curate", "sws", "rl2", "evaluate"}, stageIDs(p))
	require.Equal(t, &Import{Path: "/models/base"}, p.Stage("base").Settings)
	require.Equal(t, 1, p.Concurrency)

	rl1 := p.Stage("rl1")
	require.Equal(t, []Input{{"model", "sft", "model"}}, rl1.Inputs())
	require.Equal(t, []string{"pool"}, rl1.TaskSets())
	recipe := rl1.Settings.(*RL).RecipeSettings
	require.Equal(t, 4, recipe.Group, "the override")
	require.Equal(t, "unsolved", recipe.Interleave.When, "the preset")
	require.Equal(t, Signs{1, 1}, recipe.Advantage.Signs)

	rl2 := p.Stage("rl2")
	require.Equal(t, []Input{{"model", "rl1", "model"}, {"tasks[0]", "curate", "problems"}, {"tasks[1]", "sws", "problems"}}, rl2.Inputs())
	require.Empty(t, rl2.TaskSets())
	require.Equal(t, 4, p.Stage("evaluate").Settings.(*Evaluate).Samples, "the largest k")
	require.Nil(t, p.Stage("none"))
}

func TestShapeIsCompleted(t *testing.T) {
	p, err := Parse("p", []byte("base: {pretrain: {model: {layers: 2, hidden: 64, heads: 4}, data: x, steps: 3}}\ntasks: {x: {procedural: chain}}"), nil)
	require.NoError(t, err)
	want := ModelShape{Layers: 2, Hidden: 64, Heads: 4, KVHeads: 4, HeadDim: 16, FFN: 176, TieEmbeddings: true, RopeTheta: 10000, MaxPositions: 2048}
	require.Equal(t, want, p.Stages[0].Settings.(*Pretrain).Model)
}

func TestSet(t *testing.T) {
	p, err := Parse("small.yaml", []byte(small), []string{
		"seed=3", "tasks.pool.count=20", "stages.rl1.rounds=7", "stages.rl1.override.interleave.fill=32", "stages.rl2.recipe=dapo", "base.path=/x",
		"stages.evaluate.k=[1, 2]", "stages.sft.optim.lr=1", "name=renamed", "tasks.extra={procedural: stories}",
	})
	require.ErrorContains(t, err, "--set: stages.sft.optim: unknown setting")
	require.Nil(t, p)

	p, err = Parse("small.yaml", []byte(small), []string{
		"seed=3", "tasks.pool.count=20", "stages.rl1.rounds=7", "stages.rl1.override.interleave.fill=32", "stages.rl2.recipe=dapo", "base.path=/x",
		"stages.evaluate.k=[1, 2]", "stages.sft.lr=1e-4", "name=renamed", "tasks.extra={procedural: stories}",
	})
	require.NoError(t, err)
	require.EqualValues(t, 3, p.Seed)
	require.Equal(t, 20, p.Tasks["pool"].Count)
	require.Equal(t, 7, p.Stage("rl1").Settings.(*RL).Rounds)
	require.Equal(t, 32, p.Stage("rl1").Settings.(*RL).RecipeSettings.Interleave.Fill)
	require.Equal(t, 4, p.Stage("rl1").Settings.(*RL).RecipeSettings.Group)
	require.True(t, p.Stage("rl2").Settings.(*RL).RecipeSettings.DropZeroVariance)
	require.Equal(t, &Import{Path: "/x"}, p.Stage("base").Settings)
	require.Equal(t, []int{1, 2}, p.Stage("evaluate").Settings.(*Evaluate).K)
	require.Equal(t, 1e-4, p.Stage("sft").Settings.(*SFT).LR)
	require.Equal(t, "renamed", p.Name)
	require.Equal(t, "stories", p.Tasks["extra"].Procedural)

	p, err = Load("tiny", []string{"stages.base.import=/models/x", "stages.probe.rl.prompts=2", "stages.limr.keep.count=0"})
	require.NoError(t, err)
	require.Equal(t, "import", p.Stage("base").Kind)
	require.Equal(t, &Import{Path: "/models/x"}, p.Stage("base").Settings)
	require.Equal(t, 2, p.Stage("probe").Settings.(*RL).Prompts)

	p, err = Load("tiny", []string{"base.pretrain.steps=3", "stages.relift.override.group=6"})
	require.NoError(t, err)
	require.Equal(t, 3, p.Stage("base").Settings.(*Pretrain).Steps)
	require.Equal(t, 6, p.Stage("relift").Settings.(*RL).RecipeSettings.Group)
	require.Equal(t, 4, p.Stage("probe").Settings.(*RL).RecipeSettings.Group, "an alias is a copy")
}

func TestSetRefuses(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{"sede=3", "--set: sede: unknown setting; did you mean seed?"},
		{"seed", "--set: seed: write it as a.b=c, such as stages.rl1.rounds=5"},
		{"tasks.pol.count=3", `--set: tasks.pol.count: no task set is named "pol"; did you mean pool?`},
		{"tasks.pool.cuont=3", "--set: tasks.pool.cuont: unknown setting; did you mean tasks.pool.count?"},
		{"stages.rl3.rounds=3", `--set: stages.rl3.rounds: no stage has the id "rl3"; did you mean rl1?`},
		{"stages.rl1.ruonds=3", "--set: stages.rl1.ruonds: unknown setting; did you mean stages.rl1.rounds?"},
		{"stages.rl1.rounds=many", `--set: stages.rl1.rounds: expected a whole number, found "many"`},
		{"stages.rl1.rounds=-1", "--set: stages.rl1.rounds: must be at least 0, is -1"},
		{"stages.rl1.rounds=", `--set: stages.rl1.rounds: expected a whole number, found ""`},
		{"stages.rl1=3", "--set: stages.rl1: name a setting of a stage, such as stages.rl1.rounds"},
		{"stages.rl1.id=x", "--set: stages.rl1.id: an id cannot be changed here, for other stages name it"},
		{"stages.rl1.tasks.0=x", "--set: stages.rl1.tasks.0: tasks is not a group of settings; set it as a whole, a list as [a, b]"},
		{"tasks.pool={file: x.jsonl, format: messages}", `the task set "pool" holds conversations (format: messages), which only sft trains on`},
		{"tasks.pool={procedural: countdown}", `stages.sws.tasks[0]: "pool" is procedural countdown (seed 0), of which no other problems can be written`},
		{"tasks.pool={procedural: countdown, concepts: [a]}", `--set: tasks.pool.concepts: does not apply to procedural countdown`},
		{"tasks.pool={procedural: cuontdown}", `--set: tasks.pool.procedural: unknown domain "cuontdown"; known: aggregate, arithmetic`},
		{"stages.rl1.tasks=[pool, nil0]", `--set: stages.rl1.tasks[1]: no task set or stage named "nil0"; known: other, pool`},
		{"a..b=3", "--set: a..b: has an empty name between its dots"},
		{"stages.rl1.override.loss.clip.high=-1", "--set: stages.rl1.override.loss.clip.high: must be at least 0, is -1"},
		{"stages.rl1.lora={rank: 0}", "--set: stages.rl1.lora.rank: "},
		{"stages.sft.lora={rank: 2, targets: [q_proj, qproj]}", `--set: stages.sft.lora.targets[1]: must be one of q_proj`},
		{"stages.sft.lora={rnak: 2}", "--set: stages.sft.lora.rnak: unknown setting; did you mean stages.sft.lora.rank?"},
		{"seed={", "--set: not valid YAML"},
	} {
		t.Run(c.set, func(t *testing.T) {
			_, err := Parse("small.yaml", []byte(small), []string{c.set})
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestSynthesizeWritesNoGeneratorsProblems(t *testing.T) {
	for _, given := range []string{"pool", "curate"} {
		_, err := Parse("small.yaml", []byte(small), []string{"tasks.pool={procedural: sudoku}", "stages.sws.tasks=[" + given + "]"})
		require.ErrorContains(t, err, `stages.sws.tasks[0]: "pool" is procedural sudoku (seed 0), of which no other problems can be written`)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown reference", "tasks: [curate, sws]", "tasks: [curate, synthesise]",
			`small.yaml:17: stages.rl2.tasks[1]: no task set or stage named "synthesise"; did you mean "sws"?`},
		{"unknown model", "model: sft", "model: stf", `small.yaml:10: stages.rl1.model: no stage named "stf"; did you mean "sft"?`},
		{"later stage", "model: sft", "model: rl2", `small.yaml:10: stages.rl1.model: stage "rl2" comes later; a stage can only use those before it`},
		{"itself", "model: sft", "model: rl1", `small.yaml:10: stages.rl1.model: a stage cannot use itself`},
		{"wrong output", "log: rl1, tasks: pool", "log: sft, tasks: pool", `small.yaml:15: stages.curate.log: stage "sft" gives a model, not a log`},
		{"problems as a model", "models: [base, rl2]", "models: [base, sws]", `small.yaml:18: stages.evaluate.models[1]: stage "sws" gives problems, not a model`},
		{"unknown task set", "tasks: other", "tasks: othr", `small.yaml:18: stages.evaluate.tasks: no task set named "othr"; did you mean "other"?`},
		{"stage for a task set", "tasks: other", "tasks: sws", `small.yaml:18: stages.evaluate.tasks: "sws" is a stage; only a task set can stand here`},
		{"task set for a stage", "model: base, data", "model: pool, data", `small.yaml:7: stages.sft.model: no stage named "pool"; known: base`},
		{"foreign log", "log: rl1, tasks: pool", "log: rl1, tasks: other",
			`small.yaml:15: stages.curate.tasks: stage "rl1" did not train on "other", so its log says nothing about it; it trained on pool`},
		{"unknown setting", "rounds: 5\n", "ruonds: 5\n", `small.yaml:14: stages.rl1.ruonds: unknown setting; did you mean stages.rl1.rounds?`},
		{"unknown setting in override", "{group: 4}", "{gruop: 4}", `small.yaml:13: stages.rl1.override.gruop: unknown setting; did you mean stages.rl1.override.group?`},
		{"unknown kind", "- sft:", "- stf:", `small.yaml:7: stages.stf: unknown kind of stage "stf"; did you mean sft?`},
		{"unknown recipe", "recipe: relift", "recipe: relfit", `small.yaml:12: stages.rl1.recipe: no recipe named "relfit"; did you mean relift?`},
		{"range", "rounds: 5\n", "rounds: 5\n      lr: 7\n", `small.yaml:15: stages.rl1.lr: must be at most 1, is 7`},
		{"range in override", "{group: 4}", "{sampling: {top_p: 0}}", `small.yaml:13: stages.rl1.override.sampling.top_p: must be above 0, is 0`},
		{"choice", "{group: 4}", "{loss: {aggregate: tokens}}",
			`small.yaml:13: stages.rl1.override.loss.aggregate: must be one of token, sequence, dr, is "tokens"; did you mean token?`},
		{"rule of the recipe", "{group: 4}", "{loss: {ratio: none, clip: {high: 0.2}}}",
			`small.yaml:13: stages.rl1.override.loss.clip: there is no ratio to clip with ratio none; set low and high to 0`},
		{"reward", "{group: 4}", "{reward: [{correct: 1}, {formt: 1}]}", `small.yaml:13: stages.rl1.override.reward[1]: `},
		{"no reward", "{group: 4}", "{reward: []}", `small.yaml:13: stages.rl1.override.reward: needs at least one part`},
		{"two spans", "rounds: 5\n", "rounds: 5\n      epochs: 1\n", `small.yaml:14: stages.rl1.rounds: give rounds or epochs, not both`},
		{"no span", "      rounds: 5\n", "", `small.yaml:9: stages.rl1.rounds: is required (or epochs)`},
		{"weights", "tasks: [curate, sws],", "tasks: [curate, sws], weights: {curate: 1},",
			`small.yaml:17: stages.rl2.weights: has no share for "sws"; give every one of tasks its share, 0 for none`},
		{"two ids", "id: rl2", "id: rl1", `small.yaml:17: stages.rl1: two stages have this id, the first on line 9; give one another id`},
		{"id of base", "id: rl2", "id: base", `small.yaml:17: stages.base: two stages have this id`},
		{"bad id", "id: rl2", "id: RL 2", `small.yaml:17: stages[4].id: must be lower-case letters`},
		{"name of a task set", "id: rl2", "id: other", `small.yaml:17: stages.other: a task set has the same name`},
		{"k above samples", "k: [1, 4]", "k: [1, 4], samples: 2", `small.yaml:18: stages.evaluate.k: k[1] is 4, above samples (2)`},
		{"interleaving without a judge", "{group: 4}", "{reward: [{distinct: 1}]}", `small.yaml:13: stages.rl1.override.reward: needs a correct part`},
		{"rows too short for a response", "rounds: 5\n", "rounds: 5\n      length: 256\n", `small.yaml:15: stages.rl1.length: must be above max_tokens (256)`},
		{"more examples than rows", "epochs: 2}", "epochs: 2, examples: 33}", `small.yaml:7: stages.sft.examples: must be at most rows (32) without packing, is 33`},
		{"random without a number", "curate: {log: rl1, tasks: pool}", "curate: {method: random, tasks: pool}",
			`small.yaml:15: stages.curate.like: method random needs like or keep.count, one of them`},
		{"task set", "seed: 1, count: 10", "seed: 1, count: -1", `small.yaml:4: tasks.pool.count: must lie in`},
		{"task set type", "seed: 1, count: 10", "seed: 1, count: ten", `small.yaml:4: tasks.pool.count: expected a whole number, found "ten"`},
		{"excluded set", "seed: 1, count: 10", "seed: 1, exclude: [nope]", `small.yaml:4: tasks.pool`},
		{"two kinds in a stage", "- sft: {model", "- {sft: {}, rl: {}}\n  - sft: {model", `small.yaml:7: stages[0]: expected one kind of stage with its settings`},
		{"top level", "name: small", "nmae: small", `small.yaml:1: nmae: unknown setting; did you mean name?`},
		{"no stages", "stages:", "concurrency:", `small.yaml:7: concurrency: expected a whole number, found a list`},
		{"duplicates", "tasks: [curate, sws]", "tasks: [sws, sws]", `small.yaml:17: stages.rl2.tasks: names something twice`},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(small, c.old), "the text to change must stand there once")
			_, err := Parse("small.yaml", []byte(strings.Replace(small, c.old, c.new, 1)), nil)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestLoadNames(t *testing.T) {
	_, err := Load("tiyn", nil)
	require.EqualError(t, err, `no built-in pipeline named "tiyn"; did you mean tiny? (a path needs a slash or ends in .yaml)`)

	dir := t.TempDir()
	path := filepath.Join(dir, "mine.yaml")
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(small, "recipe: relift", "recipe: ./own.yaml", 1)), 0o600))
	_, err = Load(path, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "mine.yaml:12: stages.rl1.recipe: read recipe")

	_, err = LoadRecipe(os.DevNull, "")
	require.ErrorContains(t, err, "is not a plain file")

	own := filepath.Join(dir, "own.yaml")
	require.NoError(t, os.WriteFile(own, []byte("group: 3\nloss: {agregate: dr}\n"), 0o600))
	_, err = Load(path, nil)
	require.ErrorContains(t, err, "own.yaml:2: loss.agregate: unknown setting; did you mean loss.aggregate?")

	require.NoError(t, os.WriteFile(own, []byte("group: 3\nloss: {aggregate: dr}\n"), 0o600))
	p, err := Load(path, nil)
	require.NoError(t, err)
	require.Equal(t, "dr", p.Stage("rl1").Settings.(*RL).RecipeSettings.Loss.Aggregate, "the path is found from the pipeline's folder")
	require.Equal(t, 4, p.Stage("rl1").Settings.(*RL).RecipeSettings.Group, "the override wins")
}

func TestEveryBuiltinRecipeIsSound(t *testing.T) {
	names := BuiltinRecipes()
	for _, want := range []string{"dapo", "dr_grpo", "grpo", "reinforce", "relift", "rloo"} {
		require.Contains(t, names, want)
	}
	seen := map[string]string{}
	for _, name := range names {
		p, err := Parse("small.yaml", []byte(small), []string{"stages.rl2.recipe=" + name})
		require.NoError(t, err, name)
		text, err := json.Marshal(p.Stage("rl2").Settings.(*RL).RecipeSettings)
		require.NoError(t, err)
		require.Empty(t, seen[string(text)], "%s says the same as another recipe", name)
		seen[string(text)] = name
	}
}

func TestRoundsFor(t *testing.T) {
	require.Equal(t, 5, (&RL{Rounds: 5, Prompts: 4}).RoundsFor(100))
	require.Equal(t, 50, (&RL{Epochs: 2, Prompts: 4}).RoundsFor(100))
	require.Equal(t, 51, (&RL{Epochs: 2, Prompts: 4}).RoundsFor(101))
	require.Equal(t, 1, (&RL{Epochs: 0.1, Prompts: 4}).RoundsFor(1))
}

func stageIDs(p *Pipeline) []string {
	var out []string
	for _, st := range p.Stages {
		out = append(out, st.ID)
	}
	return out
}

func FuzzParse(f *testing.F) {
	tiny, err := configs.Pipelines.ReadFile("pipelines/tiny.yaml")
	require.NoError(f, err)
	f.Add(string(tiny), "seed=1")
	f.Add(small, "stages.rl1.rounds=5")
	f.Add("base: {import: x}\nstages: [{rl: }]", "base.import=y")
	f.Add("base:\nstages:\n", "tasks.a={}")
	f.Add("stages: [{evaluate: {models: base, tasks: [a]}}]", "stages.evaluate.k.1=2")
	f.Fuzz(func(t *testing.T, text, set string) {
		p, err := Parse("f.yaml", []byte(text), []string{set})
		if err != nil {
			return
		}
		data, err := json.Marshal(p)
		require.NoError(t, err)
		var again Pipeline
		require.NoError(t, json.Unmarshal(data, &again), "what was accepted travels")
		require.NoError(t, again.Validate())
		ids := stageIDs(p)
		for i, step := range p.Plan() {
			for _, need := range step.Needs {
				require.Contains(t, ids[:i], need, "a stage needs only earlier ones")
			}
		}
		require.True(t, slices.Equal(ids, stageIDs(&again)))
	})
}
