package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"temper/activities/contract"
	"temper/pipelines"
)

func TestControlCommands(t *testing.T) {
	l := newLab(t)
	ctx := t.Context()
	do := func(name, what string, in contract.Control) error { return l.app.control(ctx, l.c, name, what, in) }
	say := func(name, what string, in contract.Control) string {
		l.out.Reset()
		require.NoError(l.t, do(name, what, in))
		return l.out.String()
	}

	t.Run("a stage", func(t *testing.T) {
		l.sub(t)
		release := l.hold("first Rollout 2")
		l.start("stage")
		l.seen("first Rollout 2")
		require.Equal(t, "stage first pauses after round 2 of 4\n", say("stage/first", "pause", contract.Control{}))
		release()
		require.Eventually(t, func() bool { return l.count("first SaveState 2") > 0 }, 20*time.Second, 10*time.Millisecond)
		require.Equal(t, "stage first: lr 0.0001 after round 2 of 4\n", say("stage/first", "set", contract.Control{Values: pipelines.Tuning{"lr": 1e-4}}))
		require.EqualError(t, do("stage/first", "set", contract.Control{Values: pipelines.Tuning{"lr": 4}}), "lr: must be at most 1, is 4")
		require.Zero(t, l.count("first Rollout 3"))
		l.out.Reset()
		require.NoError(t, l.app.metrics(ctx, l.c, "stage", "first", 1))
		require.Regexp(t, `(?m)^DONE +ENTROPY +REWARD +SOLVED\n2 +0 +0.25 +0$`, l.out.String())
		p, err := l.c.ask(ctx, "stage/first", "")
		require.NoError(t, err)
		require.True(t, p.Paused)
		say("stage/first", "resume", contract.Control{})
		out := l.result("stage")
		require.Equal(t, 2, out.Stages["first"].Interventions[0].After)
		require.ErrorContains(t, do("stage", "pause", contract.Control{}), "run stage is completed")
	})
	t.Run("a run", func(t *testing.T) {
		l.sub(t)
		release := l.hold("first Rollout 3")
		l.start("run")
		l.seen("first Rollout 3")
		require.Equal(t, "no further stage starts; pause: first\n", say("run", "pause", contract.Control{}))
		require.Equal(t, "stages start again; resume: first\n", say("run", "resume", contract.Control{}))
		require.Equal(t, "told stage first: stop, after the iteration under way\n", say("run", "stop", contract.Control{}))
		release()
		require.Equal(t, 3.0, l.result("run").Stages["first"].Numbers["rounds"])
	})
	t.Run("by its beginning", func(t *testing.T) {
		l.sub(t)
		release := l.hold("first Rollout 1")
		l.start("begins-here")
		l.seen("first Rollout 1")
		require.Eventually(t, func() bool { return do("begins/first", "pause", contract.Control{}) == nil }, 20*time.Second, 50*time.Millisecond, "listings are late")
		say("begins/first", "resume", contract.Control{})
		release()
		l.result("begins-here")
	})
	t.Run("without a worker", func(t *testing.T) {
		l.sub(t)
		l.hold("first Rollout 1")
		l.start("nobody")
		l.seen("first Rollout 1")
		l.stopWorker()
		defer l.startWorker()
		require.ErrorContains(t, do("nobody/first", "pause", contract.Control{}), "no worker answered on queue temper within 10s")
		require.NoError(t, l.app.terminate(ctx, l.c, "nobody", "")) // needs none
	})
}

// TestSearchAttributes finds runs and stages by what they say about themselves.
func TestSearchAttributes(t *testing.T) {
	l := newLab(t)
	l.start("marked")
	out := l.result("marked")
	model := out.Stages["second"].Outputs[pipelines.ModelOutput].String()
	for _, c := range []struct{ query, id string }{
		{"TemperPipeline = 'lab' AND WorkflowType = 'Pipeline'", "marked"},
		{"TemperStage = 'second' AND TemperIteration = 3 AND TemperReward > 0.3 AND WorkflowType = 'RL'", "marked/second"},
		{"TemperModel = '" + model + "' AND WorkflowType = 'RL'", "marked/second"},
		{"TemperModel = '" + model + "' AND WorkflowType = 'Pipeline'", "marked"},
	} {
		require.Eventually(t, func() bool {
			found, err := l.c.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: c.query})
			require.NoError(t, err)
			return len(found.Executions) == 1 && found.Executions[0].Execution.WorkflowId == c.id
		}, 20*time.Second, 50*time.Millisecond, c.query)
	}
	require.NoError(t, checkAttributes(t.Context(), l.c.client, l.c.own.Namespace))
	require.ErrorContains(t, checkAttributes(t.Context(), l.c.client, "temporal-system"), `temporal operator search-attribute create --namespace temporal-system --name TemperIteration --type Int`)
}

