package pipelines

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// circle is a pipeline that begins where its last run ended.
const circle = `name: circle
base: {alias: reason/champion, or: {pretrain: {model: {layers: 1, hidden: 16, heads: 2}, data: pool, steps: 3}}}
tasks:
  pool: {procedural: chain, seed: 1, count: 10}
  held: {procedural: chain, seed: 2, count: 10}
stages:
  - sft: {model: base, data: pool}
  - evaluate: {models: [base, sft], tasks: held, k: [1, 4]}
  - promote: {model: sft, alias: reason/champion, gate: {p: 0.1}}
`

func TestAliasBase(t *testing.T) {
	p, err := Parse("circle.yaml", []byte(circle), nil)
	require.NoError(t, err)
	base := p.Stage("base")
	require.Equal(t, "alias", base.Kind)
	alias := base.Settings.(*Alias)
	require.Equal(t, "reason/champion", alias.Name)
	require.Equal(t, []string{"pool"}, base.TaskSets())
	require.Empty(t, base.Inputs())
	or := alias.Or
	require.Equal(t, []any{"base", "pretrain", []string{"pool"}}, []any{or.ID, or.Kind, or.TaskSets()})
	require.Equal(t, 8, or.Settings.(*Pretrain).Model.HeadDim, "completed like any stage")
	require.Equal(t, "take reason/champion, or pretrain 1 layers of 16, 2/2 heads for 3 steps of 32×256 tokens, lr 0.0003 on pool", p.Plan()[0].Title)
	var kinds []string
	require.NoError(t, p.Each(func(st *Stage) error { kinds = append(kinds, st.Kind); return nil }))
	require.Equal(t, []string{"alias", "pretrain", "sft", "evaluate", "promote"}, kinds)

	throughJSON(t, p)

	alone, err := Parse("p.yaml", []byte("name: p\nbase: {pretrain: {model: {layers: 1, hidden: 16, heads: 2}, data: pool, steps: 3}}\ntasks: {pool: {procedural: chain}}"), nil)
	require.NoError(t, err)
	require.Equal(t, alone.Stage("base").Key(nil, nil, 0), or.Key(nil, nil, 0), "what stands behind an alias is remembered like the stage itself")
}

func TestAliasForms(t *testing.T) {
	for yaml, want := range map[string]*Alias{
		"base: {alias: a/b}":                                                {Name: "a/b"},
		"base: {alias: {name: a/b}}":                                        {Name: "a/b"},
		"base: {alias: a/b, or: {import: /x}}":                              {Name: "a/b", Or: &Stage{ID: "base", Kind: "import", Settings: &Import{Path: "/x"}}},
		"base: {alias: {name: a/b}, or: {import: {path: /x}}}":              {Name: "a/b", Or: &Stage{ID: "base", Kind: "import", Settings: &Import{Path: "/x"}}},
		"base: {alias: {name: a/b, or: {import: /x}}}":                      {Name: "a/b", Or: &Stage{ID: "base", Kind: "import", Settings: &Import{Path: "/x"}}},
		"base: {alias: a/b, or: {alias: c, or: {import: /x}}}":              {Name: "a/b", Or: &Stage{ID: "base", Kind: "alias", Settings: &Alias{Name: "c", Or: &Stage{ID: "base", Kind: "import", Settings: &Import{Path: "/x"}}}}},
		"stages: [{alias: {id: base, name: a/b}}]":                          {Name: "a/b"},
		"base: {pretrain: {}}\n# --set base.alias=a/b":                      {Name: "a/b"},
		"base: {alias: a/b, or: {pretrain: {}}}\n# --set base.or.import=/x": {Name: "a/b", Or: &Stage{ID: "base", Kind: "import", Settings: &Import{Path: "/x"}}},
	} {
		var set []string
		if _, text, ok := strings.Cut(yaml, "# --set "); ok {
			set = strings.Split(text, ",")
		}
		p, err := Parse("p.yaml", []byte("name: p\n"+yaml), set)
		require.NoError(t, err, yaml)
		require.Equal(t, want, p.Stages[0].Settings, yaml)
	}
	p, err := Parse("p.yaml", []byte(circle), []string{"base.or.pretrain.steps=9", "stages.promote.gate.metric=pass@4"})
	require.NoError(t, err)
	require.Equal(t, 9, p.Stage("base").Settings.(*Alias).Or.Settings.(*Pretrain).Steps)
	require.Equal(t, "pass@4", p.Stage("promote").Settings.(*Promote).Gate.Metric)
}

func TestAliasErrors(t *testing.T) {
	for yaml, want := range map[string]string{
		"base: {alias: A/b}":                                           `stages.base.name: alias "A/b": want lower-case words`,
		"base: {alias: {}}":                                            "stages.base.name: is required",
		"base: {alias: a, or: {import: ''}}":                           "stages.base.or.import.path: is required",
		"base: {alias: a, or: {sft: {model: base, data: x}}}":          "stages.base.or: must be one of alias, import, pretrain, for the stage can use no other, is sft",
		"base: {alias: a, or: {imprt: /x}}":                            "expected settings",
		"base: {alias: a, or: {imprt: {}}}":                            `unknown kind of stage "imprt"; did you mean import?`,
		"base: {alias: a, or: {import: /x, id: y}}":                    "expected one kind of stage",
		"base: {alias: a, or: {import: {path: /x, id: y}}}":            "the id of the alias, base",
		"base: {alias: a, or: {import: {pth: /x}}}":                    "stages.base.or.import.pth: unknown setting",
		"base: {alias: {name: a, or: {import: /x}}, or: {import: /y}}": "with one or",
		"base: {import: a, or: {import: /x}}":                          "expected one kind of stage",
		"base: {alias: a, or: {pretrain: {model: {layers: 1, hidden: 16, heads: 2}, data: nowhere, steps: 3}}}": `stages.base.or.pretrain.data: no task set named "nowhere"`,
	} {
		_, err := Parse("p.yaml", []byte("name: p\n"+yaml), nil)
		require.ErrorContains(t, err, want, yaml)
		require.Equal(t, 1, strings.Count(err.Error(), want), "%s: said once: %v", yaml, err)
		require.ErrorContains(t, err, "p.yaml", yaml)
	}
}

