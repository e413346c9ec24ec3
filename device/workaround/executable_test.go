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

// Fails once go-xla names a device's model and compiles for devices that are not there: then those C calls can go too.
func TestUpstreamStillCannotDescribeDevices(t *testing.T) {
	_, ok := reflect.TypeOf(&pjrt.DeviceDescription{}).MethodByName("Kind")
	require.False(t, ok, "DeviceDescription.Kind exists")
	for _, name := range []string{"NewTopology", "NewTopologyDescription", "Topology", "CreateTopology"} {
		_, ok := reflect.TypeOf(&pjrt.Plugin{}).MethodByName(name)
		require.False(t, ok, "Plugin.%s exists", name)
	}
}
