package pipelines

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"temper/reward"
)

func parsed(t *testing.T, set ...string) *Pipeline {
	t.Helper()
	p, err := Parse("small.yaml", []byte(small), set)
	require.NoError(t, err)
	return p
}

func TestPipelineTravelsAsJSON(t *testing.T) {
	for _, name := range Builtin() {
		p, err := Load(name, nil)
		require.NoError(t, err)
		again := throughJSON(t, p)
		for i := range p.Stages {
			require.Equal(t, p.Stages[i].Key(nil, nil, p.Seed), again.Stages[i].Key(nil, nil, again.Seed))
			require.Equal(t, p.Stages[i].Inputs(), again.Stages[i].Inputs())
		}
	}
}

func TestStageTravelsAlone(t *testing.T) {
	p := parsed(t)
	for _, st := range p.Stages {
		data, err := json.Marshal(st)
		require.NoError(t, err)
		var again Stage
		require.NoError(t, json.Unmarshal(data, &again))
		require.Equal(t, st, again)
	}
	data, err := json.Marshal(p.Stage("rl1"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(data), `{"id":"rl1","kind":"rl","settings":{"model":"sft","tasks":["pool"],"recipe":"relift","recipe_settings":{`))
}

func TestJSONWrittenByHand(t *testing.T) {
	var p Pipeline
	require.NoError(t, json.Unmarshal([]byte(`{"name":"x","tasks":{"a":{"procedural":"chain"}},"stages":[
		{"id":"base","kind":"import","settings":{"path":"/x"}},
		{"id":"sft","kind":"sft","settings":{"model":"base","data":["a"]}}]}`), &p))
	require.NoError(t, p.Validate())
	require.Equal(t, 1.0, p.Stage("sft").Settings.(*SFT).Epochs)
	require.Equal(t, []string{"a"}, p.Stage("sft").TaskSets())

	for _, c := range []struct{ json, want string }{
		{`{"stages":[{"id":"a","kind":"stf"}]}`, `unknown kind "stf"; did you mean sft?`},
		{`{"stages":[{"id":"a","kind":"sft","settings":{"modle":"x"}}]}`, `settings of stage "a": json: unknown field "modle"`},
		{`{"stages":[{"id":"a","kind":"rl","settings":{"model":"x","recipe":"grpo"}}]}`, `recipe_settings is missing`},
		{`{"nmae":"x"}`, `unknown field "nmae"`},
	} {
		require.ErrorContains(t, json.Unmarshal([]byte(c.json), new(Pipeline)), c.want)
	}
	var bad Pipeline
	require.NoError(t, json.Unmarshal([]byte(`{"name":"x","stages":[{"id":"e","kind":"evaluate","settings":{"models":["m"],"tasks":"t"}}]}`), &bad))
	require.ErrorContains(t, bad.Validate(), `stages.e.models[0]: no stage named "m"`)
}

func TestKeyChangesWithWhatChangesTheResult(t *testing.T) {
	inputs, tasks := map[string]string{"model": "aa"}, map[string]string{"pool": "bb"}
	base := parsed(t).Stage("rl1").Key(inputs, tasks, 7)
	require.Len(t, base, 64)
	require.Equal(t, base, parsed(t).Stage("rl1").Key(inputs, tasks, 7))
	for _, set := range []string{"stages.rl1.rounds=6", "stages.rl1.lr=1e-5", "stages.rl1.override.group=5", "stages.rl1.override.interleave.newest=false",
		"stages.rl1.override.reward=[{correct: 2}]", "stages.rl1.max_tokens=10", "stages.rl1.tasks=[pool, other]"} {
		require.NotEqual(t, base, parsed(t, set).Stage("rl1").Key(inputs, tasks, 7), set)
	}
	for _, set := range []string{"stages.rl1.save_every=3", "seed=5", "name=other", "stages.sft.lr=1e-3", "stages.rl1.weights={}", "concurrency=2"} {
		require.Equal(t, base, parsed(t, set).Stage("rl1").Key(inputs, tasks, 7), set)
	}
	st := parsed(t).Stage("rl1")
	st.ID = "renamed"
	require.Equal(t, base, st.Key(inputs, tasks, 7), "the id is not part of it")
	require.NotEqual(t, base, st.Key(inputs, tasks, 8))
	require.NotEqual(t, base, st.Key(map[string]string{"model": "ab"}, tasks, 7))
	require.NotEqual(t, base, st.Key(inputs, map[string]string{"pool": "bc"}, 7))
	require.NotEqual(t, st.Key(map[string]string{"x": "y"}, nil, 7), st.Key(nil, map[string]string{"x": "y"}, 7))
	require.Equal(t, st.Key(nil, nil, 7), st.Key(map[string]string{}, map[string]string{}, 7))

	st.Kind = "rl"
	AlgorithmVersion["rl"]++
	defer func() { AlgorithmVersion["rl"]-- }()
	require.NotEqual(t, base, st.Key(inputs, tasks, 7), "another version of the algorithm")
}

