package lm

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// No hash may give noise that is infinite: such a token would be drawn however unlikely it is.
func TestNoiseIsFinite(t *testing.T) {
	for _, h := range []uint32{0, 1 << 8, 1 << 9, 1<<32 - 1, 1<<32 - 1<<8, 1<<32 - 1<<9} {
		u := unit(h)
		require.Greater(t, u, float32(0))
		require.Less(t, u, float32(1))
		require.False(t, math.IsInf(-math.Log(-math.Log(float64(u))), 0))
	}
}
