package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/lm/hf"
)

// A stage with an adapter gives the merged model with the adapter beside it; its snapshots hold the adapter only.
func TestAdapterOfAStage(t *testing.T) {
	l := newLab(t, "stages.probe.lora={rank: 2, alpha: 6, targets: [q_proj, down_proj]}")
	stage, base := l.stage("probe"), l.out["base"]["model"]
	_, u := round(l, l.a, stage, start(base), 0)
	saved := done(l, l.a, (*Activities).saveState, contract.StateInput{Stage: stage, State: u.State})
	m, err := l.store.Load(l.ctx, saved.Snapshot)
	require.NoError(t, err)
	_, ok := m.File("model.safetensors")
	require.False(t, ok)
	require.Equal(t, base, m.Parents[0].Ref)

	out := done(l, l.a, (*Activities).exportModel, contract.StateInput{Stage: stage, State: u.State})
	files, err := l.a.files(l.ctx, out.Ref)
	require.NoError(t, err)
	merged, err := hf.ReadFrom(files)
	require.NoError(t, err)
	adapter, err := hf.ParseAdapter(map[string][]byte{"adapter_config.json": files["adapter/adapter_config.json"], "adapter_model.safetensors": files["adapter/adapter_model.safetensors"]})
	require.NoError(t, err)
	require.Equal(t, base.String(), adapter.Base)
	require.Equal(t, 6.0, adapter.Alpha)

	files, err = l.a.files(l.ctx, base)
	require.NoError(t, err)
	model, err := hf.ReadFrom(files)
	require.NoError(t, err)
	require.NotEqual(t, model.Tensors["model.layers.0.self_attn.q_proj.weight"], merged.Tensors["model.layers.0.self_attn.q_proj.weight"])
	require.Equal(t, model.Tensors["model.layers.0.self_attn.k_proj.weight"], merged.Tensors["model.layers.0.self_attn.k_proj.weight"])
	require.NoError(t, model.Merge(adapter))
	for name, x := range merged.Tensors {
		require.InDeltaSlice(t, x.Data, model.Tensors[name].Data, 1e-6, name)
	}
}
