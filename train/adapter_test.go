package train_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/lm"
	"temper/lm/hf"
	"temper/objective"
	"temper/train"
)

func adapted(t *testing.T, c *device.Client, a hf.Adapter) *train.State {
	t.Helper()
	s := newState(t, c, 1)
	a.Tensors = lm.InitAdapter(tiny(), a, 9)
	require.NoError(t, s.Adapt(c, a))
	return s
}

func TestAdapterTrainsAloneAndMerges(t *testing.T) {
	c := devicetest.Client(t)
	trainer := train.NewTrainer(c)
	settings := train.Settings{Objective: objective.SFT{}, Optimizer: adam}
	batches, err := train.Pack(train.Demonstrations(demos(3, 6), false), train.Layout{Length: 16}, nil)
	require.NoError(t, err)
	for _, a := range []hf.Adapter{
		{Rank: 4, Alpha: 8, Targets: hf.Linears},
		{Rank: 2, Alpha: 8, RSLoRA: true, Targets: []string{"q_proj", "v_proj"}},
	} {
		s := adapted(t, c, a)
		defer s.Free()
		base := flat(t, s)
		first, err := trainer.Model(s)
		require.NoError(t, err)
		for i, spec := range s.Config.Tensors() {
			data, err := device.Download[float32](s.Params[i])
			require.NoError(t, err)
			require.Equal(t, data, first[spec.Name].Data, "B is zero: a new adapter changes nothing")
		}
		for range 5 {
			_, err := trainer.Update(s, settings, 1e-2, nil, batches...)
			require.NoError(t, err)
		}
		require.Equal(t, base, flat(t, s), "the base stays as it is")

		// The loss of the next update, through the adapter, is that of the merged model.
		merged, err := trainer.Model(s)
		require.NoError(t, err)
		whole, err := train.NewState(c, &hf.Model{Config: tiny(), Tensors: merged})
		require.NoError(t, err)
		through, err := trainer.Update(s, settings, 1e-2, nil, batches...)
		require.NoError(t, err)
		direct, err := trainer.Update(whole, settings, 1e-2, nil, batches...)
		require.NoError(t, err)
		require.InDelta(t, direct.Loss, through.Loss, 1e-5)
		after, err := trainer.Model(s)
		require.NoError(t, err)
		require.NotEqual(t, merged, after, "the merged parameters follow the adapter")

		// Merging on the host arrives at the same.
		saved, err := s.SavedAdapter()
		require.NoError(t, err)
		host := &hf.Model{Config: tiny(), Tensors: lm.Init(tiny(), 1)}
		require.NoError(t, host.Merge(saved))
		for name, x := range after {
			require.InDeltaSlice(t, x.Data, host.Tensors[name].Data, 1e-6, name)
		}
	}
}

// An adapter's state goes on from where it was saved with the same bits.
func TestAdapterRoundTrip(t *testing.T) {
	c := devicetest.Client(t)
	trainer := train.NewTrainer(c)
	batches, err := train.Pack(train.Demonstrations(demos(3, 6), false), train.Layout{Rows: 2, Length: 16}, nil)
	require.NoError(t, err)
	step := func(s *train.State) {
		for _, side := range []bool{false, true} {
			_, err := trainer.Update(s, train.Settings{Objective: objective.SFT{}, Optimizer: adam, Side: side}, 1e-2, nil, batches...)
			require.NoError(t, err)
		}
	}
	a := adapted(t, c, hf.Adapter{Rank: 4, Alpha: 8, Targets: hf.Linears})
	step(a)
	step(a)
	adapter, err := a.SavedAdapter()
	require.NoError(t, err)
	files, err := tiny().AdapterFiles(adapter)
	require.NoError(t, err)
	adapter, err = hf.ParseAdapter(files)
	require.NoError(t, err)
	saved, err := a.SaveOptimizer()
	require.NoError(t, err)
	b := newState(t, c, 1)
	require.NoError(t, b.Adapt(c, adapter))
	require.NoError(t, b.LoadOptimizer(c, saved))
	step(a)
	step(b)
	left, err := a.SavedAdapter()
	require.NoError(t, err)
	right, err := b.SavedAdapter()
	require.NoError(t, err)
	require.Equal(t, left.Tensors, right.Tensors)
	require.ErrorContains(t, b.Adapt(c, adapter), "in training already")
}
