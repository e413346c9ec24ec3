package contract

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/artifact"
)

// TestEarlierDoesNotGrow: a workflow remembers the newest rounds, the first, how many there were and what was left out.
func TestEarlierDoesNotGrow(t *testing.T) {
	var e *Earlier
	for saved := range 25 {
		var rounds []Round
		for n := range 10 {
			r := Round{Reward: float64(10*saved + n)}
			if n == 3 {
				r.LeftOut = []LeftOut{{Update: fmt.Sprintf("round %d", 10*saved+n)}}
			}
			rounds = append(rounds, r)
		}
		before := e
		e = e.Keep(artifact.Ref{Kind: "progress", Digest: fmt.Sprint(saved)}, rounds)
		if before != nil {
			require.Equal(t, 10*saved, before.Count, "what was is not changed")
		}
	}
	require.Equal(t, 250, e.Count)
	require.Equal(t, 250, Resume{Earlier: e}.Count())
	require.InDelta(t, 0, e.First.Reward, 0)
	require.Len(t, e.Last, KeepRounds)
	require.InDelta(t, 150, e.Last[0].Reward, 0)
	require.InDelta(t, 249, e.Last[99].Reward, 0)
	require.Len(t, e.LeftOut, 15)
	require.Equal(t, "round 143", e.LeftOut[14].Update)
	require.Equal(t, 3, Resume{Rounds: make([]Round, 3)}.Count())
}
