package memory_test

import (
	"testing"

	"temper/artifact"
	"temper/artifact/backendtest"
	"temper/artifact/memory"
)

func TestConformance(t *testing.T) {
	backendtest.Run(t, func(*testing.T) artifact.Backend { return memory.New() })
}
