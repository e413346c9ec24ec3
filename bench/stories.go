package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"temper/pipelines"
	"temper/tasks"
)

// stage runs the pipeline bench/NAME_stories.yaml, which has one stage of that name after the checkpoint, in a new data folder and reads the stage's
// seconds from the report.
func (b *bench) stage(ctx context.Context, name string, pair int, settings ...string) (float64, error) {
	s, err := b.reported(ctx, name, pair, settings...)
	return s.Seconds, err
}

// reportedStage is what the report says of a stage.
type reportedStage struct {
	ID      string             `json:"id"`
	Seconds float64            `json:"seconds"`
	Numbers map[string]float64 `json:"numbers"`
}

func (b *bench) reported(ctx context.Context, name string, pair int, settings ...string) (none reportedStage, err error) {
	checkpoint, err := filepath.Abs(b.stories)
	if err != nil {
		return none, err
	}
	if _, err := os.Stat(checkpoint); err != nil {
		return none, err
	}
	dir, err := os.MkdirTemp("", "temper-bench")
	if err != nil {
		return none, err
	}
	defer os.RemoveAll(dir)
	set := []string{"--set", "dir=" + dir, "--set", "temporal.port=0", "--set", "temporal.ui_port=0", "--set", "s3.port=0"}
	args := append([]string{"run", "bench/" + name + "_stories.yaml", "--set", "base.import=" + checkpoint, "--set", fmt.Sprintf("seed=%d", 1+pair)}, set...)
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	if _, err := b.output(ctx, "bin/temper", args...); err != nil {
		return none, err
	}
	out, err := b.output(ctx, "bin/temper", append([]string{"report", "latest", "--json"}, set...)...)
	if err != nil {
		return none, err
	}
	var report struct {
		Stages []reportedStage `json:"stages"`
	}
	if err := decode(out, &report); err != nil {
		return none, err
	}
	for _, s := range report.Stages {
		if s.ID == name {
			return s, nil
		}
	}
	return none, fmt.Errorf("the report has no stage %s: %s", name, out)
}

// orchestration runs iterations of about a second and gives one's seconds from its first step to its last, and the part of them in the activities
// that sample and train: what calling those directly, one after the other, would take.
func orchestration() (whole, called work) {
	const rounds, prompts = 15, 40
	var inside float64
	whole = func(ctx context.Context, b *bench, pair int) (float64, error) {
		if _, err := b.stage(ctx, "grpo", pair, "stages.grpo.rounds=1", fmt.Sprintf("stages.grpo.prompts=%d", prompts)); err != nil {
			return 0, err
		}
		s, err := b.reported(ctx, "grpo", pair, fmt.Sprintf("stages.grpo.rounds=%d", rounds), fmt.Sprintf("stages.grpo.prompts=%d", prompts))
		inside = (s.Numbers["sampling_seconds"] + s.Numbers["training_seconds"]) / rounds
		return s.Numbers["rounds_seconds"] / rounds, err
	}
	return whole, func(context.Context, *bench, int) (float64, error) { return inside, nil }
}

// storiesSFT gives the seconds of the whole SFT stage, its programs compiled by a run before it.
func storiesSFT(ctx context.Context, b *bench, pair int) (float64, error) {
	if _, err := b.stage(ctx, "sft", pair, "stages.sft.epochs=0", "stages.sft.steps=1"); err != nil {
		return 0, err
	}
	return b.stage(ctx, "sft", pair)
}

// trlSFT trains TRL's SFTTrainer on the same demonstrations.
func trlSFT(ctx context.Context, b *bench, pair int) (float64, error) {
	texts, err := storiesTexts(ctx)
	if err != nil {
		return 0, err
	}
	defer os.Remove(texts)
	out, err := b.output(ctx, b.python, filepath.Join("bench", "peers", "trl_sft_stories.py"), b.stories, texts, strconv.Itoa(pair))
	if err != nil {
		return 0, err
	}
	var t struct {
		Seconds float64 `json:"seconds"`
	}
	err = decode(out[lastLine(out):], &t)
	return t.Seconds, err
}

// storiesTexts writes the demonstrations of bench/sft_stories.yaml as TRL reads them.
func storiesTexts(ctx context.Context) (path string, err error) {
	p, err := pipelines.Load("bench/sft_stories.yaml", nil)
	if err != nil {
		return "", err
	}
	problems, err := tasks.LoadSet(ctx, p.Tasks, "demos")
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp("", "temper-texts-*.jsonl")
	if err != nil {
		return "", err
	}
	e := json.NewEncoder(f)
	for _, p := range problems {
		if err := e.Encode(map[string]string{"prompt": p.Prompt, "completion": p.Solution}); err != nil {
			return "", err
		}
	}
	return f.Name(), f.Close()
}
