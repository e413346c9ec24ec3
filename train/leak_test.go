package train_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/device/devicetest"
	"temper/objective"
	"temper/train"
)

// Five hundred steps take no more memory than the first hundred.
func TestStepsDoNotLeak(t *testing.T) {
	c := devicetest.Client(t)
	trainer := train.NewTrainer(c)
	s := newState(t, c, 1)
	defer s.Free()
	batches, err := train.Pack(train.Demonstrations(demos(3, 64), false), train.Layout{Length: 64}, nil)
	require.NoError(t, err)
	steps := func(n int) {
		for range n {
			_, err := trainer.Update(s, train.Settings{Objective: objective.SFT{}, Optimizer: adam}, 1e-3, nil, batches...)
			require.NoError(t, err)
		}
	}
	steps(100)
	before := residentKiB(t)
	steps(400)
	require.Less(t, residentKiB(t)-before, 8<<10, "KiB")
}

func residentKiB(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("the resident memory is read where Linux shows it:", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			require.NoError(t, err)
			return n
		}
	}
	t.Fatal("no VmRSS in /proc/self/status")
	return 0
}
