package workaround

/*
#include <stdlib.h>
#include "pjrt.h"
*/
import "C"

import (
	"fmt"
	"path/filepath"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// Target is a device that need not be there, to compile programs for: go-xla v0.4.5 makes backends of devices that are there only.
type Target struct {
	Backend *xla.Backend // builds graphs for the device; it has no client, so it neither compiles nor holds buffers
	Kind    string       // the device's model

	api, topology unsafe.Pointer
}

// NewTarget describes a CUDA device to its PJRT plugin: description is a GpuTargetConfigProto of XLA in text form.
func NewTarget(path, description string) (*Target, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	plugin, err := pjrt.GetPlugin(path)
	if err != nil {
		return nil, err
	}
	t := &Target{api: *(*unsafe.Pointer)(field(plugin, "api").Addr().UnsafePointer())}
	text := C.CString(description)
	defer C.free(unsafe.Pointer(text))
	var device unsafe.Pointer
	if err := pjrtError(C.temper_topology(t.api, text, C.size_t(len(description)), &t.topology, &device)); err != nil {
		return nil, err
	}
	if device == nil {
		t.Close()
		return nil, fmt.Errorf("the plugin sees no device in the description")
	}
	if t.Kind, err = kind(t.api, device); err != nil {
		t.Close()
		return nil, err
	}
	capabilities := xla.Capabilities.Clone()
	for _, fused := range []compute.OpType{compute.OpTypeFusedScaledDotProductAttention, compute.OpTypeFusedScaledDotProductAttentionVJP} {
		capabilities.Operations[fused] = plugin.IsCUDA()
	}
	t.Backend = &xla.Backend{}
	for name, value := range map[string]any{"plugin": plugin, "config": path, "pluginName": path, "capabilities": capabilities, "numDevices": 1} {
		set(t.Backend, name, value)
	}
	return t, nil
}

// Compile compiles a program's StableHLO for the device and says what memory a run of it would take there.
func (t *Target) Compile(source []byte) (m pjrt.ExecutableMemoryUsageStats, err error) {
	var memory C.temper_memory
	err = pjrtError(C.temper_compile(t.api, t.topology, (*C.char)(unsafe.Pointer(unsafe.SliceData(source))), C.size_t(len(source)), &memory))
	m.Inputs, m.Outputs, m.Aliases, m.Temporary = int64(memory.arguments), int64(memory.outputs), int64(memory.aliased), int64(memory.temporary)
	return m, err
}

// Close frees the description. Programs must not be compiled for it afterwards.
func (t *Target) Close() {
	_ = pjrtError(C.temper_topology_free(t.api, t.topology))
}

// Kind is the model of a client's first device, such as NVIDIA H100 80GB HBM3 or cpu, which go-xla v0.4.5 has no function for.
func Kind(b *xla.Backend) (string, error) {
	client := field(b, "client").Interface().(*pjrt.Client)
	plugin := field(b, "plugin").Interface().(*pjrt.Plugin)
	devices := client.AddressableDevices()
	if len(devices) == 0 {
		return "", fmt.Errorf("the client has no device")
	}
	description, err := devices[0].GetDescription()
	if err != nil {
		return "", err
	}
	return kind(*(*unsafe.Pointer)(field(plugin, "api").Addr().UnsafePointer()), *(*unsafe.Pointer)(field(description, "deviceDescription").Addr().UnsafePointer()))
}

func kind(api, description unsafe.Pointer) (string, error) {
	var text *C.char
	var size C.size_t
	if err := pjrtError(C.temper_kind(api, description, &text, &size)); err != nil {
		return "", err
	}
	defer C.free(unsafe.Pointer(text))
	return C.GoStringN(text, C.int(size)), nil
}
