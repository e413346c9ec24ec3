package workaround_test

import (
	"reflect"
	"testing"

	"github.com/gomlx/go-xla/pjrt"
	"github.com/stretchr/testify/require"
)

// Fails once go-xla can serialize executables and load them: then the C calls here can go.
func TestUpstreamStillCannotSerialize(t *testing.T) {
	for _, owner := range []any{&pjrt.Client{}, &pjrt.Executable{}, &pjrt.LoadedExecutable{}} {
		for _, name := range []string{"Serialize", "Deserialize", "DeserializeAndLoad", "Load"} {
			_, ok := reflect.TypeOf(owner).MethodByName(name)
			require.False(t, ok, "%T.%s exists", owner, name)
		}
	}
}