// TestKeySeesEverySetting changes each setting of each kind in turn and expects another key, unless the setting is operational.
func TestKeySeesEverySetting(t *testing.T) {
	for _, kind := range Kinds() {
		st := Stage{ID: "x", Kind: kind, Settings: kinds[kind].blank()}
		before := st.Key(nil, nil, 1)
		eachLeaf(reflect.ValueOf(st.Settings).Elem(), "", func(path string, v reflect.Value) {
			old := reflect.New(v.Type()).Elem()
			old.Set(v)
			change(t, v)
			got := st.Key(nil, nil, 1)
			if operational[path] {
				require.Equal(t, before, got, "%s.%s", kind, path)
			} else {
				require.NotEqual(t, before, got, "%s.%s", kind, path)
			}
			v.Set(old)
		})
		require.Equal(t, before, st.Key(nil, nil, 1))
	}
}

func eachLeaf(v reflect.Value, path string, visit func(string, reflect.Value)) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := strings.TrimPrefix(path+"."+jsonName(f), ".")
		if v.Field(i).Kind() == reflect.Struct {
			eachLeaf(v.Field(i), strings.Trim(name, "."), visit)
			continue
		}
		visit(name, v.Field(i))
	}
}

func change(t *testing.T, v reflect.Value) {
	t.Helper()
	switch x := v.Addr().Interface().(type) {
	case *int:
		*x += 3
	case *float64:
		*x += 0.25
	case *string:
		*x += "x"
	case *bool:
		*x = !*x
	case *Names:
		*x = append(*x, "x")
	case *[]int:
		*x = []int{1, 99}
	case *[2]int:
		x[1] += 5
	case *map[string]float64:
		*x = map[string]float64{"x": 0}
	case **LoRA:
		*x = &LoRA{Rank: 2}
	case **PromotionGate:
		*x = &PromotionGate{Metric: "reward"}
	case **Stage:
		*x = &Stage{ID: "x", Kind: "import", Settings: &Import{Path: "/x"}}
	case *[]reward.PartSpec:
		*x = []reward.PartSpec{{Kind: "distinct", Weight: 2}}
	default:
		t.Fatalf("no change known for %s: add it here", v.Type())
	}
}

func TestKeysOfDifferentContentsDiffer(t *testing.T) {
	st := parsed(t).Stage("rl1")
	digests := rapid.MapOf(rapid.StringN(0, 4, -1), rapid.StringN(0, 4, -1))
	rapid.Check(t, func(rt *rapid.T) {
		a, b := digests.Draw(rt, "a"), digests.Draw(rt, "b")
		c, d := digests.Draw(rt, "c"), digests.Draw(rt, "d")
		same := reflect.DeepEqual(a, c) && reflect.DeepEqual(b, d)
		if same != (st.Key(a, b, 1) == st.Key(c, d, 1)) {
			rt.Fatalf("inputs %q and tasks %q against %q and %q", a, b, c, d)
		}
	})
}

func TestSettingsAreAllReachableByTheirTags(t *testing.T) {
	for _, kind := range Kinds() {
		eachTag(t, kind, reflect.TypeOf(kinds[kind].blank()).Elem())
	}
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// eachTag holds that yaml and json name a setting alike, for paths in errors, --set and JSON must agree.
func eachTag(t *testing.T, path string, typ reflect.Type) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Anonymous {
			require.Equal(t, ",inline", f.Tag.Get("yaml"), path)
		} else if f.Tag.Get("yaml") != "-" {
			require.NotEmpty(t, f.Tag.Get("yaml"), "%s.%s", path, f.Name)
			require.Equal(t, f.Tag.Get("yaml"), jsonName(f), "%s.%s", path, f.Name)
		}
		if f.Type.Kind() == reflect.Struct {
			eachTag(t, path+"."+f.Name, f.Type)
		}
	}
}

// throughJSON is a pipeline as it comes out of a workflow's input: the same.
func throughJSON(t *testing.T, p *Pipeline) *Pipeline {
	t.Helper()
	body, err := json.Marshal(p)
	require.NoError(t, err)
	var again Pipeline
	require.NoError(t, json.Unmarshal(body, &again))
	require.NoError(t, again.Validate())
	p.src = nil
	require.Equal(t, p, &again)
	return &again
}