func TestPromote(t *testing.T) {
	p, err := Parse("circle.yaml", []byte(circle), nil)
	require.NoError(t, err)
	st := p.Stage("promote")
	require.Equal(t, &Promote{Model: "sft", Alias: "reason/champion",
		Gate: &PromotionGate{BetterThan: "reason/champion", Evaluation: "evaluate", Metric: "pass@1", Test: "paired", P: 0.1}}, st.Settings)
	require.Equal(t, []Input{{"model", "sft", "model"}, {"gate.evaluation", "evaluate", "report"}}, st.Inputs())
	require.Equal(t, []string{"sft", "evaluate"}, p.Plan()[3].Needs)
	require.Equal(t, "let reason/champion name sft if it is better than its model in pass@1 of evaluate, with p below 0.1", p.Plan()[3].Title)
	require.Equal(t, []string{"model"}, Outputs("promote"))

	p, err = Parse("circle.yaml", []byte(strings.Replace(circle, ", gate: {p: 0.1}", "", 1)), nil)
	require.NoError(t, err)
	require.Equal(t, []Input{{"model", "sft", "model"}}, p.Stage("promote").Inputs())
	for metric, k := range map[string]int{"pass@1": 1, "pass@64": 64, "reward": 0} {
		got, ok := (&PromotionGate{Metric: metric}).K()
		require.True(t, ok)
		require.Equal(t, k, got)
	}
}

func TestPromoteErrors(t *testing.T) {
	const another = "\n  - evaluate: {id: again, models: [sft], tasks: held, reward: [{format: 1, pattern: x}]}\n  - promote: "
	for promote, want := range map[string]string{
		"{model: sft, alias: Champion}":                                                                     `stages.promote.alias: alias "Champion": want lower-case words`,
		"{model: sft}":                                                                                      "stages.promote.alias: is required",
		"{model: stf, alias: c}":                                                                            `stages.promote.model: no stage named "stf"; did you mean "sft"?`,
		"{model: evaluate, alias: c}":                                                                       `stage "evaluate" gives a report, not a model`,
		"{model: sft, alias: c, gate: {evaluation: sft}}":                                                   `stages.promote.gate.evaluation: stage "sft" gives a model, not a report`,
		"{model: sft, alias: c, gate: {better_than: c d}}":                                                  "stages.promote.gate.better_than",
		"{model: sft, alias: c, gate: {metric: pass@0}}":                                                    `stages.promote.gate.metric: must be pass@1, pass@2, … or reward, is "pass@0"`,
		"{model: sft, alias: c, gate: {metric: acc}}":                                                       `stages.promote.gate.metric: must be pass@1`,
		"{model: sft, alias: c, gate: {metric: pass@5}}":                                                    `pass@5 needs 5 samples of a problem, and stage "evaluate" draws 4`,
		"{model: sft, alias: c, gate: {test: z}}":                                                           "stages.promote.gate.test: must be one of paired, none",
		"{model: sft, alias: c, gate: {p: 2}}":                                                              "stages.promote.gate.p: must be below 1, is 2",
		"{model: sft, alias: c, gate: {beter_than: c}}":                                                     "did you mean stages.promote.gate.better_than?",
		"again\n  - promote: {model: sft, alias: c, gate: {}}":                                              `several stages measure "sft": name one of evaluate, again`,
		"again\n  - promote: {model: base, alias: c, gate: {evaluation: again}}":                            `stage "again" does not measure "base"; it measures sft`,
		"again\n  - promote: {model: sft, alias: c, gate: {evaluation: again}}":                             "measures no pass@1: use reward",
		"sft2\n  - sft: {id: more, model: sft, data: pool}\n  - promote: {model: more, alias: c, gate: {}}": `no stage before this one measures "more"`,
	} {
		text := strings.Replace(circle, "{model: sft, alias: reason/champion, gate: {p: 0.1}}", promote, 1)
		if rest, ok := strings.CutPrefix(promote, "again\n  - promote: "); ok {
			text = strings.Replace(circle, "\n  - promote: {model: sft, alias: reason/champion, gate: {p: 0.1}}", another+rest, 1)
		}
		if rest, ok := strings.CutPrefix(promote, "sft2"); ok {
			text = strings.Replace(circle, "\n  - promote: {model: sft, alias: reason/champion, gate: {p: 0.1}}", rest, 1)
		}
		_, err := Parse("p.yaml", []byte(text), nil)
		require.ErrorContains(t, err, want, promote)
		require.Equal(t, 1, strings.Count(err.Error(), want), "%s: said once: %v", promote, err)
	}
}
