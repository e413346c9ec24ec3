package side_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/bench/side"
	"temper/device/devicetest"
)

func TestSidesRepeatAsOftenAsAsked(t *testing.T) {
	c := devicetest.Client(t)
	config, err := side.Shape("A")
	require.NoError(t, err)
	for name, run := range map[string]func() (side.Times, error){
		"train":  func() (side.Times, error) { return side.Train(c, config, 2, 16, 2) },
		"decode": func() (side.Times, error) { return side.Decode(c, config, 2, 16, 4, 2) },
	} {
		times, err := run()
		require.NoError(t, err, name)
		require.Len(t, times.Seconds, 2, name)
		require.Positive(t, times.Compile, name)
	}
}
