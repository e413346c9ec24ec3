package workaround

/*
#include <stdlib.h>
#include "pjrt.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
	"github.com/gomlx/go-xla/stablehlo"
	"github.com/gomlx/gomlx/core/graph"
)

// Source is the StableHLO text of a graph whose main function has returned: what determines the executable.
func Source(g *graph.Graph) ([]byte, error) {
	return field(builderOf(g), "builder").Interface().(*stablehlo.Builder).Build()
}

// Compile compiles a graph whose main function has returned.
func Compile(g *graph.Graph) (compute.Executable, error) { return builderOf(g).Compile() }

// Serialize returns the machine code of an executable, which go-xla v0.4.5 does not offer. Load turns it back into an executable.
func Serialize(e compute.Executable) ([]byte, error) {
	loaded := field(e, "exec").Interface().(*pjrt.LoadedExecutable)
	executable := field(loaded, "executable").Interface().(*pjrt.Executable)
	var code *C.char
	var size C.size_t
	if err := pjrtError(C.temper_serialize(apiOf(loaded), pointer(field(executable, "wrapper").Interface()), &code, &size)); err != nil {
		return nil, err
	}
	defer C.free(unsafe.Pointer(code))
	return C.GoBytes(unsafe.Pointer(code), C.int(size)), nil
}

// Memory is what an execution takes of the device's memory.
func Memory(e compute.Executable) pjrt.ExecutableMemoryUsageStats {
	return field(e, "exec").Interface().(*pjrt.LoadedExecutable).OnDeviceMemoryUsageStats
}

// Load makes an executable of the graph's source from what Serialize returned for the same source, on the same machine, with the same plugin.
func Load(g *graph.Graph, code []byte) (compute.Executable, error) {
	if len(code) == 0 {
		return nil, errors.New("load an executable: no code")
	}
	builder := builderOf(g)
	backend := field(builder, "backend").Interface().(*xla.Backend)
	client := field(backend, "client").Interface().(*pjrt.Client)
	plugin := field(backend, "plugin").Interface().(*pjrt.Plugin)
	var raw unsafe.Pointer
	api := *(*unsafe.Pointer)(field(plugin, "api").Addr().UnsafePointer())
	if err := pjrtError(C.temper_load(api, pointer(field(client, "client").Interface()),
		(*C.char)(unsafe.Pointer(unsafe.SliceData(code))), C.size_t(len(code)), &raw)); err != nil {
		return nil, err
	}
	loaded, err := newLoadedExecutable(plugin, client, raw)
	if err != nil {
		return nil, err
	}
	field(loaded, "isPortable").SetBool(true)

	main := field(builder, "mainFn").Interface().(*xla.Function)
	outputs := field(main, "outputs")
	shapesOut := make([]shapes.Shape, outputs.Len())
	for i := range shapesOut {
		shapesOut[i] = field(outputs.Index(i).Interface(), "shape").Interface().(shapes.Shape)
	}
	e := &xla.Executable{}
	for name, value := range map[string]any{
		"backend": backend, "exec": loaded, "name": builder.Name(), "outputShapes": shapesOut, "numDevices": 1, "portable": true,
	} {
		set(e, name, value)
	}
	for _, name := range []string{"parameterNames", "parameterShapes", "parameterSpecs"} {
		field(e, name).Set(field(main, name))
	}
	return e, nil
}

// newLoadedExecutable is go-xla's constructor: it owns the C object afterwards.
//
//go:linkname newLoadedExecutable github.com/gomlx/go-xla/pjrt.newLoadedExecutable
func newLoadedExecutable(*pjrt.Plugin, *pjrt.Client, unsafe.Pointer) (*pjrt.LoadedExecutable, error)

func builderOf(g *graph.Graph) *xla.Builder { return field(g, "builder").Interface().(*xla.Builder) }

func apiOf(loaded *pjrt.LoadedExecutable) unsafe.Pointer {
	plugin := field(loaded, "plugin").Interface().(*pjrt.Plugin)
	return *(*unsafe.Pointer)(field(plugin, "api").Addr().UnsafePointer())
}

// pointer is the C object that a wrapper of go-xla holds in its field c.
func pointer(wrapper any) unsafe.Pointer {
	return *(*unsafe.Pointer)(field(wrapper, "c").Addr().UnsafePointer())
}

func pjrtError(message *C.char) error {
	if message == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(message))
	return fmt.Errorf("PJRT: %s", C.GoString(message))
}
