package code

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// verifyMany reports how many programs are judged a second, on all processors that go test is given (-cpu 2).
func verifyMany(b *testing.B, programs []Program) {
	needsSandbox(b)
	Verify(context.Background(), programs[0], Limits{}) // what is prepared once
	var next, wrong atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p := programs[int(next.Add(1))%len(programs)]
			if j := Verify(context.Background(), p, Limits{}); j.Verdict != Correct {
				wrong.Add(1)
			}
		}
	})
	require.Zero(b, wrong.Load())
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "programs/s")
}

func BenchmarkPython(b *testing.B) {
	verifyMany(b, []Program{{Language: "python", Completion: "def f(x):\n    return x + 1\n", Tests: "assert f(1) == 2"}})
}

func BenchmarkHumanEval(b *testing.B) {
	var programs []Program
	for _, h := range shared[humanEval](b, "HumanEval.jsonl.gz") {
		programs = append(programs, h.program(h.Solution))
	}
	verifyMany(b, programs)
}

func BenchmarkMBPP(b *testing.B) {
	var programs []Program
	for _, m := range shared[mbpp](b, "mbpp_even_task_id.jsonl") {
		programs = append(programs, m.program(m.Code))
	}
	verifyMany(b, programs)
}

func BenchmarkGo(b *testing.B) {
	needsGo(b)
	verifyMany(b, []Program{{Language: "go", Completion: "func Add(a, b int) int { return a + b }", Tests: goTests}})
}
