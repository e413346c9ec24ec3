package activities

import (
	"temper/activities/contract"
	"temper/artifact"
	"temper/lm/hf"
	"temper/pipelines"
)

// loraOf gives a stage's settings for an adapter, or nil where it trains all parameters.
func loraOf(stage contract.Stage) *pipelines.LoRA {
	switch s := stage.Stage.Settings.(type) {
	case *pipelines.SFT:
		return s.LoRA
	case *pipelines.RL:
		return s.LoRA
	default:
		return nil
	}
}

func adapterOf(l pipelines.LoRA) hf.Adapter {
	return hf.Adapter{Rank: l.Rank, Alpha: l.Alpha, RSLoRA: l.RSLoRA, Targets: l.Targets}
}

// adapt freezes a state's parameters and trains an adapter on them. An error frees the state.
func (held *resident) adapt(e *engine, base artifact.Ref, adapter hf.Adapter) error {
	held.base = base
	adapter.Base = base.String()
	if err := held.state.Adapt(e.client, adapter); err != nil {
		held.state.Free()
		return err
	}
	return nil
}

// adapterFiles are the files of the adapter in training, or none.
func (held *resident) adapterFiles() (map[string][]byte, error) {
	if held.state.Adapter == nil {
		return nil, nil
	}
	adapter, err := held.state.SavedAdapter()
	if err != nil {
		return nil, err
	}
	return held.state.Config.AdapterFiles(adapter)
}
