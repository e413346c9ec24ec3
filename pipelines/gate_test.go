package pipelines

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGate(t *testing.T) {
	p, err := Load("tiny", []string{
		"stages.probe.gate={metric: last_reward, at_least: 0.3, at_most: 2, approve: true, within: 24h}",
		"stages.report.gate={metric: student.pass@2, at_least: 0.1}",
		"stages.sft.gate.approve=true"})
	require.NoError(t, err)
	low, high := 0.3, 2.0
	require.Equal(t, &Gate{Metric: "last_reward", AtLeast: &low, AtMost: &high, Approve: true, Within: 24 * time.Hour}, p.Stage("probe").Gate)
	require.Nil(t, p.Stage("base").Gate)
	for _, step := range p.Plan() {
		if step.Stage == "probe" {
			require.Contains(t, step.Title, "; gate: last_reward at least 0.3, last_reward at most 2, a person approves within 24h0m0s")
		}
	}
	plain, err := Load("tiny", nil)
	require.NoError(t, err)
	require.Equal(t, plain.Stage("probe").Key(nil, nil, 7), p.Stage("probe").Key(nil, nil, 7), "a gate is in no key")

	body, err := json.Marshal(p)
	require.NoError(t, err)
	require.Contains(t, string(body), `"within":"24h0m0s"`)
	var back Pipeline
	require.NoError(t, json.Unmarshal(body, &back))
	require.Equal(t, p.Stage("probe").Gate, back.Stage("probe").Gate)
	require.NoError(t, back.Validate())
	require.ErrorContains(t, json.Unmarshal([]byte(`{"within": "soon"}`), &Gate{}), "gate.within")
	require.ErrorContains(t, json.Unmarshal([]byte(`{"wihtin": "1h"}`), &Gate{}), "wihtin")
}

func TestGateIsChecked(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{"stages.probe.gate={approve: false}", "stages.probe.gate: asks for nothing"},
		{"stages.probe.gate={at_least: 1}", "stages.probe.gate.metric: is required with at_least"},
		{"stages.probe.gate={metric: last_reward}", "stages.probe.gate.at_least: is required with metric"},
		{"stages.probe.gate={metric: last_rewards, at_least: 1}", `stages.probe.gate.metric: a stage of kind rl gives no number "last_rewards"; did you mean last_reward?`},
		{"stages.probe.gate={metric: last_reward, at_least: 1, at_most: 0}", "stages.probe.gate.at_most: must be at least at_least (1), is 0"},
		{"stages.probe.gate={metric: last_reward, at_least: 1, within: 1h}", "stages.probe.gate.within: is how long a person may take"},
		{"stages.probe.gate={approve: true, within: -1h}", "stages.probe.gate.within"},
		{"stages.probe.gate={aprove: true}", "stages.probe.gate.aprove: unknown setting; did you mean stages.probe.gate.approve?"},
		{"stages.report.gate={metric: pass@1, at_least: 1}", "stages.report.gate.metric: must be MODEL.pass@K or MODEL.reward, such as base.pass@1"},
		{"stages.report.gate={metric: studnt.pass@1, at_least: 1}", `the stage does not evaluate "studnt"; did you mean student?`},
		{"stages.report.gate={metric: student.pass@8, at_least: 1}", "the stage does not measure pass@8; its k is [1 2]"},
	} {
		_, err := Load("tiny", []string{c.set})
		require.ErrorContains(t, err, c.want, c.set)
	}
}

func TestGateBounds(t *testing.T) {
	low, high := 0.3, 0.5
	g := Gate{Metric: "loss", AtLeast: &low, AtMost: &high}
	require.Empty(t, g.Broken(0.3))
	require.Empty(t, g.Broken(0.5))
	require.Equal(t, "loss is 0.25, must be at least 0.3", g.Broken(0.25))
	require.Equal(t, "loss is 0.75, must be at most 0.5", g.Broken(0.75))
}
