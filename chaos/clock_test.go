package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const tellsTheTime = "TEMPER_TEST_TELLS_THE_TIME"

// TestTheClockOfAProcessJumps, and back, while its stopwatch and the machine's clock go on.
func TestTheClockOfAProcessJumps(t *testing.T) {
	if os.Getenv(tellsTheTime) != "" {
		start, in := time.Now(), bufio.NewScanner(os.Stdin)
		for in.Scan() {
			fmt.Println("now", time.Now().Unix(), time.Since(start).Milliseconds())
		}
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), tellsTheTime+"=1")
	in, err := child.StdinPipe()
	require.NoError(t, err)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	defer func() { _ = in.Close(); _ = child.Wait() }()
	lines := bufio.NewScanner(out)
	ask := func() (unix int64, elapsed time.Duration) {
		_, err := fmt.Fprintln(in)
		require.NoError(t, err)
		require.True(t, lines.Scan())
		words := strings.Fields(lines.Text())
		require.Len(t, words, 3)
		unix, err = strconv.ParseInt(words[1], 10, 64)
		require.NoError(t, err)
		ms, err := strconv.ParseInt(words[2], 10, 64)
		require.NoError(t, err)
		return unix, time.Duration(ms) * time.Millisecond
	}
	ask()
	for _, by := range []time.Duration{0, time.Hour, -time.Hour, 0} {
		c, err := openClock(child.Process.Pid)
		if errors.Is(err, errLeftOut) {
			t.Skip(err)
		}
		require.NoError(t, err)
		require.NoError(t, c.jump(by))
		unix, elapsed := ask()
		require.InDelta(t, time.Now().Add(by).Unix(), unix, 5, by)
		require.Less(t, elapsed, time.Minute)
	}
}
