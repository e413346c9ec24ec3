// Package kernel has the operations for which XLA's CPU compiler is slow, written in C for the processor's vector instructions, and lets XLA
// programs call them: causal attention forward and backward, the decoding loop of a generation, whole or in chunks, and the
// optimizer.
//
// Each kernel has a twin made of ordinary graph operations where it is used, which other devices run and tests compare it with. A kernel's bits depend on the
// instruction set (see ISA), not on the number of threads. It may import gomlx, go-xla and device/workaround.
package kernel

/*
#cgo CFLAGS: -O3 -Wall
#cgo LDFLAGS: -lm -ldl -lpthread
#include <stdlib.h>
#include "register.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"unsafe"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"temper/device/workaround"
)

// ISA names the instruction set that the kernels use on this processor (avx512 or avx2), or is empty where they cannot run.
func ISA() string { return C.GoString(C.temper_isa()) }

var (
	registering sync.Mutex
	registered  = map[string]bool{} // plugins by path
	building    sync.Map            // graphs whose programs may call kernels
)

// Register makes the kernels known to a CPU plugin that is loaded already. It returns an error where the processor or the plugin cannot run them.
func Register(plugin string) error {
	registering.Lock()
	defer registering.Unlock()
	if registered[plugin] {
		return nil
	}
	if ISA() == "" {
		return errors.New("kernels need a processor with AVX2 and FMA")
	}
	path := C.CString(plugin)
	defer C.free(unsafe.Pointer(path))
	if msg := C.temper_kernels_register(path, C.int(runtime.GOMAXPROCS(0)), C.int64_t(lastCache())); msg != nil {
		return fmt.Errorf("register kernels with %s: %s", plugin, C.GoString(msg))
	}
	registered[plugin] = true
	return nil
}

// lastCache is the size in bytes of the last cache that the first processor reads through, or 0 where Linux does not tell.
func lastCache() int64 {
	sizes, err := filepath.Glob("/sys/devices/system/cpu/cpu0/cache/index*/size")
	if err != nil {
		return 0
	}
	largest := int64(0)
	for _, path := range sizes {
		var kib int64
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if _, err := fmt.Sscanf(string(text), "%dK", &kib); err == nil {
			largest = max(largest, kib<<10)
		}
	}
	return largest
}

// Allow lets a graph call kernels until the returned function is called. Whoever compiles graphs for a plugin with the kernels does this.
func Allow(g *graph.Graph) (done func()) {
	building.Store(g, true)
	return func() { building.Delete(g) }
}

// Allowed says whether a graph may call kernels.
func Allowed(g *graph.Graph) bool {
	_, ok := building.Load(g)
	return ok
}

// call adds a call of a kernel to a graph.
func call(name string, attributes map[string]int64, outputs []shapes.Shape, inputs ...*graph.Node) []*graph.Node {
	return workaround.CustomCall("temper_"+name, attributes, nil, outputs, inputs...)
}
