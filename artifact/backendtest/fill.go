package backendtest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"temper/artifact"
)

// Fill commits n artifacts as runs make them: of several kinds, with settings of a
// kilobyte, each but the first made from one before.
func Fill(t testing.TB, b artifact.Backend, n int) []artifact.Ref {
	t.Helper()
	s := artifact.New(b)
	settings, err := json.Marshal(map[string]string{"settings": strings.Repeat("lr 1e-5, ", 110)})
	require.NoError(t, err)
	refs := make([]artifact.Ref, n)
	commit := func(i int) error {
		m := artifact.Manifest{Kind: []string{"state", "rollouts", "model", "evaluation"}[i%4], Settings: settings, Device: "cpu, a processor", Code: "v1",
			MadeBy:  artifact.MadeBy{Workflow: fmt.Sprintf("demo-%d", i/50), Stage: "rl", Activity: "UpdatePolicy"},
			Metrics: map[string]float64{"reward": float64(i) / float64(n)}, Summary: fmt.Sprintf("round %d", i),
			Created: time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)}
		if i > 0 {
			m.Parents = []artifact.Parent{{Role: "base", Ref: refs[(i-1)/3]}}
		}
		var err error
		refs[i], err = s.Commit(context.Background(), m, map[string][]byte{"weights": fmt.Appendf(nil, "blob %d", i%16)})
		return err
	}
	for i := range n {
		require.NoError(t, commit(i))
	}
	return refs
}

// BenchmarkList measures listings of 10,000 manifests, and what came of the first:
// without an index, as the first listing of a bucket is, and with one.
func BenchmarkList(b *testing.B, backend artifact.Backend) {
	const n = 10_000
	refs := Fill(b, backend, n)
	s := artifact.New(backend)
	list := func(b *testing.B) {
		b.Helper()
		count := 0
		for _, err := range s.List(context.Background(), "") {
			require.NoError(b, err)
			count++
		}
		require.Equal(b, n, count)
	}
	b.Run("without an index", func(b *testing.B) {
		for b.Loop() {
			list(b)
			b.StopTimer()
			require.NoError(b, backend.Delete(context.Background(), "index/manifests.gz"))
			b.StartTimer()
		}
	})
	list(b)
	b.Run("with an index", func(b *testing.B) {
		for b.Loop() {
			list(b)
		}
	})
	b.Run("descendants", func(b *testing.B) {
		for b.Loop() {
			node, err := s.Descendants(context.Background(), refs[0])
			require.NoError(b, err)
			require.NotEmpty(b, node.Children)
		}
	})
	b.Run("beginning of a digest", func(b *testing.B) {
		for b.Loop() {
			_, err := s.Resolve(context.Background(), refs[7].Digest[:16])
			require.NoError(b, err)
		}
	})
}
