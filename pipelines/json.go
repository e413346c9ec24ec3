package pipelines

import (
	"bytes"
	"encoding/json"
	"fmt"

	"temper/configs"
)

// stageJSON is the wire form of a stage.
type stageJSON struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Settings json.RawMessage `json:"settings"`
	Gate     *Gate           `json:"gate,omitempty"`
	Sets     []string        `json:"task_sets,omitempty"`
}

// MarshalJSON writes {"id", "kind", "settings", "gate", "task_sets"}; every setting is written, defaults included.
func (st Stage) MarshalJSON() ([]byte, error) {
	settings, err := json.Marshal(st.Settings)
	if err != nil {
		return nil, fmt.Errorf("write settings of stage %s: %w", st.ID, err)
	}
	return json.Marshal(stageJSON{ID: st.ID, Kind: st.Kind, Settings: settings, Gate: st.Gate, Sets: st.Sets})
}

// UnmarshalJSON reads what MarshalJSON wrote. Settings that are left out have their kind's defaults, except an rl stage's
// recipe_settings, which must be there: a run does not depend on the recipes built into the reader. Unknown settings are refused.
func (st *Stage) UnmarshalJSON(data []byte) error {
	var wire stageJSON
	if err := decodeJSON(data, &wire); err != nil {
		return fmt.Errorf("read stage: %w", err)
	}
	kind, ok := kinds[wire.Kind]
	if !ok {
		return fmt.Errorf("read stage %q: unknown kind %q%s", wire.ID, wire.Kind, configs.Suggest(wire.Kind, "", Kinds()))
	}
	settings := kind.blank()
	if len(wire.Settings) > 0 {
		if err := decodeJSON(wire.Settings, settings); err != nil {
			return fmt.Errorf("read settings of stage %q: %w", wire.ID, err)
		}
	}
	if wire.Kind == "rl" {
		var has struct {
			Recipe json.RawMessage `json:"recipe_settings"`
		}
		if err := json.Unmarshal(wire.Settings, &has); err != nil || len(has.Recipe) == 0 {
			return fmt.Errorf("read settings of stage %q: recipe_settings is missing; print a pipeline as JSON to get them", wire.ID)
		}
	}
	settings.complete()
	*st = Stage{ID: wire.ID, Kind: wire.Kind, Settings: settings, Gate: wire.Gate, Sets: wire.Sets}
	return nil
}

// UnmarshalJSON reads a pipeline and finds out which names are task sets. It does not validate.
func (p *Pipeline) UnmarshalJSON(data []byte) error {
	type plain Pipeline
	wire := plain{Concurrency: defaultConcurrency}
	if err := decodeJSON(data, &wire); err != nil {
		return fmt.Errorf("read pipeline: %w", err)
	}
	*p = Pipeline(wire)
	p.Report.complete()
	p.resolve()
	return nil
}

func decodeJSON(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
