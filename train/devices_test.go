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

// Two devices, which share the rows and the optimizer's state, arrive where one does; a state saved from one goes on on the other.
func TestTwoDevicesDoWhatOneDoes(t *testing.T) {
	one, two := devicetest.Client(t).WithoutKernels(), devicetest.Two(t)
	require.Equal(t, 2, two.Devices())
	examples := train.Demonstrations(demos(3, 7), false)
	fused, err := train.Pack(examples, train.Layout{Length: 16}, nil) // seven rows: the last device gets one of padding
	require.NoError(t, err)
	split, err := train.Pack(examples, train.Layout{Rows: 4, Length: 16}, nil)
	require.NoError(t, err)
	settings := train.Settings{Objective: objective.SFT{}, Optimizer: adam}
	side := settings
	side.Side = true

	ta, tb := train.NewTrainer(one), train.NewTrainer(two)
	run := func(trainer *train.Trainer, s *train.State) (losses []float64) {
		for range 3 {
			for _, u := range []struct {
				set     train.Settings
				batches []*train.Batch
			}{{settings, fused}, {side, split}} {
				r, err := trainer.Update(s, u.set, 1e-2, nil, u.batches...)
				require.NoError(t, err)
				losses = append(losses, r.Loss)
			}
		}
		return losses
	}
	for name, adapter := range map[string]*hf.Adapter{"parameters": nil, "adapter": {Rank: 4, Alpha: 8, Targets: hf.Linears}} {
		t.Run(name, func(t *testing.T) {
			begin := func(c *device.Client) *train.State {
				s := newState(t, c, 1)
				if adapter != nil {
					a := *adapter
					a.Tensors = lm.InitAdapter(tiny(), a, 9)
					require.NoError(t, s.Adapt(c, a))
				}
				return s
			}
			a, b := begin(one), begin(two)
			defer a.Free()
			defer b.Free()
			require.InDeltaSlice(t, run(ta, a), run(tb, b), 1e-5)
			same(t, ta, a, tb, b)

			saved, err := b.SaveOptimizer()
			require.NoError(t, err)
			require.NoError(t, a.LoadOptimizer(one, saved))
			require.InDeltaSlice(t, run(ta, a), run(tb, b), 1e-4)
		})
	}
}

// same compares the models of two states.
func same(t *testing.T, ta *train.Trainer, a *train.State, tb *train.Trainer, b *train.State) {
	t.Helper()
	want, err := ta.Model(a)
	require.NoError(t, err)
	got, err := tb.Model(b)
	require.NoError(t, err)
	for name, x := range want {
		require.InDeltaSlice(t, x.Data, got[name].Data, 2e-4, name)
	}
}

// A teacher's logits and the chunks of a large vocabulary are shared out too.
func TestTwoDevicesDistil(t *testing.T) {
	config := tiny()
	config.VocabSize = 32 << 10
	batches, err := train.Pack(train.Demonstrations(demos(3, 48), false), train.Layout{Length: 16}, nil)
	require.NoError(t, err)
	loss := func(c *device.Client) float64 {
		student, err := train.NewState(c, &hf.Model{Config: config, Tensors: lm.Init(config, 1)})
		require.NoError(t, err)
		defer student.Free()
		params, err := lm.Upload(c, &hf.Model{Config: config, Tensors: lm.Init(config, 2)})
		require.NoError(t, err)
		teacher := &train.State{Config: config, Params: params}
		defer teacher.Free()
		var r train.Result
		for range 2 {
			r, err = train.NewTrainer(c).Update(student, train.Settings{Objective: objective.Distill{Divergence: "reverse"}, Optimizer: adam}, 1e-2, teacher, batches...)
			require.NoError(t, err)
		}
		return r.Loss
	}
	require.InDelta(t, loss(devicetest.Client(t).WithoutKernels()), loss(devicetest.Two(t)), 1e-5)
}
