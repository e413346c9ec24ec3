package devstack

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/artifact/backendtest"
	"temper/artifact/s3"
)

// BenchmarkList lists 10,000 manifests from the embedded store.
func BenchmarkList(b *testing.B) {
	s, err := Start(b.Context(), Options{Dir: b.TempDir()})
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Stop(b.Context())) }()
	backend, err := s3.Open(b.Context(), s.S3())
	require.NoError(b, err)
	backendtest.BenchmarkList(b, backend)
}
