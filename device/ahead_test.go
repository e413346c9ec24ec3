package device_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/device/plugin"
)

func TestTheDeviceHasAKind(t *testing.T) {
	require.Equal(t, "cpu", devicetest.Client(t).Kind())
	require.False(t, devicetest.Client(t).Absent())
}

// What compiles for a GPU is tested in bench/gpu, with the plugin of one.
func TestAheadNamesWhatItLacks(t *testing.T) {
	_, err := device.Ahead("", "h100.txtpb", device.Options{})
	require.ErrorIs(t, err, device.ErrNoPlugin)
	path, err := plugin.Find(os.Getenv("TEMPER_XLA_PLUGIN"), "")
	require.NoError(t, err)
	missing := filepath.Join(t.TempDir(), "h100.txtpb")
	_, err = device.Ahead(path, missing, device.Options{})
	require.ErrorContains(t, err, missing)
	require.NoError(t, os.WriteFile(missing, []byte("gpu_device_info {}"), 0o644))
	_, err = device.Ahead(path, missing, device.Options{})
	require.ErrorContains(t, err, "describe "+missing)
}

func TestTF32IsForCUDA(t *testing.T) {
	path, err := plugin.Find(os.Getenv("TEMPER_XLA_PLUGIN"), "")
	require.NoError(t, err)
	_, err = device.Open(path, device.Options{TF32: true})
	require.ErrorContains(t, err, "xla.tf32")
}
