package code

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/reward/sandbox"
)

// needsSandbox skips a test where programs cannot be confined; where CI says that it is all there, that is a failure.
func needsSandbox(t testing.TB) {
	t.Helper()
	if err := sandbox.Check(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// shared reads a file of JSON lines of the shared data, which is not part of the repository.
func shared[T any](t testing.TB, name string) []T {
	t.Helper()
	dir := os.Getenv("TEMPER_SHARED_DATA")
	if dir == "" {
		dir = "/work/shared/data"
	}
	f, err := os.Open(filepath.Join(dir, "code", name))
	if err != nil {
		t.Skipf("the data is not here (TEMPER_SHARED_DATA names its folder): %v", err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		r, err = gzip.NewReader(f)
		require.NoError(t, err)
	}
	var all []T
	d := json.NewDecoder(bufio.NewReader(r))
	for {
		var v T
		if err := d.Decode(&v); err == io.EOF {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, v)
	}
}

// humanEval is a line of HumanEval.jsonl.gz.
type humanEval struct {
	TaskID     string `json:"task_id"`
	Prompt     string `json:"prompt"`
	EntryPoint string `json:"entry_point"`
	Solution   string `json:"canonical_solution"`
	Test       string `json:"test"`
}

func (h humanEval) program(completion string) Program {
	return Program{Language: "python", Prompt: h.Prompt, Completion: completion, Tests: h.Test, EntryPoint: h.EntryPoint}
}

// mbpp is a line of mbpp_even_task_id.jsonl.
type mbpp struct {
	TaskID int      `json:"task_id"`
	Code   string   `json:"code"`
	Setup  string   `json:"test_setup_code"`
	Tests  []string `json:"test_list"`
	More   []string `json:"challenge_test_list"`
}

func (m mbpp) program(completion string) Program {
	return Program{Language: "python", Completion: completion, Tests: m.Setup + "\n" + strings.Join(append(m.Tests, m.More...), "\n")}
}

// references are the reference solutions of a data set, HumanEval or MBPP, by the names of its problems.
func references(t *testing.T, set string) (names []string, programs []Program) {
	t.Helper()
	if set == "HumanEval" {
		for _, h := range shared[humanEval](t, "HumanEval.jsonl.gz") {
			names, programs = append(names, h.TaskID), append(programs, h.program(h.Solution))
		}
		return names, programs
	}
	for _, m := range shared[mbpp](t, "mbpp_even_task_id.jsonl") {
		names, programs = append(names, fmt.Sprint("MBPP/", m.TaskID)), append(programs, m.program(m.Code))
	}
	return names, programs
}

// verifyAll judges programs on all processors, in order.
func verifyAll(t testing.TB, programs []Program, l Limits) []Judgement {
	t.Helper()
	out := make([]Judgement, len(programs))
	var wait sync.WaitGroup
	slots := make(chan struct{}, runtime.NumCPU())
	for i, p := range programs {
		slots <- struct{}{}
		wait.Go(func() {
			out[i] = Verify(context.Background(), p, l)
			<-slots
		})
	}
	wait.Wait()
	return out
}
