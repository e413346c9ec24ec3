package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// result is one row of the table.
type result struct {
	fault            string
	times, want      int // it has struck, it is to strike
	runs             int
	digests, prompts int      // runs whose models', whose trained prompts are the undisturbed run's
	wrong            []string // what was not
	seconds          float64
	note             string // why the fault was left out
}

type table []result

// add counts a result with the earlier ones of the same fault.
func (t *table) add(r result) {
	for i := range *t {
		if old := &(*t)[i]; old.fault == r.fault {
			old.times, old.runs, old.digests, old.prompts = old.times+r.times, old.runs+r.runs, old.digests+r.digests, old.prompts+r.prompts
			old.wrong, old.seconds = append(old.wrong, r.wrong...), old.seconds+r.seconds
			return
		}
	}
	*t = append(*t, r)
}

func (t table) markdown() string {
	var b strings.Builder
	b.WriteString("| fault | times injected | runs | digests equal | prompts exact | seconds |\n|---|---|---|---|---|---|\n")
	for _, r := range t {
		if r.note != "" {
			fmt.Fprintf(&b, "| %s | – | – | – | – | %s |\n", r.fault, r.note)
			continue
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %.0f |\n", r.fault, r.times, r.runs, r.digests, r.prompts, r.seconds)
	}
	return b.String()
}

func (t table) write(path string, c *chaos) error {
	store := "the built-in store"
	if c.minio != "" {
		store = "a MinIO server where the processes run apart"
	}
	text := fmt.Sprintf(`# Chaos

Written by %s on %s/%s, %d processors, %s, with %s, seed %d. Each run of chaos/chaos.yaml (pre-training, SFT, ReLIFT, GRPO in shards and one step off policy, distillation off and on policy) is held
against one that nothing happened to: the digests of all models' files, and the multiset of prompts and demonstrations that were trained on. What each
fault is stands in chaos/faults.go; what is promised, in [durability.md](durability.md).

%s`, "`make chaos`", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly), store, c.seed, t.markdown())
	return os.WriteFile(path, []byte(text), 0o644)
}

// failure says what was not as in the undisturbed run.
func (t table) failure() error {
	var wrong []string
	for _, r := range t {
		for _, w := range r.wrong {
			wrong = append(wrong, r.fault+": "+w)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%d differences from the undisturbed run:\n%s", len(wrong), strings.Join(wrong[:min(len(wrong), 40)], "\n"))
}