func TestParseValues(t *testing.T) {
	values, err := parseValues([]string{"lr=1e-4", "temperature=0.5"})
	require.NoError(t, err)
	require.Equal(t, pipelines.Tuning{"lr": 1e-4, "temperature": 0.5}, values)
	for text, want := range map[string]string{"lr": "write it as NAME=VALUE", "lr=fast": `lr: "fast" is not a number`, "=1": "write it as NAME=VALUE"} {
		_, err := parseValues([]string{text})
		require.ErrorContains(t, err, want)
	}
	_, err = parseValues([]string{"lr=1", "lr=2"})
	require.ErrorContains(t, err, "lr is given twice")
	run, stage := splitRun("tiny-1/sft")
	require.Equal(t, []string{"tiny-1", "sft"}, []string{run, stage})
}

func TestControlNeedsServers(t *testing.T) {
	for _, args := range [][]string{{"runs", "pause", "x"}, {"runs", "reset", "x/y", "--to", "1"}} {
		code, _, stderr := cli(t, append(args, "--set", "dir="+t.TempDir())...)
		require.Equal(t, exitError, code)
		require.Contains(t, stderr, "there are no runs in")
	}
	for want, args := range map[string][]string{
		"name a stage: x/STAGE":                     {"runs", "reset", "x", "--to", "1"},
		"--to 0: name an iteration":                 {"runs", "reset", "x/y"},
		"NAME=VALUE, such as lr=1e-4, is missing":   {"runs", "set", "x"},
		"temper runs metrics RUN/STAGE":             {"runs", "metrics", "x"},
		"--priority 9: want 1 (first) to 5":         {"run", "tiny", "--priority", "9"},
		"--cron is missing":                         {"schedule", "create", "night", "tiny"},
		"--overlap never: want one of allow-all":    {"schedule", "create", "night", "tiny", "--cron", "@daily", "--overlap", "never"},
		"--time-zone Moon: there is no such zone":   {"schedule", "create", "night", "tiny", "--cron", "@daily", "--time-zone", "Moon"},
		"the schedule's name must be lower-case":    {"schedule", "create", "Night", "tiny", "--cron", "@daily"},
		`--from "": want a date such as 2026-01-31`: {"schedule", "backfill", "night"},
	} {
		code, _, stderr := cli(t, args...)
		require.Equal(t, exitUsage, code, "%v: %s", args, stderr)
		require.Contains(t, stderr+" ", want)
	}
}

// TestSchedule: occurrences by trigger and backfill, each its own run with its own problems, in the order of their times.
func TestSchedule(t *testing.T) {
	l := newLab(t)
	ctx := t.Context()
	l.stopWorker() // a run waits for a worker as long as it takes
	file := t.TempDir() + "/lab.yaml"
	writeFile(t, file, strings.Replace(labPipeline, "base: {import: /models/m}", "base: {pretrain: {model: {layers: 1, hidden: 16, heads: 2}, data: pool, steps: 1}}", 1))
	l.app.sets = []string{"tasks.pool.vary=true"}
	o := scheduleOptions{cron: "0 1 * * *", zone: "UTC", catchup: 12 * time.Hour, period: 24 * time.Hour, overlap: "skip"}
	require.NoError(t, l.app.createSchedule(ctx, l.c, "night", file, o))
	require.ErrorContains(t, l.app.createSchedule(ctx, l.c, "night", file, o), "there is a schedule night already")
	require.Eventually(t, func() bool {
		l.out.Reset()
		require.NoError(t, l.app.schedules(ctx, l.c))
		return !l.empty()
	}, 20*time.Second, 50*time.Millisecond)
	require.Regexp(t, `night +lab +0 1 \* \* \* UTC +\d{4}-`, l.out.String())

	h := l.c.client.ScheduleClient().GetHandle(ctx, "night")
	first, err := parseTime("--from", "2026-01-31T01:00:00Z")
	require.NoError(t, err)
	last, err := parseTime("--to", "2026-02-03")
	require.NoError(t, err)
	require.NoError(t, l.app.backfill(ctx, l.c, "night", first, last, overlaps["buffer-all"]))
	ids := []string{"night-2026-01-31T01:00:00Z", "night-2026-02-01T01:00:00Z", "night-2026-02-02T01:00:00Z"}
	require.Eventually(t, func() bool {
		_, err := l.c.client.DescribeWorkflow(ctx, ids[0], "")
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)
	_, err = l.c.client.DescribeWorkflow(ctx, ids[1], "")
	require.Error(t, err, "one after the other")
	l.startWorker()
	models := map[string]bool{}
	for _, id := range ids {
		require.Eventually(t, func() bool {
			_, err := l.c.client.DescribeWorkflow(ctx, id, "")
			return err == nil
		}, 20*time.Second, 50*time.Millisecond, id)
		models[l.model(l.result(id), "second")] = true
	}
	require.Len(t, models, 3, "each night trains on other problems")

	require.NoError(t, h.Trigger(ctx, client.ScheduleTriggerOptions{}))
	require.Eventually(t, func() bool {
		d, err := h.Describe(ctx)
		require.NoError(t, err)
		return d.Info.NumActions == 4
	}, 20*time.Second, 50*time.Millisecond)
	require.NoError(t, h.Delete(ctx))
	require.ErrorContains(t, scheduleError("night", h.Delete(context.WithoutCancel(ctx))), "no schedule is named night")
}
