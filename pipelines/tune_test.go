package pipelines

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTuned(t *testing.T) {
	p, err := Load("tiny", nil)
	require.NoError(t, err)
	for i := range p.Stages {
		st := p.Stages[i]
		before, err := json.Marshal(st)
		require.NoError(t, err)
		for _, name := range Tunable(st.Kind) {
			if rl, ok := st.Settings.(*RL); ok && name == "kl_coef" && rl.RecipeSettings.Loss.KL.To == "none" {
				continue
			}
			got, err := st.Tuned(Tuning{name: 0.0625})
			require.NoError(t, err, "%s %s", st.ID, name)
			after, err := json.Marshal(got)
			require.NoError(t, err)
			require.NotEqual(t, string(before), string(after), "%s %s", st.ID, name)
			require.Contains(t, string(after), "0.0625")
		}
		unchanged, err := json.Marshal(st)
		require.NoError(t, err)
		require.Equal(t, string(before), string(unchanged), "the stage itself stays")
		same, err := st.Tuned(nil)
		require.NoError(t, err)
		require.Equal(t, st, same)
	}
}

func TestTunedNamesTheField(t *testing.T) {
	p, err := Load("tiny", nil)
	require.NoError(t, err)
	for _, c := range []struct {
		stage  string
		tuning Tuning
		want   string
	}{
		{"probe", Tuning{"lr": 2}, "lr: must be at most 1, is 2"},
		{"probe", Tuning{"lr": 0}, "lr: must be above 0, is 0"},
		{"probe", Tuning{"temperature": -1}, "temperature: must be above 0, is -1"},
		{"probe", Tuning{"entropy_coef": 11}, "entropy_coef: must be at most 10, is 11"},
		{"relift", Tuning{"kl_coef": 0.1}, "recipe.loss.kl.to: must be reference for a coefficient above 0"},
		{"probe", Tuning{"lr": math.NaN()}, "lr: must be a finite number"},
		{"probe", Tuning{"temprature": 1}, `temprature: is nothing that can be changed while a stage of kind rl runs; did you mean temperature?`},
		{"sft", Tuning{"temperature": 1}, "temperature: is nothing that can be changed while a stage of kind sft runs"},
		{"student", Tuning{"on_policy_lr": 3}, "on_policy_lr: must be at most 1, is 3"},
		{"limr", Tuning{"lr": 1}, "lr: stage limr is of kind curate, of which nothing can be changed while it runs"},
	} {
		_, err := p.Stage(c.stage).Tuned(c.tuning)
		require.ErrorContains(t, err, c.want)
	}
	require.Equal(t, "kl_coef 0.1, lr 0.0001", Tuning{"lr": 1e-4, "kl_coef": 0.1}.String())
	require.True(t, slices.Contains(Tunable("rl"), "entropy_coef"))
	require.Empty(t, Tunable("evaluate"))
}
