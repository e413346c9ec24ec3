// Package devicetest gives tests the machine's XLA device. A process opens the plugin once.
package devicetest

import (
	"os"
	"sync"
	"testing"

	"temper/device"
	"temper/device/plugin"
)

var open = sync.OnceValues(func() (*device.Client, error) {
	path, err := plugin.Find(os.Getenv("TEMPER_XLA_PLUGIN"), "")
	if err != nil {
		return nil, err
	}
	return device.Open(path, device.Options{})
})

var openTwo = sync.OnceValues(func() (*device.Client, error) {
	path, err := plugin.Find(os.Getenv("TEMPER_XLA_PLUGIN"), "")
	if err != nil {
		return nil, err
	}
	return device.Open(path, device.Options{Create: map[string]any{"cpu_device_count": 2}})
})

// Two returns a client with two virtual devices on the processor.
func Two(t testing.TB) *device.Client {
	t.Helper()
	c, err := openTwo()
	if err != nil {
		t.Fatalf("the engine's tests need the XLA plugin: %v", err)
	}
	return c
}

// Client returns the process's device client, or fails the test with how to get the plugin.
func Client(t testing.TB) *device.Client {
	t.Helper()
	c, err := open()
	if err != nil {
		t.Fatalf("the engine's tests need the XLA plugin: %v", err)
	}
	return c
}
